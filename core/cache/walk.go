package cache

// Walk is a walk over the entries of a Store, step by step, while the store is used. The zero value is at the start.
//
// It goes through both queues from their old ends, the main queue first: what is worth most comes first. What the store moves
// meanwhile, it moves to the young end of the main queue, where the walk ends: of entries that stay it misses none, and may
// meet one twice.
type Walk struct {
	store  *Store // that it walks over, once it has begun
	main   cursor
	small  cursor
	part   walkPart
	walked int                // bytes
	passed func(piece []byte) // see Drain
}

type walkPart uint8

const (
	walkMain walkPart = iota
	walkSmall
	walkMoved // to the main queue meanwhile
	walkDone
)

// cursor is a place in a queue. It survives that the store takes its segment away.
type cursor struct {
	segment, birth uint32
	off            uint32 // in the segment
	begun          bool
}

// Drain returns a walk over a store that nobody uses any more. It calls passed with each piece of memory that it is through
// with, and which is not looked at again.
func Drain(passed func(piece []byte)) Walk { return Walk{passed: passed} }

// Walked returns how many bytes of entries the walk has seen.
func (w *Walk) Walked() int { return w.walked }

// Entry is one that a Walk meets. It is borrowed until the next change of the store.
type Entry struct {
	Key, Value []byte
	Expires    uint32
	Main       bool // it is in the main queue: it was asked for again
}

// Step goes on with a walk over about so many bytes of entries, and calls visit for each that Get would find, which must not
// use the store. done says that the walk is at its end: it is also when the store is another than at its beginning, and when it
// has seen twice as much as there is room for, as the store is changed faster than it walks.
func (s *Store) Step(w *Walk, budget int, now uint32, visit func(*Entry)) (done bool) {
	if w.store == nil {
		w.store = s
	}
	if w.store != s || w.walked > 2*len(s.mem) {
		w.part = walkDone
	}
	var e Entry
	for budget > 0 && w.part != walkDone {
		q, c := &s.main, &w.main
		if w.part == walkSmall {
			q, c = &s.small, &w.small
		}
		off, ok := s.next(q, c, w.passed)
		if !ok {
			w.part++
			continue
		}
		h := loadHeader(s.mem[off:])
		c.off += uint32(h.size())
		budget -= h.size()
		w.walked += h.size()
		if now >= h.expires {
			continue
		}
		p, ok := s.index.find(h.hash, uint32(off>>3))
		if !ok {
			continue // deleted, or replaced by a later entry
		}
		at := off + entryHeader + h.keyLen()
		e.Key = s.mem[off+entryHeader : at : at]
		if s.purge.running() && s.purgeHit(off, e.Key) {
			s.index.remove(p, false)
			continue
		}
		e.Value, e.Expires, e.Main = s.mem[at:at+h.valueLen():at+h.valueLen()], h.expires, q == &s.main
		visit(&e)
	}
	return w.part == walkDone
}

// next returns the offset of the entry that c has come to, false at the young end of the queue.
func (s *Store) next(q *queue, c *cursor, passed func([]byte)) (off int, ok bool) {
	if q.oldest == noSegment {
		return 0, false
	}
	if !c.begun || s.segs.table[c.segment].birth != c.birth {
		c.begun, c.segment, c.off = true, q.oldest, 0 // All that was older has gone.
	}
	if c.segment == q.oldest {
		c.off = max(c.off, q.seen)
	}
	for {
		g := &s.segs.table[c.segment]
		c.birth = g.birth
		start := int(c.segment) << s.segs.shift
		if c.off < g.used {
			return start + int(c.off), true
		}
		if c.segment == q.youngest {
			return 0, false
		}
		if passed != nil {
			passed(s.mem[start : start+s.segs.size()])
		}
		c.segment, c.off = g.next, 0
	}
}

// Restore stores an entry that another store had, or this one before, if it has room for it and nothing of that key: what is
// here is newer, and nothing makes room for what is old. main says that the entry was in the main queue. False: it was not
// taken; Spare tells whether others may be.
func (s *Store) Restore(hash uint64, key, value []byte, expires, now uint32, main bool) bool {
	if len(key) > maxKeyLen || len(value) > maxValueLen || entrySize(len(key), len(value)) > s.maxEntry || !s.Spare() {
		return false
	}
	if off, p, found := s.lookup(uint32(hash), key); found {
		if now < loadHeader(s.mem[off:]).expires {
			return false
		}
		s.index.remove(p, false)
	}
	q := &s.small
	if main {
		q = &s.main
	}
	return s.insert(q, header{hash: uint32(hash), expires: expires, lengths: lengths(len(key), len(value))}, key, value) == Stored
}

// Spare tells whether an entry can be added without another having to go.
func (s *Store) Spare() bool { return s.segs.free() > reserveSegments }
