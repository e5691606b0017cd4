package cache

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// filled returns a store with n entries of 16+16+40 bytes and the sequence in which to ask for them.
func filled(b *testing.B, memory, n int) (*Store, []uint64) {
	s := testStore(b, memory)
	var key [16]byte
	for i := range uint64(n) {
		binary.LittleEndian.PutUint64(key[:], i)
		s.Put(scramble(i), key[:], make([]byte, 40), forever, 0)
	}
	order := make([]uint64, 1<<16)
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range order {
		order[i] = rnd.Uint64N(uint64(n))
	}
	return s, order
}

// BenchmarkStoreGet finds entries one after the other, and in batches of 64 with and without the
// staging functions. 1,000 entries fit into the L2 cache, a million do not fit into L3's share.
func BenchmarkStoreGet(b *testing.B) {
	for _, size := range []struct {
		name      string
		memory, n int
	}{{"1k", 1 << 20, 1000}, {"100k", 32 << 20, 100_000}, {"1M", 256 << 20, 1_000_000}} {
		s, order := filled(b, size.memory, size.n)
		var key [16]byte
		get := func(b *testing.B, n uint64) {
			binary.LittleEndian.PutUint64(key[:], n)
			if _, ok := s.Get(scramble(n), key[:], 0); !ok {
				b.Fatal("miss")
			}
		}
		b.Run(size.name+"/single", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				get(b, order[i%len(order)])
			}
		})
		batch := func(b *testing.B, stages int) {
			for i := 0; i < b.N; i += 64 {
				names := order[i%len(order):][:64]
				if stages > 0 {
					for _, n := range names {
						s.Prefetch(scramble(n))
					}
				}
				if stages > 1 {
					for _, n := range names {
						s.PrefetchEntry(scramble(n))
					}
				}
				for _, n := range names {
					get(b, n)
				}
			}
		}
		b.Run(size.name+"/bucket", func(b *testing.B) { batch(b, 1) })
		b.Run(size.name+"/bucket+entry", func(b *testing.B) { batch(b, 2) })
	}
}

// BenchmarkStoreMiss asks for keys that are not there: one line of the index each.
func BenchmarkStoreMiss(b *testing.B) {
	s, order := filled(b, 32<<20, 100_000)
	var key [16]byte
	for i := 0; b.Loop(); i++ {
		n := order[i%len(order)] + 1<<40
		binary.LittleEndian.PutUint64(key[:], n)
		if _, ok := s.Get(scramble(n), key[:], 0); ok {
			b.Fatal("hit")
		}
	}
}

// BenchmarkStorePut puts new keys into a full store, a third of which are hit afterwards, and known keys in
// place.
func BenchmarkStorePut(b *testing.B) {
	var key [16]byte
	value := make([]byte, 40)
	b.Run("full", func(b *testing.B) {
		s, _ := filled(b, 32<<20, 500_000)
		for i := uint64(1 << 40); b.Loop(); i++ {
			binary.LittleEndian.PutUint64(key[:], i)
			s.Put(scramble(i), key[:], value, forever, 0)
			if i%3 == 0 {
				s.Get(scramble(i), key[:], 0)
			}
		}
	})
	b.Run("update", func(b *testing.B) {
		s, order := filled(b, 32<<20, 100_000)
		for i := 0; b.Loop(); i++ {
			n := order[i%len(order)]
			binary.LittleEndian.PutUint64(key[:], n)
			s.Put(scramble(n), key[:], value, forever, 0)
		}
	})
}
