package cache

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/dgraph-io/ristretto/v2"
)

// tinyLFU is the engine on the Go heap: ristretto under the operations of Store that Answers needs.
//
// Ristretto takes new entries in a goroutine of its own, and may refuse them: a get right after a put may find
// nothing, and finds the new value or none, never an older one. The expiry is checked here, against the
// caller's clock. Its methods are called by one goroutine; ristretto's goroutines do not look into items.
type tinyLFU struct {
	cache *ristretto.Cache[uint64, *item]
	limit int
	puts  uint64 // numbers the entries

	// match and flushed say which entries are as good as gone: those up to number flushed that match,
	// and all up to number cleared.
	match   func(key []byte) bool
	flushed uint64
	cleared uint64

	count counters // of the owner
	// Of ristretto's goroutine; the zero Values count from 0.
	left, evicted, rejected atomic.Uint64
}

// item is an entry.
type item struct {
	data    []byte // key, then value
	keyLen  int
	number  uint64
	expires uint32
	hits    uint32
}

const (
	// ristrettoOverhead is what an entry takes besides key and value, in bytes, on top of the 56 that
	// ristretto adds itself: the item, rounding in the allocator, slots of two hash tables with their
	// slack, and ten counters of 3 bytes. TestRistrettoMemory measures it.
	ristrettoOverhead = 240

	// typicalEntry is the entry size in bytes by which ristretto's counters are sized: ten for each
	// entry, as its documentation advises.
	typicalEntry = 340
)

func newTinyLFU(limit int) (*tinyLFU, error) {
	if limit < MinMemory {
		return nil, fmt.Errorf("start ristretto: memory limit of %d bytes, need at least %d", limit, MinMemory)
	}
	c := &tinyLFU{limit: limit}
	var err error
	// Ristretto's own metrics would cost more memory than the counters here, and time.
	c.cache, err = ristretto.NewCache(&ristretto.Config[uint64, *item]{
		NumCounters: int64(limit/typicalEntry) * 10,
		MaxCost:     int64(limit),
		BufferItems: 64,
		KeyToHash:   func(hash uint64) (uint64, uint64) { return hash, 0 },
		OnEvict:     func(*ristretto.Item[*item]) { c.evicted.Add(1) },
		OnReject:    func(*ristretto.Item[*item]) { c.rejected.Add(1) },
		OnExit:      func(*item) { c.left.Add(1) },
	})
	if err != nil {
		return nil, errors.Join(errors.New("start ristretto"), err)
	}
	return c, nil
}

func (c *tinyLFU) close() { c.cache.Close() }

// get finds an entry and counts the hit.
func (c *tinyLFU) get(hash uint64, key []byte, now uint32) (Item, bool) {
	i, ok := c.cache.Get(hash)
	if !ok || now >= i.expires || !c.holds(i, key) {
		c.count.misses++
		return Item{}, false
	}
	c.count.hits++
	i.hits = min(i.hits+1, maxHits)
	return i.item(), true
}

// peek is get without counting here; ristretto counts all the same.
func (c *tinyLFU) peek(hash uint64, key []byte, now uint32) (Item, bool) {
	i, ok := c.cache.Get(hash)
	if !ok || !c.holds(i, key) {
		return Item{}, false
	}
	return i.item(), now < i.expires
}

// holds reports whether i is the entry of a key and not flushed.
func (c *tinyLFU) holds(i *item, key []byte) bool {
	return i.keyLen == len(key) && bytes.Equal(i.data[:i.keyLen], key) && i.number > c.cleared &&
		(i.number > c.flushed || c.match == nil || !c.match(key))
}

func (i *item) item() Item {
	return Item{Value: i.data[i.keyLen:], Expires: i.expires, Hits: i.hits}
}

// put stores an entry. It allocates it.
func (c *tinyLFU) put(hash uint64, key, value []byte, expires uint32) PutResult {
	c.puts++
	i := &item{data: make([]byte, 0, len(key)+len(value)), keyLen: len(key), number: c.puts, expires: expires}
	i.data = append(append(i.data, key...), value...)
	if !c.cache.Set(hash, i, int64(len(i.data)+ristrettoOverhead)) {
		c.count.noRoom++
		return NoRoom
	}
	c.count.inserts++
	return Stored
}

// remove makes an entry unfindable.
func (c *tinyLFU) remove(hash uint64, key []byte) {
	if i, ok := c.cache.Get(hash); ok && c.holds(i, key) {
		i.number = 0
	}
}

// purge makes all present entries that match unfindable.
func (c *tinyLFU) purge(match func(key []byte) bool) { c.match, c.flushed = match, c.puts }

// clear makes all present entries unfindable. They leave as others come.
func (c *tinyLFU) clear() { c.cleared, c.match = c.puts, nil }

// stats fills in what is known. Entries include those that ristretto has not decided on yet.
func (c *tinyLFU) stats() StoreStats {
	return StoreStats{
		Entries:     int(c.count.inserts - c.left.Load()),
		Bytes:       c.limit - int(c.cache.RemainingCost()),
		Capacity:    c.limit,
		Hits:        c.count.hits,
		Misses:      c.count.misses,
		Inserts:     c.count.inserts,
		EvictedMain: c.evicted.Load(),
		NoRoom:      c.count.noRoom + c.rejected.Load(),
	}
}
