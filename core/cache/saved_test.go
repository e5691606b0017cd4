package cache

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// export returns all that a cache tells.
func export(a *Answers, w *Walk, now uint32) (out []byte, count int) {
	for {
		var n int
		var done bool
		out, n, done = a.Export(w, out, 1000, now)
		if count += n; done {
			return out, count
		}
	}
}

// importAll has a cache take over what another one has told, and returns how much of it was taken.
func importAll(t testing.TB, a *Answers, told []byte, passed, now uint32) (taken int) {
	t.Helper()
	var i Importer
	for len(told) > 0 {
		s, octets, rest, ok := NextSaved(told)
		if !ok || len(octets)+len(rest) != len(told) {
			t.Fatalf("cannot be read: % x", told)
		}
		if i.Import(a, &s, passed, now) {
			taken++
		}
		told = rest
	}
	return taken
}

// describe is all that a lookup tells, and the reply, octet for octet.
func describe(a *Answers, k *Key, now uint32) string {
	var h Hit
	state := a.Peek(a.Hash(k), k, now, &h)
	if state == Miss {
		return "miss"
	}
	query := wire.AppendQuery(nil, 7, 0, k.Name, k.Type, k.Class)
	q := wire.Query{Msg: query, End: len(query), DO: true, Flags: wire.FlagAD}
	return fmt.Sprintf("%v %v %v %v %v %v %v % x", state, h.Rcode, h.AD, h.AA, h.TTL, h.OrigTTL, h.EDE, a.AppendReply(nil, &h, &q, wire.FlagQR, 0))
}

// A cache that takes over what another one has told answers as that would: the same octets with the same TTLs at the same time,
// whatever its own clock says. What is not worth keeping, and what has expired, does not come back.
func TestTakesOverWhatAnotherHad(t *testing.T) {
	const before, after, passed = 5000, 3, 700 // two clocks
	for seed := range uint64(8) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		o := AnswersOptions{MinTTL: uint32(rnd.IntN(2)) * 5, MaxTTL: 86400, MaxNegativeTTL: 900, StaleTTL: 600}
		old, fresh := testAnswers(t, o), testAnswers(t, AnswersOptions{MinTTL: o.MinTTL, MaxTTL: o.MaxTTL, MaxNegativeTTL: 900, StaleTTL: 600})
		fresh.seed = 99
		fresh.Changed(OnRoutes, 1) // other counts
		type kept struct {
			k    Key
			what int
		}
		var list []kept
		for i := range 500 {
			k := Key{
				Name: dnametest.Name(fmt.Sprintf("www%d.example.", i)), Type: wire.TypeA, Class: wire.ClassIN,
				DO: rnd.IntN(2) == 0, CD: rnd.IntN(2) == 0, View: uint8(rnd.IntN(3)),
			}
			m := Meta{AD: rnd.IntN(2) == 0, EDE: wire.EDEOther, Depends: Depends(rnd.IntN(3))}
			what := int(m.Depends)
			failure := rnd.IntN(6) == 0
			if failure {
				m.TTL, m.Depends, what = 300, OnServers, int(OnServers)
			}
			msg := buildResponse(rnd, &k, failure)
			if old.Put(old.Hash(&k), &k, msg, m, before-uint32(rnd.IntN(1000))) == Stored {
				list = append(list, kept{k, what})
			}
			if rnd.IntN(3) == 0 {
				var h Hit
				old.Lookup(old.Hash(&k), &k, before, &h)
			}
		}
		told, count := export(old, new(Walk), before)
		taken := importAll(t, fresh, told, passed, after)
		found := 0
		for _, e := range list {
			want := describe(old, &e.k, before+passed)
			if e.what >= int(OnZones) {
				want = "miss"
			}
			got := describe(fresh, &e.k, after)
			if got != want {
				t.Fatalf("seed %d: %v %+v\n%s\nwant\n%s", seed, e.what, e.k, got, want)
			}
			if got != "miss" {
				found++
			}
			// And it ages as it would have.
			if got, want := describe(fresh, &e.k, after+100), describe(old, &e.k, before+passed+100); e.what < int(OnZones) && got != want {
				t.Fatalf("seed %d: later %s\nwant\n%s", seed, got, want)
			}
		}
		if found != taken || taken > count || found < 20 {
			t.Errorf("seed %d: %d told, %d taken, %d found of %d", seed, count, taken, found, len(list))
		}
		// What depends on the routes is outdated here as it is there.
		fresh.Changed(OnRoutes, after)
		for _, e := range list {
			if e.what == int(OnRoutes) && describe(fresh, &e.k, after) != "miss" {
				t.Fatalf("seed %d: %+v outlives a change of routes", seed, e.k)
			}
		}
	}
}

// What was flushed, or is outdated, is not told, though its memory is not yet free. A cache that was taken its memory tells the
// rest.
func TestFlushedIsNotTold(t *testing.T) {
	a := testAnswers(t, AnswersOptions{Memory: make([]byte, 4<<20)})
	for i := range 3000 {
		for _, zone := range []string{"gone", "routed", "stays"} {
			k := keyOf(fmt.Sprintf("n%d.%s.", i, zone), wire.TypeA)
			m := Meta{}
			if zone == "routed" {
				m.Depends = OnRoutes
			}
			a.mustPut(t, &k, response(&k, 0, "answer: "+k.Name.String()+" 600 IN A 192.0.2.1"), m, 10, Stored)
		}
	}
	a.Flush(dnametest.Name("gone."), true)
	if !a.Flushing() {
		t.Fatal("the flush is through already: the test needs more answers")
	}
	a.Changed(OnRoutes, 10)
	check := func(a *Answers, w Walk) {
		t.Helper()
		told, count := export(a, &w, 10)
		if count != 3000 || bytes.Contains(told, []byte("\x04gone")) || bytes.Contains(told, []byte("\x06routed")) {
			t.Errorf("%d told", count)
		}
	}
	left, err := a.Detach(make([]byte, 4<<20))
	if err != nil {
		t.Fatal(err)
	}
	if told, count := export(a, new(Walk), 10); count != 0 {
		t.Errorf("an empty cache tells % x", told)
	}
	check(left, Drain(func([]byte) {}))
	if _, err := a.Detach(make([]byte, 10)); err == nil {
		t.Error("no error without memory")
	}
}

// An answer that is here is newer than what is taken over, and nothing makes room for what is.
func TestImportReplacesNothing(t *testing.T) {
	bothEngines(t, func(t *testing.T, a *Answers) {
		old := testAnswers(t, AnswersOptions{})
		k := keyOf("www.example.", wire.TypeA)
		old.mustPut(t, &k, response(&k, 0, "answer: www.example. 600 IN A 192.0.2.1"), Meta{}, 10, Stored)
		told, _ := export(old, new(Walk), 10)
		a.mustPut(t, &k, response(&k, 0, "answer: www.example. 5 IN A 192.0.2.2"), Meta{}, 10, Stored)
		if h, ok := a.heap, a.heap != nil; ok {
			h.cache.Wait()
		}
		if n := importAll(t, a, told, 0, 10); n != 0 {
			t.Errorf("%d taken", n)
		}
	})
}

// What strangers give to import makes no reply that cannot be read, and takes no more than its octets.
func FuzzImport(f *testing.F) {
	old := testAnswers(f, AnswersOptions{Memory: make([]byte, 1<<20)})
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 10 {
		k := keyOf(fmt.Sprintf("www%d.example.", i), wire.TypeA)
		old.Put(old.Hash(&k), &k, buildResponse(rnd, &k, false), Meta{AD: i%2 == 0}, 10)
	}
	told, _ := export(old, new(Walk), 10)
	f.Add(told, uint32(5))
	f.Add(told[:len(told)-1], uint32(1<<31))
	a, err := NewAnswers(AnswersOptions{Memory: make([]byte, 256<<10), StaleTTL: 60})
	if err != nil {
		f.Fatal(err)
	}
	var importer Importer
	f.Fuzz(func(t *testing.T, told []byte, passed uint32) {
		const now = 100
		a.FlushAll()
		for {
			s, octets, rest, ok := NextSaved(told)
			if !ok {
				return
			}
			if len(octets)+len(rest) != len(told) || len(octets) == 0 {
				t.Fatal("octets are lost")
			}
			told = rest
			if !importer.Import(a, &s, passed, now) {
				continue
			}
			qname, typ, class, ok := s.Question()
			if !ok {
				t.Fatal("taken without a question")
			}
			k := Key{Name: append(dname.Name(nil), qname...), Type: typ, Class: class, DO: s.DO, CD: s.CD, View: s.View}
			var h Hit
			for _, at := range []uint32{now, now + 30, now + 1000} {
				if a.Lookup(a.Hash(&k), &k, at, &h) == Miss {
					continue
				}
				query := wire.AppendQuery(nil, 1, 0, k.Name, k.Type, k.Class)
				q := wire.Query{Msg: query, End: len(query)}
				msg := a.AppendReply(nil, &h, &q, wire.FlagQR, 0)
				var r wire.Reader
				if !r.Reset(msg) {
					t.Fatalf("% x", msg)
				}
				for rr := (wire.RR{}); ; {
					if _, ok := r.Next(&rr); !ok {
						break
					}
					if rr.TTL > DefaultMaxTTL {
						t.Fatalf("TTL %d", rr.TTL)
					}
				}
				if r.Err() {
					t.Fatalf("% x", msg)
				}
			}
			again, _ := export(a, new(Walk), now)
			if len(again) == 0 && h.OrigTTL > 0 {
				if _, st := a.Inspect(&k, now); st {
					t.Fatal("what was taken is not told")
				}
			}
		}
	})
}
