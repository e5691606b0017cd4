package cache

import (
	"fmt"
	"testing"

	"heimdall/core/wire"
)

// TestAllocs: neither hits nor misses nor puts into a full store allocate.
func TestAllocs(t *testing.T) {
	a := testAnswers(t, AnswersOptions{Memory: make([]byte, 1<<20)})
	keys := make([]Key, 20_000) // some fit
	messages := make([][]byte, len(keys))
	for i := range keys {
		keys[i] = keyOf(fmt.Sprintf("H%d.example.", i), wire.TypeA)
		messages[i] = response(&keys[i], wire.RcodeNoError,
			fmt.Sprintf("answer: h%d.example. 300 IN CNAME web.example.", i),
			"answer: web.example. 60 IN A 192.0.2.1", "authority: example. 60 IN NS ns.example.")
	}
	n := 0
	if allocs := testing.AllocsPerRun(len(keys), func() {
		k := &keys[n%len(keys)]
		a.Put(a.Hash(k), k, messages[n%len(keys)], Meta{}, 0)
		n++
	}); allocs != 0 {
		t.Errorf("Put: %v allocations", allocs)
	}
	if s := a.Stats().Store; s.EvictedSmall == 0 {
		t.Error("the store was not full")
	}

	last := &keys[(n-1)%len(keys)]
	q := query(t, last.Name.String(), last, 1)
	buf := make([]byte, 0, 512)
	var h Hit
	if allocs := testing.AllocsPerRun(1000, func() {
		hash := a.Hash(last)
		a.Prefetch(hash)
		a.PrefetchEntry(hash)
		if a.Lookup(hash, last, 1, &h) != Fresh {
			t.Fatal("miss")
		}
		buf = a.AppendReply(buf[:0], &h, q, wire.FlagQR, 0)
	}); allocs != 0 {
		t.Errorf("hit: %v allocations", allocs)
	}
	k := *last
	k.View = 9
	if allocs := testing.AllocsPerRun(1000, func() {
		if a.Lookup(a.Hash(&k), &k, 1, &h) != Miss {
			t.Fatal("hit")
		}
	}); allocs != 0 {
		t.Errorf("miss: %v allocations", allocs)
	}
}
