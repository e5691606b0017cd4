package cache

import (
	"errors"
	"fmt"
	"math"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Answers is the answer cache of one shard: whole responses in wire form, from which a hit makes a reply
// by a copy and a few patches.
//
// Times are seconds of any clock that does not run backwards. Not safe for concurrent use. With the
// segment engine nothing allocates but the methods for administration (Flush, Inspect).
type Answers struct {
	seed   uint64
	limits limits

	store *Store     // one of the two engines is nil
	heap  *tinyLFU   //
	past  StoreStats // counters of engines before this one

	rules []flushRule
	gens  generations
	freed uint32 // stale entries that are held up to this second may be refreshed; see Changed

	value []byte // of the entry being put
	key   []byte // of the entry being looked up or put

	count answerCounters
}

// Engine says what keeps the entries.
type Engine uint8

// The engines of cache.engine.
const (
	EngineSegment   Engine = iota // Store
	EngineRistretto               // github.com/dgraph-io/ristretto/v2, on the Go heap
)

// AnswersOptions say how to build an answer cache.
type AnswersOptions struct {
	Engine Engine
	// Memory is for EngineSegment; see StoreOptions.
	Memory []byte
	// MemoryLimit is for EngineRistretto: bytes of heap. 0: as many as Memory has, which stays untouched.
	MemoryLimit int
	// Seed is random and secret, so that nobody can choose names whose hashes collide.
	Seed uint64

	MinTTL         uint32 // seconds; shorter TTLs are raised to it, but for what has been validated. 0: answers with TTL 0 are not kept
	MaxTTL         uint32 // seconds; longer TTLs are cut to it. 0: DefaultMaxTTL
	MaxNegativeTTL uint32 // seconds; the same for negative answers. 0: DefaultMaxNegativeTTL
	StaleTTL       uint32 // seconds that an answer is kept beyond its TTL (RFC 8767). 0: it is not
	MaxEntry       int    // bytes that an entry may take; larger answers are not kept. 0: DefaultMaxEntry
}

const (
	// DefaultMaxTTL is the most seconds for which an answer is believed. RFC 8767, section 4, suggests
	// a cap of days to weeks; a day bounds how long a mistake in a zone stays with us.
	DefaultMaxTTL = 86400
	// DefaultMaxNegativeTTL is the most seconds for which a negative answer is believed: RFC 2308,
	// section 5, has found one to three hours to work well.
	DefaultMaxNegativeTTL = 3600
	// DefaultMaxEntry is the most bytes of an entry: a signed answer over TCP fits, a zone's worth of
	// addresses does not. It is also limited by the memory; see StoreOptions.
	DefaultMaxEntry = 16 << 10

	// maxFailureTTL is the most seconds for which a failure is cached (RFC 9520, section 3.2).
	maxFailureTTL = 300
)

// limits are the part of the options that SetLimits changes.
type limits struct {
	minTTL, maxTTL, maxNegativeTTL, staleTTL uint32
	maxEntry                                 int
}

// NewAnswers builds an empty answer cache. It fails if there is too little memory.
func NewAnswers(o AnswersOptions) (*Answers, error) {
	a := &Answers{seed: o.Seed, key: make([]byte, 0, maxAnswerKey)}
	a.SetLimits(o)
	var err error
	if a.store, a.heap, err = newEngine(o); err != nil {
		return nil, fmt.Errorf("build answer cache: %w", err)
	}
	return a, nil
}

// newEngine makes one of the two.
func newEngine(o AnswersOptions) (store *Store, heap *tinyLFU, err error) {
	switch o.Engine {
	case EngineSegment:
		store, err = NewStore(StoreOptions{Memory: o.Memory})
	case EngineRistretto:
		limit := o.MemoryLimit
		if limit == 0 {
			limit = len(o.Memory)
		}
		heap, err = newTinyLFU(limit)
	default:
		err = errors.New("unknown engine")
	}
	return store, heap, err
}

// SetMemory gives the cache other memory, more or less of it, as AnswersOptions.Memory is. The cache is empty then; its limits and
// its counters stay, and Hash returns what it did. The memory before is not used any more. On an error nothing
// has changed.
func (a *Answers) SetMemory(mem []byte) error {
	o := AnswersOptions{Memory: mem}
	if a.heap != nil {
		o.Engine = EngineRistretto
	}
	store, heap, err := newEngine(o)
	if err != nil {
		return fmt.Errorf("give the answer cache other memory: %w", err)
	}
	a.past = a.engineStats().counters()
	a.Close()
	a.store, a.heap, a.rules = store, heap, a.rules[:0]
	return nil
}

// SetLimits takes over the TTLs and MaxEntry of o. Entries that are there keep the TTLs they got.
func (a *Answers) SetLimits(o AnswersOptions) {
	or := func(v, instead uint32) uint32 {
		if v == 0 {
			return instead
		}
		return v
	}
	l := limits{
		maxTTL:         min(or(o.MaxTTL, DefaultMaxTTL), math.MaxInt32),
		maxNegativeTTL: min(or(o.MaxNegativeTTL, DefaultMaxNegativeTTL), math.MaxInt32),
		staleTTL:       min(o.StaleTTL, math.MaxInt32),
		maxEntry:       o.MaxEntry,
	}
	l.minTTL = min(o.MinTTL, l.maxTTL)
	if l.maxEntry <= 0 {
		l.maxEntry = DefaultMaxEntry
	}
	a.limits = l
	if cap(a.value) < l.maxEntry {
		a.value = make([]byte, 0, l.maxEntry)
	}
}

// Close ends the goroutines of the ristretto engine.
func (a *Answers) Close() {
	if a.heap != nil {
		a.heap.close()
	}
}

// Key says what was asked, as far as it decides the answer.
type Key struct {
	Name   dname.Name // in any letter case; borrowed during the call
	Type   wire.Type
	Class  wire.Class
	DO, CD bool
	View   uint8
}

// A key in an engine: the view, DO and CD, type and class, the name in lower case.
const (
	nameInKey    = 6
	maxAnswerKey = nameInKey + dname.MaxLen
)

// bits packs all but the name.
func (k *Key) bits() uint64 {
	b := uint64(k.View)<<40 | uint64(k.Type)<<16 | uint64(k.Class)
	if k.DO {
		b |= 1 << 32
	}
	if k.CD {
		b |= 1 << 33
	}
	return b
}

// pack writes the key's form in the engine into the scratch buffer.
func (a *Answers) pack(k *Key) []byte {
	b := k.bits()
	key := append(a.key[:0], byte(b>>40), byte(b>>32), byte(b>>24), byte(b>>16), byte(b>>8), byte(b))
	a.key = dname.AppendLower(key, k.Name)
	return a.key
}

// Hash returns the hash that the other methods want with the key.
func (a *Answers) Hash(k *Key) uint64 {
	return dname.Hash(a.seed^k.bits()*0x9E3779B97F4A7C15, k.Name)
}

// Prefetch loads the index line for a hash: the first stage of a batch, one call for each query
// before the first Lookup.
func (a *Answers) Prefetch(hash uint64) {
	if a.store != nil {
		a.store.Prefetch(hash)
	}
}

// PrefetchEntry loads the start of the entry for a hash: the second stage of a batch.
func (a *Answers) PrefetchEntry(hash uint64) {
	if a.store != nil {
		a.store.PrefetchEntry(hash)
	}
}

// get asks the engine and counts the hit.
func (a *Answers) get(hash uint64, key []byte, now uint32) (Item, bool) {
	if a.store != nil {
		return a.store.Get(hash, key, now)
	}
	return a.heap.get(hash, key, now)
}

// peek asks the engine without counting.
func (a *Answers) peek(hash uint64, key []byte, now uint32) (item Item, ok bool) {
	if a.store != nil {
		item, ok = a.store.Peek(hash, key, now)
	} else {
		item, ok = a.heap.peek(hash, key, now)
	}
	return item, ok && !a.outdated(item.Value)
}

// Remove forgets the answer for a key, whose Hash it is given: what has come instead cannot be kept.
func (a *Answers) Remove(hash uint64, k *Key) {
	if a.store != nil {
		a.store.Delete(hash, a.pack(k))
		return
	}
	a.heap.remove(hash, a.pack(k))
}

// put gives an entry to the engine.
func (a *Answers) put(hash uint64, key, value []byte, expires, now uint32) PutResult {
	if a.store != nil {
		return a.store.Put(hash, key, value, expires, now)
	}
	return a.heap.put(hash, key, value, expires)
}
