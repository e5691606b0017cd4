package cache

import (
	"fmt"
	"testing"

	"heimdall/core/wire"
)

// hotSet returns a cache with n one-address answers, and queries for them in random order.
func hotSet(b *testing.B, o AnswersOptions, n int) (*Answers, []Key, []*wire.Query) {
	a := testAnswers(b, o)
	keys := make([]Key, n)
	for i := range keys {
		keys[i] = keyOf(fmt.Sprintf("h%d.example.", i), wire.TypeA)
		msg := raw(&keys[i], 1, 0, 0, record("\xC0\x0C", wire.TypeA, 600, "\x01\x02\x03\x04"))
		a.Put(a.Hash(&keys[i]), &keys[i], msg, Meta{}, 0)
		if a.heap != nil && i%1000 == 0 {
			a.heap.cache.Wait()
		}
	}
	if a.heap != nil {
		a.heap.cache.Wait()
	}
	order, queries := make([]Key, 1<<13), make([]*wire.Query, 1<<13)
	for i := range order {
		order[i] = keys[scramble(uint64(i))%uint64(n)]
		queries[i] = query(b, order[i].Name.String(), &order[i], uint16(i))
	}
	return a, order, queries
}

// BenchmarkAnswersHit is hash, lookup and reply for a one-address answer.
func BenchmarkAnswersHit(b *testing.B) {
	for _, c := range []struct {
		name string
		o    AnswersOptions
		n    int
	}{
		{"segment/1k", AnswersOptions{Memory: make([]byte, 64<<20)}, 1000},
		{"segment/100k", AnswersOptions{Memory: make([]byte, 64<<20)}, 100_000},
		{"ristretto/1k", AnswersOptions{Engine: EngineRistretto, MemoryLimit: 128 << 20}, 1000},
		{"ristretto/100k", AnswersOptions{Engine: EngineRistretto, MemoryLimit: 128 << 20}, 100_000},
	} {
		b.Run(c.name, func(b *testing.B) {
			a, keys, queries := hotSet(b, c.o, c.n)
			buf := make([]byte, 0, 512)
			var h Hit
			hits := 0
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				k, q := &keys[n%len(keys)], queries[n%len(keys)]
				if a.Lookup(a.Hash(k), k, 1, &h) == Fresh {
					buf = a.AppendReply(buf[:0], &h, q, wire.FlagQR, 0)
					hits++
				}
				n++
			}
			if c.o.Engine == EngineSegment && hits != n {
				b.Errorf("%d hits of %d", hits, n)
			}
		})
	}
}

// BenchmarkAnswersBatch is the same in batches of 64 with the stages that a shard runs.
func BenchmarkAnswersBatch(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		a, keys, queries := hotSet(b, AnswersOptions{Memory: make([]byte, 256<<20)}, n)
		for _, stages := range []int{0, 1, 2} {
			b.Run(fmt.Sprintf("%d/stages=%d", n, stages), func(b *testing.B) {
				buf := make([]byte, 0, 512)
				var hashes [64]uint64
				var hits [64]Hit
				for i := 0; i < b.N; i += 64 {
					at := i % len(keys)
					for j := range hashes {
						hashes[j] = a.Hash(&keys[at+j])
						if stages > 0 {
							a.Prefetch(hashes[j])
						}
					}
					if stages > 1 {
						for j := range hashes {
							a.PrefetchEntry(hashes[j])
						}
					}
					for j := range hashes {
						if a.Lookup(hashes[j], &keys[at+j], 1, &hits[j]) != Fresh {
							b.Fatal("miss")
						}
					}
					for j := range hashes {
						buf = a.AppendReply(buf[:0], &hits[j], queries[at+j], wire.FlagQR, 0)
					}
				}
			})
		}
	}
}

// BenchmarkAnswersPut puts one-address answers under ever new names into a full cache.
func BenchmarkAnswersPut(b *testing.B) {
	a, keys, _ := hotSet(b, AnswersOptions{Memory: make([]byte, 1<<20)}, 100_000)
	messages := make([][]byte, len(keys))
	for i := range messages {
		messages[i] = raw(&keys[i], 1, 0, 0, record("\xC0\x0C", wire.TypeA, 600, "\x01\x02\x03\x04"))
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		k := &keys[n%len(keys)]
		k.View = uint8(n >> 13)
		a.Put(a.Hash(k), k, messages[n%len(keys)], Meta{}, 0)
		n++
	}
}
