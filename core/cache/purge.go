package cache

// purge is a removal under way of all entries that a function matches. From its start no lookup
// finds them; the memory is walked piece by piece, so that nobody waits for it.
type purge struct {
	match   func(key []byte) bool
	segment uint32
	off     uint32
}

func (p *purge) running() bool { return p.match != nil }

// Purge starts to remove all present entries whose key matches. None of them is found from now on;
// entries put later are. PurgeStep does the work. A purge that is still running ends: match has to
// cover what that was for.
//
// match must not use the store. It is called for each hit on an older entry while the purge runs.
func (s *Store) Purge(match func(key []byte) bool) {
	s.purge = purge{match: match}
	for i := range s.segs.table {
		s.segs.table[i].old = s.segs.table[i].used
	}
}

// Purging reports whether PurgeStep has work left.
func (s *Store) Purging() bool { return s.purge.running() }

// PurgeStep looks at the entries in about the given number of bytes of memory. It returns how many
// it removed, and whether the purge is through.
func (s *Store) PurgeStep(budget int) (removed int, done bool) {
	p := &s.purge
	for p.running() && budget > 0 {
		if int(p.segment) == len(s.segs.table) {
			*p = purge{}
			break
		}
		if p.off >= s.segs.table[p.segment].old {
			p.segment, p.off = p.segment+1, 0
			continue
		}
		off := int(p.segment)<<s.segs.shift + int(p.off)
		h := loadHeader(s.mem[off:])
		p.off += uint32(h.size())
		budget -= h.size()
		if !p.match(s.mem[off+entryHeader:][:h.keyLen()]) {
			continue
		}
		if at, ok := s.index.find(h.hash, uint32(off>>3)); ok {
			s.index.remove(at, false)
			removed++
		}
	}
	s.count.purged += uint64(removed)
	return removed, !p.running()
}

// purgeHit reports whether the running purge removes the entry at off.
func (s *Store) purgeHit(off int, key []byte) bool {
	n := off >> s.segs.shift
	if off-n<<s.segs.shift >= int(s.segs.table[n].old) || !s.purge.match(key) {
		return false
	}
	s.count.purged++
	return true
}
