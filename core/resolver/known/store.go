// Package known is the store of what a resolver has learned: RRsets with their rank of trust, and what zones say of the
// servers of others. Two kinds of entries never mix, so that nothing a server said beside the point can become an answer.
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
	Delegation Kind = 'd' // of a zone: the parent's NS names and glue, good for finding servers and nothing else
	Own        Kind = 'o' // likewise those of the zone itself, for when the parent's lead nowhere
	RRset      Kind = 'r' // what a server answered for a zone that it was asked as a server of
	Referral   Kind = 'p' // DS records of a referral or their denial, good for nothing but the chain of trust
)

// Bounds of what is kept, in seconds.
const (
	MaxDelegationTTL = 86400 // parents publish two days for what may move in hours
	MaxRRsetTTL      = 86400
	MaxNegativeTTL   = 3600
)

// Store keeps entries inside memory that it is given. The zero value has none: it keeps and finds nothing. What it returns
// is borrowed until the next change. Times are seconds. Not safe for concurrent use; owned by one shard.
type Store struct {
	store  *cache.Store
	seed   uint64
	key    []byte
	value  []byte
	purges []func(Kind, dname.Name) bool
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

// Stats returns those of the memory. The store Keeps.
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

// Get finds an entry. name is in lower case, as everywhere here.
func (s *Store) Get(kind Kind, name dname.Name, t wire.Type, c wire.Class, now uint32) ([]byte, bool) {
	if s.store == nil {
		return nil, false
	}
	item, ok := s.store.Get(s.makeKey(kind, name, t, c), s.key, now)
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
