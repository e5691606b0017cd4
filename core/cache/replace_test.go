package cache

import (
	"testing"
)

// A cache that gets other memory is empty, takes answers under the hashes that it gave before, and goes on counting.
// The memory that it had may be anything.
func TestSetMemory(t *testing.T) {
	bothEngines(t, func(t *testing.T, a *Answers) {
		keys := fillNames(t, a, 1000, "example.")
		old := a.Stats()
		k := &keys[7]
		hash := a.Hash(k)
		before := a.store
		if err := a.SetMemory(make([]byte, MinMemory-1)); err == nil {
			t.Error("too little memory is taken")
		}
		var h Hit
		if a.Lookup(hash, k, 0, &h) != Fresh {
			t.Fatal("an error has emptied the cache")
		}
		if err := a.SetMemory(make([]byte, 512<<10)); err != nil {
			t.Fatal(err)
		}
		if before != nil {
			for i := range before.mem {
				before.mem[i] = 0xff
			}
		}
		if s := a.Stats().Store; s.Entries != 0 || s.Capacity > 512<<10 || s.Inserts != old.Store.Inserts || s.Hits != old.Store.Hits+1 {
			t.Errorf("%+v after %+v", s, old.Store)
		}
		for i := range keys {
			if a.Lookup(a.Hash(&keys[i]), &keys[i], 0, &h) != Miss {
				t.Fatalf("%s is still there", keys[i].Name)
			}
		}
		again := fillNames(t, a, 10, "example.")
		if a.Hash(k) != hash || a.Lookup(hash, &again[7], 0, &h) != Fresh {
			t.Error("an answer is not found under the hash that its key had before")
		}
		if s := a.Stats(); s.Store.Inserts != old.Store.Inserts+11 || s.Stored != old.Stored+11 || s.Store.Entries != 11 {
			t.Errorf("%+v after 11 more than %+v", s, old)
		}
	})
}
