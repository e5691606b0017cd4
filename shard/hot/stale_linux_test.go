package hot

import (
	"testing"
	"time"

	"heimdall/core/cache"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
	"heimdall/ebpf"
)

// What has been validated says so, in the kernel too, for as long as its TTL says and not longer, whatever cache.min_ttl and
// cache.stale are: its signatures may have expired. An old answer is not published either.
func TestRootStaleIsNotAuthentic(t *testing.T) {
	const ttl = 3 // seconds
	ti := newTiers(t, 1232)
	a := ti.engine.Answers()
	a.SetLimits(cache.AnswersOptions{MinTTL: 600, StaleTTL: 3600})
	k := cache.Key{Name: dnametest.Name("www.example."), Type: wire.TypeA, Class: wire.ClassIN}
	var b wire.Builder
	b.Reset(make([]byte, 512), 512)
	b.Header(1, wire.FlagQR)
	b.Question(k.Name, k.Type, k.Class)
	b.RR(wire.Answer, k.Name, k.Type, k.Class, ttl, []byte{192, 0, 2, 1})
	stored := uint32(ti.now() / 1e9)
	if got := a.Put(a.Hash(&k), &k, b.Finish(), cache.Meta{AD: true}, stored); got != cache.Stored {
		t.Fatalf("put: %v", got)
	}
	nominate := func() int {
		ti.visitor.asked = append(ti.visitor.asked[:0], ebpf.Question{Name: k.Name, Type: uint16(k.Type)})
		return ti.publish(t)
	}
	if n := nominate(); n != 1 {
		t.Fatalf("%d answers are published", n)
	}
	q := wire.AppendQuery(nil, 7, wire.FlagRD|wire.FlagAD, k.Name, k.Type, k.Class)
	authentic := 0
	for end := stored + ttl + 2; uint32(ti.now()/1e9) < end; time.Sleep(20 * time.Millisecond) {
		before := uint32(ti.coarse() / 1e9)
		got := ti.try(t, q)
		switch {
		case got == nil:
		case wire.Flags(got)&wire.FlagAD == 0:
			t.Errorf("%d s after it was stored: an answer without AD", before-stored)
		case before > stored+ttl: // its clock may lag by a second's part
			t.Fatalf("%d s after it was stored: % x", before-stored, got)
		default:
			authentic++
		}
	}
	if authentic == 0 {
		t.Error("the kernel gave no answer")
	}
	var h cache.Hit
	if s := a.Peek(a.Hash(&k), &k, uint32(ti.now()/1e9), &h); s != cache.Stale || h.AD {
		t.Errorf("the shard has a %v answer, AD %v", s, h.AD)
	}
	if n := nominate(); n != 0 || ti.try(t, q) != nil {
		t.Errorf("%d stale answers are published", n)
	}
}
