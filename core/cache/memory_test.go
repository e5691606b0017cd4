package cache

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"heimdall/core/wire"
)

// TestEntrySize: an answer of one address takes well under 100 bytes, index included.
func TestEntrySize(t *testing.T) {
	a := testAnswers(t, AnswersOptions{})
	keys := fillNames(t, a, 10_000, "example.")
	i, ok := a.Inspect(&keys[9_000], 0)
	if !ok || i.Bytes > 80 {
		t.Errorf("entry of %d bytes, want at most 80", i.Bytes)
	}
	s := a.Stats().Store
	lines := s.Buckets + s.OverflowLines
	if each := float64(s.Bytes+lines*lineSize) / float64(s.Entries); each > 98 {
		t.Errorf("%.1f bytes an entry with its share of the index, want less than 98", each)
	}
}

// TestFewNamesInMuchMemory: 100,000 names in 512 MiB touch less than 15 MiB.
func TestFewNamesInMuchMemory(t *testing.T) {
	mem := make([]byte, 512<<20)
	a := testAnswers(t, AnswersOptions{Memory: mem})
	for i := range 100_000 {
		k := keyOf(fmt.Sprintf("h%d.example.", i), wire.TypeA)
		a.mustPut(t, &k, raw(&k, 1, 0, 0, record("\xC0\x0C", wire.TypeA, 600, "\x01\x02\x03\x04")), Meta{}, 0, Stored)
	}
	const page = 4096
	touched := 0
	for off := 0; off < len(mem); off += page {
		if bytes.Count(mem[off:off+page], []byte{0}) != page {
			touched += page
		}
	}
	t.Logf("%.1f MiB touched", float64(touched)/(1<<20))
	if touched > 15<<20 {
		t.Errorf("%d bytes touched", touched)
	}
}

// TestRistrettoMemory: what ristretto is told of an entry's cost is what the heap grows by.
func TestRistrettoMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("fills 32 MiB")
	}
	const limit = 32 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	a := testAnswers(t, AnswersOptions{Engine: EngineRistretto, MemoryLimit: limit})
	for i := range 2 * limit / typicalEntry {
		k := keyOf(fmt.Sprintf("h%d.example.", i), wire.TypeA)
		msg := raw(&k, 1, 0, 0, record("\xC0\x0C", wire.TypeA, 600, "\x01\x02\x03\x04"))
		a.Put(a.Hash(&k), &k, msg, Meta{}, 0)
		if i%1000 == 0 {
			a.heap.cache.Wait()
		}
	}
	a.heap.cache.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	s := a.Stats().Store
	heap := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("heap %.1f MiB, told %.1f MiB, %d entries, %.0f bytes each", float64(heap)/(1<<20), float64(s.Bytes)/(1<<20), s.Entries, float64(heap)/float64(s.Entries))
	if s.Bytes < limit*9/10 || heap > limit*11/10 {
		t.Errorf("heap grew by %d of %d bytes, %d of them accounted for", heap, limit, s.Bytes)
	}
	runtime.KeepAlive(a)
}
