package cache

import "heimdall/core/wire"

// Info describes one entry to an operator.
type Info struct {
	State State
	Hit          // what Lookup would return; valid until the next Put or Flush
	Age   uint32 // seconds since it was put
	Bytes int    // that the entry takes, index excepted
	// Message is the response with aged TTLs, ID 0 and the question in the key's letter case. It is a copy.
	Message []byte
}

// Inspect describes the entry of a key without counting a hit. It allocates.
func (a *Answers) Inspect(k *Key, nowSec uint32) (Info, bool) {
	key := a.pack(k)
	entry, ok := a.peek(a.Hash(k), key, nowSec)
	if !ok {
		return Info{}, false
	}
	i := Info{State: Stale, Bytes: entrySize(len(key), len(entry.Value))}
	a.read(&i.Hit, entry, nowSec)
	i.Age = i.age
	if i.TTL > 0 {
		i.State = Fresh
	}
	query := wire.AppendQuery(nil, 0, 0, k.Name, k.Type, k.Class)
	q := wire.Query{Msg: query, End: len(query), DO: true}
	flags := wire.FlagQR
	if i.AA {
		flags |= wire.FlagAA
	}
	i.Message = a.AppendReply(nil, &i.Hit, &q, flags, 0)
	return i, true
}

// answerCounters count events since the cache was made.
type answerCounters struct {
	fresh, stale, misses uint64
	results              [NoRoom + 1]uint64
}

// Stats is a snapshot of an answer cache.
type Stats struct {
	Fresh, Stale, Misses uint64 // by what Lookup returned

	// By what Put returned.
	Stored, TooLarge, Uncacheable, Kept, NoRoom uint64

	Store StoreStats // of the engine; ristretto fills in part of it
}

// Stats returns a snapshot.
func (a *Answers) Stats() Stats {
	s := Stats{
		Fresh:       a.count.fresh,
		Stale:       a.count.stale,
		Misses:      a.count.misses,
		Stored:      a.count.results[Stored],
		TooLarge:    a.count.results[TooLarge],
		Uncacheable: a.count.results[Uncacheable],
		Kept:        a.count.results[Kept],
		NoRoom:      a.count.results[NoRoom],
	}
	s.Store = a.engineStats()
	return s
}

// engineStats are those of the engine, with the counters of the engines before it.
func (a *Answers) engineStats() StoreStats {
	s := a.past
	if a.store != nil {
		s.add(a.store.Stats())
	} else {
		s.add(a.heap.stats())
	}
	return s
}
