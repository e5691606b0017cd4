package cache

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// A walk in small steps, while the store is full and changes, meets all that was there at its beginning and still is at its end.
func TestWalkMissesNone(t *testing.T) {
	const now = 1000
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		s, err := NewStore(StoreOptions{Memory: make([]byte, 256<<10)})
		if err != nil {
			t.Fatal(err)
		}
		put := func(n int) {
			key := fmt.Appendf(nil, "key%d", n)
			s.Put(hashOf(key, false), key, binary.LittleEndian.AppendUint32(make([]byte, rnd.IntN(300)), uint32(n)), now+100, now)
		}
		get := func(n int) bool {
			key := fmt.Appendf(nil, "key%d", n)
			_, ok := s.Get(hashOf(key, false), key, now)
			return ok
		}
		for n := range 3000 {
			put(n)
			get(rnd.IntN(n + 1))
		}
		var before []int
		for n := range 3000 {
			if get(n) {
				before = append(before, n)
			}
		}
		var w Walk
		seen := map[int]bool{}
		for next := 3000; ; next++ {
			done := s.Step(&w, 1, now, func(e *Entry) {
				var n int
				fmt.Sscanf(string(e.Key), "key%d", &n)
				seen[n] = true
			})
			if done {
				break
			}
			if rnd.IntN(4) == 0 {
				put(next)
				get(before[rnd.IntN(len(before))])
			}
			if w.Walked() > 2*256<<10+1000 {
				t.Fatal("the walk has no end")
			}
		}
		for _, n := range before {
			if get(n) && !seen[n] {
				t.Errorf("seed %d: key %d was missed", seed, n)
			}
		}
	}
}

// What is deleted, purged or expired is not met, and what the store becomes meanwhile ends the walk.
func TestWalkMeetsWhatGetFinds(t *testing.T) {
	s, err := NewStore(StoreOptions{Memory: make([]byte, 256<<10)})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		key := fmt.Appendf(nil, "%c%d", 'a'+n%4, n)
		s.Put(hashOf(key, false), key, []byte("value"), uint32(1000+n%4), 10)
		if n%10 == 0 {
			s.Delete(hashOf(key, false), key)
		}
	}
	s.Purge(func(key []byte) bool { return key[0] == 'b' })
	want := 0
	for n := range 100 {
		if n%4 >= 2 && n%10 != 0 {
			want++
		}
	}
	got := 0
	var w Walk
	for !s.Step(&w, 100, 1000, func(e *Entry) {
		if got++; e.Key[0] < 'c' || string(e.Value) != "value" {
			t.Errorf("met %s", e.Key)
		}
	}) {
	}
	if got != want {
		t.Errorf("met %d entries, want %d", got, want)
	}
	w = Walk{}
	s.Step(&w, 100, 1000, func(*Entry) {})
	s.Clear()
	if !s.Step(&w, 1<<20, 1000, func(*Entry) { t.Error("met something in an empty store") }) {
		t.Error("no end in an empty store")
	}
	other, _ := NewStore(StoreOptions{Memory: make([]byte, 256<<10)})
	var v Walk
	s.Put(1, []byte("k"), nil, 2000, 10)
	s.Step(&v, 0, 10, nil)
	if !other.Step(&v, 100, 10, nil) {
		t.Error("a walk goes on in another store")
	}
}

// A walk of Drain gives up each piece of memory once, and looks at none afterwards.
func TestDrainGivesUpMemory(t *testing.T) {
	mem := make([]byte, 1<<20)
	s, err := NewStore(StoreOptions{Memory: mem})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for n := range 2000 {
		key := fmt.Appendf(nil, "key%d", n)
		s.Put(hashOf(key, false), key, make([]byte, 200), 1000, 10)
		count++
	}
	freed := 0
	w := Drain(func(piece []byte) {
		freed += len(piece)
		for i := range piece {
			piece[i] = 0xFF
		}
	})
	for !s.Step(&w, 1000, 10, func(e *Entry) {
		if count--; string(e.Key[:3]) != "key" || len(e.Value) != 200 {
			t.Fatalf("met %q", e.Key)
		}
	}) {
	}
	if count != 0 || freed < 400<<10 || freed > len(mem) {
		t.Errorf("%d entries were missed, %d bytes given up", count, freed)
	}
}

// What is restored takes the room that there is, and takes it from nobody.
func TestRestoreTakesFromNobody(t *testing.T) {
	s, err := NewStore(StoreOptions{Memory: make([]byte, 256<<10)})
	if err != nil {
		t.Fatal(err)
	}
	restored := 0
	for n := range 5000 {
		key := fmt.Appendf(nil, "old%d", n)
		if s.Restore(hashOf(key, false), key, make([]byte, 100), 1000, 10, n%2 == 0) {
			restored++
		} else if s.Spare() {
			t.Fatalf("entry %d is refused, and there is room", n)
		}
	}
	if st := s.Stats(); restored < 1000 || st.Entries != restored || st.EvictedMain+st.EvictedSmall+st.EvictedIndex != 0 {
		t.Errorf("%d were restored: %+v", restored, st)
	}
	for n := range restored {
		key := fmt.Appendf(nil, "old%d", n)
		if _, ok := s.Get(hashOf(key, false), key, 10); !ok {
			t.Fatalf("entry %d is not there", n)
		}
	}
	key := []byte("new")
	if r := s.Put(hashOf(key, false), key, make([]byte, 100), 1000, 10); r != Stored {
		t.Errorf("a new entry: %v", r)
	}
	fresh, _ := NewStore(StoreOptions{Memory: make([]byte, 256<<10)})
	fresh.Put(hashOf(key, false), key, []byte("new"), 1000, 10)
	if fresh.Restore(hashOf(key, false), key, []byte("old"), 2000, 10, true) {
		t.Error("an old entry takes the place of a new one")
	}
	if !fresh.Restore(hashOf(key, false), key, []byte("old"), 2000, 1500, true) {
		t.Error("an expired entry stays")
	}
	if i, ok := fresh.Get(hashOf(key, false), key, 1500); !ok || string(i.Value) != "old" {
		t.Errorf("%q, %v", i.Value, ok)
	}
}
