package cache

// segment is the bookkeeping of one piece of the store's memory. A piece is free, or belongs to a queue,
// or holds lines of the index.
type segment struct {
	used  uint32 // bytes appended
	old   uint32 // bytes of them that were there when the running purge began
	next  uint32 // the next younger in its queue, or the next in the free list
	birth uint32 // tells one use in a queue from the next; 0: it is in none
}

const noSegment = 1<<32 - 1

// queue is a log over segments: entries are appended at its youngest segment and looked at again, in
// the same order, at its oldest.
type queue struct {
	oldest, youngest uint32 // noSegment when empty
	seen             uint32 // bytes of the oldest segment that reclaim is through with
	bytes            int    // appended and not yet looked at again
}

// segments hands out equal pieces of the memory. It prefers pieces that were used before, and among
// the untouched the lowest: memory is touched no further than it has to be.
type segments struct {
	shift     uint // log2 of the piece size in bytes
	table     []segment
	released  uint32 // free list of pieces used before
	nreleased int
	untouched uint32 // pieces from here on were never used
	births    uint32 // pieces that were opened, modulo 2^32
}

func newSegments(size int, shift uint) segments {
	return segments{shift: shift, table: make([]segment, size>>shift), released: noSegment}
}

// size is that of one piece in bytes.
func (s *segments) size() int { return 1 << s.shift }

// free counts the pieces that take returns before it fails.
func (s *segments) free() int { return s.nreleased + len(s.table) - int(s.untouched) }

// take removes a piece from the free ones. It returns noSegment if there is none.
func (s *segments) take() uint32 {
	n := s.released
	switch {
	case n != noSegment:
		s.released = s.table[n].next
		s.nreleased--
	case int(s.untouched) < len(s.table):
		n = s.untouched
		s.untouched++
	default:
		return noSegment
	}
	s.table[n] = segment{next: noSegment}
	return n
}

// release returns a piece to the free ones.
func (s *segments) release(n uint32) {
	s.table[n] = segment{next: s.released}
	s.released = n
	s.nreleased++
}

// releaseAll makes every piece free again.
func (s *segments) releaseAll() {
	s.released, s.nreleased = noSegment, 0
	for n := s.untouched; n > 0; n-- { // so that the lowest is taken first
		s.release(n - 1)
	}
}

// extend opens a further segment at the young end of q. It returns the bytes that stay unused at the
// end of the one before, and false if no segment is free.
func (s *segments) extend(q *queue) (wasted int, ok bool) {
	n := s.take()
	if n == noSegment {
		return 0, false
	}
	s.open(n)
	if q.youngest == noSegment {
		q.oldest, q.seen = n, 0
	} else {
		s.table[q.youngest].next = n
		wasted = s.size() - int(s.table[q.youngest].used)
	}
	q.youngest = n
	return wasted, true
}

// open starts piece n of the memory, or starts it afresh, as an empty youngest segment.
func (s *segments) open(n uint32) {
	s.births++
	s.table[n] = segment{next: noSegment, birth: s.births}
}

// room reports whether the youngest segment of q takes size further bytes.
func (s *segments) room(q *queue, size int) bool {
	return q.youngest != noSegment && int(s.table[q.youngest].used)+size <= s.size()
}

// append reserves size bytes at the young end of q, which must have the room, and returns their offset
// in the memory.
func (s *segments) append(q *queue, size int) int {
	g := &s.table[q.youngest]
	off := int(q.youngest)<<s.shift + int(g.used)
	g.used += uint32(size)
	q.bytes += size
	return off
}

// shrink gives back segments at the old end of q that are looked through, and reports whether entries
// are left to look at.
func (s *segments) shrink(q *queue) bool {
	for q.oldest != noSegment && q.seen == s.table[q.oldest].used {
		n := q.oldest
		if n == q.youngest {
			// The one segment left is where entries go: it starts afresh.
			s.open(n)
			q.seen = 0
			return false
		}
		q.oldest, q.seen = s.table[n].next, 0
		s.release(n)
	}
	return q.oldest != noSegment
}
