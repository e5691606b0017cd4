package cache

import (
	"fmt"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// fillNames puts an answer for n names in each of the zones, and the zones' own.
func fillNames(t testing.TB, a *Answers, n int, zones ...string) []Key {
	var keys []Key
	put := func(s string) {
		k := keyOf(s, wire.TypeA)
		a.mustPut(t, &k, raw(&k, 1, 0, 0, record("\xC0\x0C", wire.TypeA, 600, "\x01\x02\x03\x04")), Meta{}, 0, Stored)
		keys = append(keys, k)
	}
	for _, z := range zones {
		put(z)
		for i := range n {
			put(fmt.Sprintf("h%d.%s", i, z))
		}
	}
	return keys
}

// TestFlush removes one name, a subtree, everything; nothing else, and nothing that is put later.
func TestFlush(t *testing.T) {
	for _, c := range []struct {
		name    string
		subtree bool
	}{{"h1.example.", false}, {"EXAMPLE.", true}, {"example.", false}, {".", true}, {"absent.example.", true}} {
		t.Run(fmt.Sprint(c.name, c.subtree), func(t *testing.T) {
			bothEngines(t, func(t *testing.T, a *Answers) {
				keys := fillNames(t, a, 20, "example.", "example.org.", "notexample.")
				a.Flush(dnametest.Name(c.name), c.subtree)
				var h Hit
				for i := range keys {
					k := &keys[i]
					want := Fresh
					if dname.Equal(k.Name, dnametest.Name(c.name)) || c.subtree && k.Name.In(dnametest.Name(c.name)) {
						want = Miss
					}
					if got := a.Lookup(a.Hash(k), k, 0, &h); got != want {
						t.Errorf("%s: %v, want %v", k.Name, got, want)
					}
				}
				keys = fillNames(t, a, 20, "example.", "example.org.", "notexample.")
				for i := range keys {
					if got := a.Lookup(a.Hash(&keys[i]), &keys[i], 0, &h); got != Fresh {
						t.Errorf("%s put again: %v", keys[i].Name, got)
					}
				}
				a.FlushAll()
				for i := range keys {
					if got := a.Lookup(a.Hash(&keys[i]), &keys[i], 0, &h); got != Miss {
						t.Errorf("%s after FlushAll: %v", keys[i].Name, got)
					}
				}
				fillNames(t, a, 1, "example.")
				k := keyOf("h0.example.", wire.TypeA)
				if a.Lookup(a.Hash(&k), &k, 0, &h) != Fresh {
					t.Error("nothing is kept after FlushAll")
				}
			})
		})
	}
}

// TestFlushSteps: a flush of a large cache takes effect at once and is worked off in steps.
func TestFlushSteps(t *testing.T) {
	a := testAnswers(t, AnswersOptions{Memory: make([]byte, 8<<20)})
	keys := fillNames(t, a, 15_000, "example.", "example.org.")
	a.Flush(dnametest.Name("example."), true)
	a.Flush(dnametest.Name("h7.example.org."), false)
	var h Hit
	lookups := 0
	steps := 0
	for a.Flushing() {
		for range 10 { // traffic goes on
			k := &keys[lookups*7919%len(keys)]
			want := Fresh
			if k.Name.In(dnametest.Name("example.")) || dname.Equal(k.Name, dnametest.Name("h7.example.org.")) {
				want = Miss
			}
			if got := a.Lookup(a.Hash(k), k, 0, &h); got != want {
				t.Fatalf("%s: %v, want %v", k.Name, got, want)
			}
			lookups++
		}
		a.FlushStep()
		steps++
	}
	if s := a.Stats().Store; s.Entries != 15_000 || s.Purged != 15_002 || steps < 5 {
		t.Errorf("%d entries left, %d removed in %d steps, want 15000, 15002", s.Entries, s.Purged, steps)
	}
	// Many flushes at once end in an empty cache, not in a long table.
	for i := range 3 * maxFlushRules {
		a.Flush(dnametest.Name(fmt.Sprintf("h%d.example.org.", i)), true)
	}
	k := keyOf("h10.example.org.", wire.TypeA)
	if a.Lookup(a.Hash(&k), &k, 0, &h) != Miss {
		t.Error("flushed name is found")
	}
}
