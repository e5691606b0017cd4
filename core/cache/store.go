package cache

import (
	"bytes"
	"fmt"
	"math/bits"
)

// Store maps keys to values inside memory that the caller gives, and never uses more. It touches that
// memory no further than the entries and their index reach, so that a large store that holds little
// costs little. When it is full, each Put removes about as much as it adds.
//
// What goes is decided by S3-FIFO (SOSP '23): entries start in a small queue; those that are hit
// there move to the main queue, the others leave, so that names asked for once, a scan or a flood of
// random names pass through the small queue and leave the main queue alone. It had the best hit ratio
// of the policies compared in BenchmarkHitRatio, and both queues are logs: nothing is linked, and
// memory does not fragment.
//
// Times are seconds of any clock that does not run backwards. A Store is not safe for concurrent use;
// it is owned by one shard. It allocates only when it is made.
type Store struct {
	mem      []byte
	segs     segments
	index    index
	small    queue
	main     queue
	maxEntry int // bytes, header and padding included
	owed     int // bytes that reclaim still has to remove for what was added
	purge    purge
	count    counters
	touched  byte // keeps the loads of Prefetch alive
}

// StoreOptions say how to build a Store.
type StoreOptions struct {
	// Memory is all that the store will use but for a few KiB of bookkeeping, at least MinMemory and,
	// as it counts in units of 8 bytes, no more than MaxMemory: what is beyond stays untouched. The
	// store owns it from now on. It need not be zeroed.
	Memory []byte
	// MaxEntry limits key and value together, in bytes. Zero, and what is more, mean half a segment,
	// which is between 4 KiB and 512 KiB and about a thousandth of a large memory.
	MaxEntry int
}

const (
	// MinMemory is the least memory of a store in bytes.
	MinMemory = minSegments << minSegmentShift
	// MaxMemory is the most memory that a store uses in bytes.
	MaxMemory = 32 << 30

	minSegments     = 16
	minSegmentShift = 13 // 8 KiB
	maxSegmentShift = 20 // 1 MiB
	manySegments    = 512
)

// NewStore builds an empty store. It fails only if there is too little memory.
func NewStore(o StoreOptions) (*Store, error) {
	if len(o.Memory) < MinMemory {
		return nil, fmt.Errorf("build cache store: %d bytes of memory, need at least %d", len(o.Memory), MinMemory)
	}
	mem := o.Memory[:min(len(o.Memory), MaxMemory)]
	// Small segments waste little at the ends of the queues; large ones need less bookkeeping.
	shift := uint(minSegmentShift)
	for shift < maxSegmentShift && len(mem)>>(shift+1) >= manySegments {
		shift++
	}
	// A memory of few segments still takes entries of some KiB, such as signed answers.
	for shift < 14 && len(mem)>>(shift+1) >= 4*minSegments {
		shift++
	}
	s := &Store{mem: mem, segs: newSegments(len(mem), shift)}
	s.maxEntry = s.segs.size() / 2
	if o.MaxEntry > 0 {
		s.maxEntry = min(s.maxEntry, entrySize(o.MaxEntry, 0))
	}
	s.index = newIndex(mem, &s.segs)
	s.Clear()
	return s, nil
}

// Clear removes all entries. Its cost depends on the number of segments, not of entries.
func (s *Store) Clear() {
	s.segs.releaseAll()
	s.small = queue{oldest: noSegment, youngest: noSegment}
	s.main = s.small
	s.owed = 0
	s.purge = purge{}
	s.index.reset()
}

// Item is what Get finds.
type Item struct {
	// Value lies in the store's memory and is valid until the next Put, Delete, Purge or Clear. Its
	// octets may be changed in place.
	Value   []byte
	Expires uint32 // second from which Get does not return it
	Hits    uint32 // since it was put, this one included; stops at 65535
}

// Prefetch loads the line of the index that Get(hash, ...) will read first. Calls for several hashes
// before the first Get overlap their cache misses.
func (s *Store) Prefetch(hash uint64) {
	s.touched = s.index.at(s.index.bucket(uint32(hash)))[0]
}

// PrefetchEntry loads the first lines of the entry that Get(hash, ...) will probably read. It reads
// the line that Prefetch loads.
func (s *Store) PrefetchEntry(hash uint64) {
	l := s.index.at(s.index.bucket(uint32(hash)))
	m := l.match(uint32(hash))
	if m == 0 {
		return
	}
	off := int(slotLocation(l.slot(bits.TrailingZeros32(m)))) << 3
	s.touched = s.mem[off]
	if off+lineSize < len(s.mem) {
		s.touched = s.mem[off+lineSize]
	}
}

// Get finds the entry of a key and counts the hit. An entry that has expired is not found.
func (s *Store) Get(hash uint64, key []byte, now uint32) (Item, bool) {
	off, _, ok := s.lookup(uint32(hash), key)
	if !ok {
		s.count.misses++
		return Item{}, false
	}
	e := s.mem[off:]
	h := loadHeader(e)
	if now >= h.expires {
		// It stays where it is: most likely a new value for the key comes soon and goes into its place.
		s.count.misses++
		return Item{}, false
	}
	h.use = used(h.use)
	storeUse(e, h.use)
	s.count.hits++
	at := off + entryHeader + len(key)
	end := at + h.valueLen()
	return Item{Value: s.mem[at:end:end], Expires: h.expires, Hits: h.hits()}, true
}

// Peek is Get without counting anything.
func (s *Store) Peek(hash uint64, key []byte, now uint32) (Item, bool) {
	off, _, ok := s.lookup(uint32(hash), key)
	if !ok {
		return Item{}, false
	}
	h := loadHeader(s.mem[off:])
	at := off + entryHeader + len(key)
	end := at + h.valueLen()
	return Item{Value: s.mem[at:end:end], Expires: h.expires, Hits: h.hits()}, now < h.expires
}

// lookup finds the offset of the entry of a key, and its place in the index.
func (s *Store) lookup(hash uint32, key []byte) (off int, p place, ok bool) {
	first := s.index.bucket(hash)
	for n := first; ; {
		l := s.index.at(n)
		for m := l.match(hash); m != 0; m &= m - 1 {
			i := bits.TrailingZeros32(m)
			loc := slotLocation(l.slot(i))
			if loc <= ghostLocation {
				continue
			}
			off := int(loc) << 3
			e := s.mem[off:]
			if h := loadHeader(e); h.keyLen() == len(key) && bytes.Equal(e[entryHeader:][:len(key)], key) {
				p := place{first, n, i}
				if s.purge.running() && s.purgeHit(off, key) {
					s.index.remove(p, false)
					return 0, place{}, false
				}
				return off, p, true
			}
		}
		if n = l.next(); n == 0 {
			return 0, place{}, false
		}
	}
}

// PutResult says what became of an entry.
type PutResult uint8

// What Put and Answers.Put return.
const (
	Stored      PutResult = iota
	TooLarge              // larger than MaxEntry
	Uncacheable           // of no use to a later query, or malformed
	Kept                  // a failure did not replace an answer that can be served stale
	NoRoom                // no segment is free; only when entries are large and the memory is small
)

// Put stores a value for a key until the second expires, in place of what it had. Key and value are
// copied. The work it does to make room is bounded by the size of the entry.
func (s *Store) Put(hash uint64, key, value []byte, expires, now uint32) PutResult {
	if len(key) > maxKeyLen || len(value) > maxValueLen {
		return TooLarge
	}
	size := entrySize(len(key), len(value))
	if size > s.maxEntry {
		return TooLarge
	}
	s.reclaim(size, now)

	h := header{hash: uint32(hash), expires: expires, lengths: lengths(len(key), len(value))}
	q := &s.small
	off, p, found := s.lookup(h.hash, key)
	if found {
		old := loadHeader(s.mem[off:])
		h.use = old.frequency() << 16
		if old.size() == size && !s.purge.running() {
			s.write(off, &h, key, value)
			s.count.updates++
			return Stored
		}
		if old.frequency() > 0 {
			q = &s.main
		}
	} else if s.index.exorcise(h.hash) {
		q = &s.main
		s.count.ghostHits++
	}
	if !found {
		return s.insert(q, h, key, value)
	}
	off, ok := s.append(q, size)
	if !ok {
		s.count.noRoom++
		return NoRoom
	}
	s.write(off, &h, key, value)
	s.index.move(p, h.hash, uint32(off>>3))
	s.count.updates++
	return Stored
}

// insert appends an entry to q, whose key the store has not.
func (s *Store) insert(q *queue, h header, key, value []byte) PutResult {
	off, ok := s.append(q, h.size())
	if !ok {
		s.count.noRoom++
		return NoRoom
	}
	s.write(off, &h, key, value)
	if !s.index.insert(h.hash, uint32(off>>3)) {
		s.count.crowded++
	}
	s.index.grow()
	s.count.inserts++
	return Stored
}

// append reserves room for an entry in q or, if there is none, in the other queue.
func (s *Store) append(q *queue, size int) (off int, ok bool) {
	if !s.segs.room(q, size) {
		wasted, ok := s.segs.extend(q)
		s.owed += wasted
		if !ok {
			if q == &s.small {
				q = &s.main
			} else {
				q = &s.small
			}
			if !s.segs.room(q, size) {
				return 0, false
			}
		}
	}
	return s.segs.append(q, size), true
}

// write fills the room of an entry.
func (s *Store) write(off int, h *header, key, value []byte) {
	e := s.mem[off:]
	h.store(e)
	n := entryHeader + copy(e[entryHeader:], key)
	copy(e[n:], value)
}

// Delete removes the entry of a key and reports whether there was one, expired or not.
func (s *Store) Delete(hash uint64, key []byte) bool {
	_, p, ok := s.lookup(uint32(hash), key)
	if ok {
		s.index.remove(p, false)
		s.count.deleted++
	}
	return ok
}
