package cache

// counters count events of a store since it was made.
type counters struct {
	hits, misses              uint64
	inserts, updates          uint64
	ghostHits                 uint64
	promoted, reinserted      uint64
	evictedSmall, evictedMain uint64
	expired, deleted, purged  uint64
	crowded, noRoom           uint64
}

// StoreStats is a snapshot of a store. Bytes are bytes of the memory given.
type StoreStats struct {
	Entries  int // that the index knows, expired ones included
	Bytes    int // of entries in the queues, dead ones included
	Touched  int // that were ever written to, in whole segments
	Capacity int

	SmallBytes, MainBytes int
	Buckets               int
	IndexBytes            int
	OverflowLines         int

	Hits, Misses     uint64 // of Get
	Inserts, Updates uint64 // of Put: new keys, known keys
	GhostHits        uint64 // inserts of keys that were evicted from the small queue lately
	Promoted         uint64 // moves from the small queue to the main queue
	Reinserted       uint64 // moves within the main queue

	EvictedSmall uint64 // never hit in the small queue
	EvictedMain  uint64 // not hit lately in the main queue
	EvictedIndex uint64 // gave way in a full bucket
	Expired      uint64 // found expired when their turn to leave came
	Deleted      uint64
	Purged       uint64
	NoRoom       uint64 // refused: no segment was free
}

// counters returns s without what it says of the present.
func (s StoreStats) counters() StoreStats {
	s.Entries, s.Bytes, s.Touched, s.Capacity = 0, 0, 0, 0
	s.SmallBytes, s.MainBytes, s.Buckets, s.IndexBytes, s.OverflowLines = 0, 0, 0, 0, 0
	return s
}

// add takes over what o says of the present, and adds its counters.
func (s *StoreStats) add(o StoreStats) {
	sum := o
	for _, c := range [...]struct {
		to   *uint64
		past uint64
	}{
		{&sum.Hits, s.Hits}, {&sum.Misses, s.Misses}, {&sum.Inserts, s.Inserts}, {&sum.Updates, s.Updates},
		{&sum.GhostHits, s.GhostHits}, {&sum.Promoted, s.Promoted}, {&sum.Reinserted, s.Reinserted},
		{&sum.EvictedSmall, s.EvictedSmall}, {&sum.EvictedMain, s.EvictedMain}, {&sum.EvictedIndex, s.EvictedIndex},
		{&sum.Expired, s.Expired}, {&sum.Deleted, s.Deleted}, {&sum.Purged, s.Purged}, {&sum.NoRoom, s.NoRoom},
	} {
		*c.to += c.past
	}
	*s = sum
}

// Stats returns a snapshot.
func (s *Store) Stats() StoreStats {
	c := &s.count
	return StoreStats{
		Entries:       int(s.index.entries),
		Bytes:         s.small.bytes + s.main.bytes,
		Touched:       int(s.segs.untouched) << s.segs.shift,
		Capacity:      len(s.segs.table) << s.segs.shift,
		SmallBytes:    s.small.bytes,
		MainBytes:     s.main.bytes,
		Buckets:       int(s.index.buckets),
		IndexBytes:    s.index.taken << s.segs.shift,
		OverflowLines: s.index.overflow,
		Hits:          c.hits,
		Misses:        c.misses,
		Inserts:       c.inserts,
		Updates:       c.updates,
		GhostHits:     c.ghostHits,
		Promoted:      c.promoted,
		Reinserted:    c.reinserted,
		EvictedSmall:  c.evictedSmall,
		EvictedMain:   c.evictedMain,
		EvictedIndex:  c.crowded,
		Expired:       c.expired,
		Deleted:       c.deleted,
		Purged:        c.purged,
		NoRoom:        c.noRoom,
	}
}
