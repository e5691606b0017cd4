package cache

const (
	// reserveSegments is how many segments reclaim keeps free: one for each queue to go on with, two
	// that cover heads of queues that are looked through in part.
	reserveSegments = 4

	// smallShare is the part of the bytes in both queues, one in so many, above which entries leave
	// from the small queue. S3-FIFO takes 10; less gains a little on Zipf traces and in floods and
	// loses a little where popularity shifts.
	smallShare = 16

	// reclaimWork bounds the entries that one Put looks at, besides one for each 64 bytes it adds.
	reclaimWork = 64
)

// reclaim removes about as many bytes as are about to be added, once free segments are few.
//
// Entries that have been hit are moved, and free nothing; when a Put has looked at reclaimWork entries
// the rest of its debt is left to the next one. Should the queues be full of such entries, so that the
// debt grows until segments run out, entries go no matter what hits they had.
func (s *Store) reclaim(size int, now uint32) {
	free := s.segs.free()
	if free >= reserveSegments {
		s.owed = 0
		return
	}
	s.owed += size
	mercy := free > 1
	limit := reclaimWork + size/64
	if !mercy {
		limit *= 8
	}
	for work := 0; s.owed > 0 && work < limit; work++ {
		q := &s.main
		if s.small.bytes*smallShare > s.small.bytes+s.main.bytes || s.main.bytes == 0 {
			q = &s.small
		}
		if !s.segs.shrink(q) {
			return
		}
		s.owed -= s.look(q, mercy, now)
	}
	s.segs.shrink(&s.small)
	s.segs.shrink(&s.main)
}

// look takes the oldest entry out of q. It returns the bytes that this freed.
func (s *Store) look(q *queue, mercy bool, now uint32) int {
	off := int(q.oldest)<<s.segs.shift + int(q.seen)
	h := loadHeader(s.mem[off:])
	size := h.size()
	q.seen += uint32(size)
	q.bytes -= size

	p, ok := s.index.find(h.hash, uint32(off>>3))
	switch {
	case !ok:
		return size // deleted, or replaced by a later entry
	case now >= h.expires:
		s.index.remove(p, false)
		s.count.expired++
		return size
	case s.purge.running() && s.purgeHit(off, s.mem[off+entryHeader:][:h.keyLen()]):
		s.index.remove(p, false)
		return size
	case h.frequency() == 0 || !mercy:
		s.index.remove(p, q == &s.small)
		if q == &s.small {
			s.count.evictedSmall++
		} else {
			s.count.evictedMain++
		}
		return size
	}

	to, ok := s.moveRoom(size)
	if !ok {
		s.index.remove(p, false)
		s.count.evictedMain++
		return size
	}
	// S3-FIFO: what comes from the small queue starts in the main queue without merits.
	if q == &s.small {
		h.use &= maxHits
		s.count.promoted++
	} else {
		h.use -= 1 << 16
		s.count.reinserted++
	}
	copy(s.mem[to:to+size], s.mem[off:off+size])
	h.store(s.mem[to:])
	s.index.move(p, h.hash, uint32(to>>3))
	return 0
}

// moveRoom reserves room in the main queue for an entry that stays.
func (s *Store) moveRoom(size int) (off int, ok bool) {
	if !s.segs.room(&s.main, size) {
		wasted, ok := s.segs.extend(&s.main)
		s.owed += wasted
		if !ok {
			return 0, false
		}
	}
	return s.segs.append(&s.main, size), true
}
