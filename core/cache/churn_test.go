package cache

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// TestChurn puts ten times what fits, and finds the store full and level all the way: no refusals, as
// many entries at the end as when it first was full, and nothing beyond its memory touched.
func TestChurn(t *testing.T) {
	const size = 4 << 20
	backing := bytes.Repeat([]byte{0xEE}, size+4096)
	s, err := NewStore(StoreOptions{Memory: backing[:size:size]})
	if err != nil {
		t.Fatal(err)
	}
	var key, value [100]byte
	least, most := 1<<30, 0
	total := 10 * size
	for i, put := uint64(0), 0; put < total; i++ {
		binary.LittleEndian.PutUint64(key[:], i)
		n := int(scramble(i) % 100)
		if got := s.Put(scramble(i), key[:16], value[:n], forever, 0); got != Stored {
			t.Fatalf("Put %d = %v", i, got)
		}
		put += entrySize(16, n)
		if i%3 == 0 { // some are hit, so that the main queue churns too
			s.Get(scramble(i), key[:16], 0)
		}
		if put > 2*size && i%64 == 0 {
			used := s.Stats().Bytes
			least, most = min(least, used), max(most, used)
		}
	}
	s.check(t)
	if least < size*80/100 || most-least > size*4/100 {
		t.Errorf("entries take %d to %d of %d bytes, want a level above 80 %%", least, most, size)
	}
	if st := s.Stats(); st.NoRoom != 0 || st.EvictedIndex > 100 || st.Touched > size {
		t.Errorf("stats after churn: %+v", st)
	}
	for i, c := range backing[size:] {
		if c != 0xEE {
			t.Fatalf("byte %d behind the memory was written", i)
		}
	}
}

// TestBoundedWork: the most entries that a Put may look at do not depend on the size of the store.
func TestBoundedWork(t *testing.T) {
	s := testStore(t, 8<<20)
	var key [8]byte
	looked := func() uint64 {
		st := s.Stats()
		return st.EvictedSmall + st.EvictedMain + st.Promoted + st.Reinserted + st.Expired
	}
	for i := range uint64(500_000) {
		binary.LittleEndian.PutUint64(key[:], i)
		before := looked()
		s.Put(scramble(i), key[:], make([]byte, 40), forever, 0)
		if n := looked() - before; n > 8*(reclaimWork+1) {
			t.Fatalf("Put %d looked at %d entries", i, n)
		}
		for j := i - min(i, 200_000); j <= i; j += 20_000 { // all are hit: the worst for reclaim
			binary.LittleEndian.PutUint64(key[:], j)
			s.Get(scramble(j), key[:], 0)
		}
	}
	if s.Stats().NoRoom != 0 {
		t.Error("entries were refused")
	}
}

// TestTouched: memory is used from its low end, no more than what was put needs.
func TestTouched(t *testing.T) {
	mem := make([]byte, 512<<20)
	s, err := NewStore(StoreOptions{Memory: mem})
	if err != nil {
		t.Fatal(err)
	}
	var key [24]byte
	for i := range uint64(100_000) {
		binary.LittleEndian.PutUint64(key[:], i)
		s.Put(scramble(i), key[:], make([]byte, 40), forever, 0)
	}
	const page = 4096
	touched := 0
	for off := 0; off < len(mem); off += page {
		if bytes.Count(mem[off:off+page], []byte{0}) != page {
			touched += page
		}
	}
	if touched > 12<<20 {
		t.Errorf("100,000 entries of 80 bytes touched %d bytes", touched)
	}
}

// TestScanResistance: names that are asked for over and over stay through a flood of random ones.
func TestScanResistance(t *testing.T) {
	s := testStore(t, 1<<20)
	var key [8]byte
	get := func(i uint64) bool {
		binary.LittleEndian.PutUint64(key[:], i)
		_, ok := s.Get(scramble(i), key[:], 0)
		if !ok {
			s.Put(scramble(i), key[:], make([]byte, 40), forever, 0)
		}
		return ok
	}
	const hot = 2000
	for range 3 {
		for i := range uint64(hot) {
			get(i)
		}
	}
	lost := 0
	for i := range uint64(300_000) { // 15 times what fits
		get(1<<32 + i)
		if i%10 == 0 && !get(i/10%hot) {
			lost++
		}
	}
	if lost > hot/100 {
		t.Errorf("%d of %d hits on hot names were lost to the flood", lost, 30_000)
	}
}
