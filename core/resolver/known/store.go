// Package known is the store of what a resolver has learned: RRsets with their rank of trust, and the servers of zones as
// their parents and they themselves name them. Entries of one kind are never found as another, so that nothing a server has
// said beside the point becomes an answer.
package known

import (
	"encoding/binary"

	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Kind tells entries apart that stand under the same name.
type Kind byte

const (
	Delegation Kind = 'd' // the servers of a zone and their glue, as its parent names them: only to find servers
	Own        Kind = 'o' // likewise, as the zone itself names them: for when those of the parent lead nowhere
	RRset      Kind = 'r' // what a server has answered for a zone that it serves
	Referral   Kind = 'p' // DS records of a referral, or their denial: only for the chain of trust
)

// Bounds of what is kept, in seconds.
const (
	MaxDelegationTTL = 86400 // parents publish two days for what may move in hours
	MaxRRsetTTL      = 86400
	MaxNegativeTTL   = 3600
)

// Store keeps entries inside memory that it is given. The zero value has no memory: it keeps and finds nothing. Names are in
// lower case. What it returns is borrowed until the next change. Times are seconds. Not safe for concurrent use; owned by one shard.
type Store struct {
	store  *cache.Store
	seed   uint64
	key    []byte
	value  []byte
	purges []func(Kind, dname.Name) bool
	quiet  bool // see Quiet
}

// New makes a store. seed is random and secret. If there is less memory than cache.MinMemory, it keeps nothing.
func New(memory []byte, seed uint64) Store {
	store, err := cache.NewStore(cache.StoreOptions{Memory: memory})
	if err != nil {
		store = nil
	}
	return Store{store: store, seed: seed}
}

// Keeps says whether the store has memory.
func (s *Store) Keeps() bool { return s.store != nil }

// Stats returns the counters of the memory. There is some.
func (s *Store) Stats() cache.StoreStats { return s.store.Stats() }

// Layout of a key: 0 kind, 1 type (2 octets), 3 class (2 octets), 5 name.
const keyHeader = 5

func (s *Store) makeKey(kind Kind, name dname.Name, t wire.Type, c wire.Class) uint64 {
	s.key = append(s.key[:0], byte(kind))
	s.key = binary.BigEndian.AppendUint16(s.key, uint16(t))
	s.key = binary.BigEndian.AppendUint16(s.key, uint16(c))
	s.key = append(s.key, name...)
	return dname.Mix(dname.Hash(s.seed, name) ^ dname.Mix(uint64(kind)<<32|uint64(t)<<16|uint64(c)))
}

// Quiet sets whether what finds entries only looks: it counts no hit and no miss, and an entry's standing stays what it is.
func (s *Store) Quiet(on bool) { s.quiet = on }

// Get finds an entry.
func (s *Store) Get(kind Kind, name dname.Name, t wire.Type, c wire.Class, now uint32) ([]byte, bool) {
	if s.store == nil {
		return nil, false
	}
	hash := s.makeKey(kind, name, t, c)
	if s.quiet {
		item, ok := s.store.Peek(hash, s.key, now)
		return item.Value, ok
	}
	item, ok := s.store.Get(hash, s.key, now)
	return item.Value, ok
}

// Put keeps an entry for ttl seconds, instead of the one that is there.
func (s *Store) Put(kind Kind, name dname.Name, t wire.Type, c wire.Class, value []byte, ttl, now uint32) {
	if s.store != nil {
		s.store.Put(s.makeKey(kind, name, t, c), s.key, value, now+ttl, now)
	}
}

// Forget removes an entry.
func (s *Store) Forget(kind Kind, name dname.Name, t wire.Type, c wire.Class) {
	if s.store != nil {
		s.store.Delete(s.makeKey(kind, name, t, c), s.key)
	}
}

// Clear forgets all.
func (s *Store) Clear() {
	if s.store != nil {
		s.store.Clear()
	}
}
