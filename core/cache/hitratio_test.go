package cache

import (
	"encoding/binary"
	"testing"

	"github.com/dgraph-io/ristretto/v2"
)

// contender is a cache with an eviction policy. size is of key and value in bytes; each contender adds
// what it needs besides, so that all of them have the same memory.
type contender interface {
	get(id uint64, now uint32) bool
	put(id uint64, size int, expires, now uint32)
	close()
}

// BenchmarkHitRatio replays each trace against each policy with the same memory and reports the share
// of the counted requests that hit. Memory for metadata counts: the reference implementations are charged
// what a packed implementation of them would need.
func BenchmarkHitRatio(b *testing.B) {
	contenders := []struct {
		name string
		make func() contender
	}{
		{"store", newStoreContender},
		{"s3fifo", newS3FIFO},
		{"sieve", newSieve},
		{"segcache", newSegcache},
		{"ristretto", func() contender { return newRistretto(ristrettoOverhead) }},
		{"ristretto-packed", func() contender { return newRistretto(listOverhead - 56) }}, // ristretto adds 56
		{"lru", newLRU},
	}
	for _, t := range traces() {
		for _, c := range contenders {
			b.Run(t.name+"/"+c.name, func(b *testing.B) {
				for b.Loop() {
					cache := c.make()
					ratio := replay(t, cache)
					cache.close()
					b.ReportMetric(100*ratio, "hit%")
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func replay(t trace, c contender) float64 {
	next := t.make()
	hits, counted := 0, 0
	for i := range traceRequests {
		r := next(i)
		hit := c.get(r.id, r.now)
		if !hit {
			c.put(r.id, payload(r.id), r.now+r.ttl, r.now)
		}
		if r.counted && i >= traceRequests/3 {
			counted++
			if hit {
				hits++
			}
		}
	}
	return float64(hits) / float64(counted)
}

// storeContender is the Store itself, with real entries.
type storeContender struct {
	store *Store
	key   [8]byte
	value [256]byte
}

func newStoreContender() contender {
	s, err := NewStore(StoreOptions{Memory: make([]byte, traceMemory)})
	if err != nil {
		panic(err)
	}
	return &storeContender{store: s}
}

func (c *storeContender) get(id uint64, now uint32) bool {
	binary.LittleEndian.PutUint64(c.key[:], id)
	_, ok := c.store.Get(scramble(id), c.key[:], now)
	return ok
}

func (c *storeContender) put(id uint64, size int, expires, now uint32) {
	binary.LittleEndian.PutUint64(c.key[:], id)
	c.store.Put(scramble(id), c.key[:], c.value[:size-len(c.key)], expires, now)
}

func (c *storeContender) close() {}

// ristrettoContender is the library, told of each entry's bytes and of overhead more: what it needs on the
// Go heap, or what its policy would need if it were packed like the others.
type ristrettoContender struct {
	cache    *ristretto.Cache[uint64, uint32]
	overhead int
}

func newRistretto(overhead int) contender {
	c, err := ristretto.NewCache(&ristretto.Config[uint64, uint32]{
		NumCounters: traceMemory / 13, // ten for each of about 30,000 entries
		MaxCost:     traceMemory,
		BufferItems: 64,
		KeyToHash:   func(id uint64) (uint64, uint64) { return scramble(id), 0 },
	})
	if err != nil {
		panic(err)
	}
	return ristrettoContender{c, overhead}
}

func (c ristrettoContender) get(id uint64, now uint32) bool {
	expires, ok := c.cache.Get(id)
	return ok && now < expires
}

func (c ristrettoContender) put(id uint64, size int, expires, now uint32) {
	c.cache.Set(id, expires, int64(size+c.overhead))
	c.cache.Wait()
}

func (c ristrettoContender) close() { c.cache.Close() }
