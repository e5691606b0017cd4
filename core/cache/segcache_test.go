package cache

import (
	"math/bits"
	"sort"
)

// segcache is Segcache (NSDI '21): segments in chains by TTL, so that whole segments expire together, and
// merge eviction: four consecutive segments of a chain become one that holds what was hit most for its
// size.
type segcache struct {
	table  map[uint64]*object
	chains [32][]*ttlSegment // by log2 of the TTL, oldest segment first
	count  int
	turn   int
}

type ttlSegment struct {
	objects []*object
	used    int
	expires uint32 // the latest of its objects
}

const (
	ttlSegmentSize   = 32 << 10 // bytes
	mergedSegments   = 4
	segcacheOverhead = 8 + 14 // item header and hash table slot, bytes; TTL and time stand in the segment
)

func newSegcache() contender { return &segcache{table: map[uint64]*object{}} }

func (c *segcache) get(id uint64, now uint32) bool {
	o := c.table[id]
	if o == nil || now >= o.expires {
		return false
	}
	o.hits = min(o.hits+1, 127)
	return true
}

func (c *segcache) put(id uint64, size int, expires, now uint32) {
	o := &object{id: id, size: size + segcacheOverhead, expires: expires}
	if old := c.table[id]; old != nil {
		o.hits = old.hits
	}
	chain := &c.chains[bits.Len32(expires-now)%32]
	if n := len(*chain); n == 0 || (*chain)[n-1].used+o.size > ttlSegmentSize {
		for c.count >= traceMemory/ttlSegmentSize {
			c.evict(now)
		}
		*chain = append(*chain, &ttlSegment{})
		c.count++
	}
	(*chain)[len(*chain)-1].add(o)
	c.table[id] = o
}

func (s *ttlSegment) add(o *object) {
	s.objects = append(s.objects, o)
	s.used += o.size
	s.expires = max(s.expires, o.expires)
}

// evict removes expired segments, else merges in the next chain that is long enough, else drops the
// oldest segment of the longest chain.
func (c *segcache) evict(now uint32) {
	before, longest := c.count, 0
	for i := range c.chains {
		for len(c.chains[i]) > 1 && c.chains[i][0].expires <= now {
			c.keep(i, 1, 0, now)
		}
		if len(c.chains[i]) > len(c.chains[longest]) {
			longest = i
		}
	}
	for range c.chains {
		if c.count < before {
			return
		}
		i := c.turn % len(c.chains)
		c.turn++
		if len(c.chains[i]) > mergedSegments {
			c.keep(i, mergedSegments, ttlSegmentSize, now)
		}
	}
	if c.count == before {
		c.keep(longest, 1, 0, now)
	}
}

// keep takes the n oldest segments out of a chain and puts one with the best room bytes of them in the
// place before the youngest.
func (c *segcache) keep(chain, n, room int, now uint32) {
	segs := c.chains[chain]
	var live []*object
	for _, s := range segs[:n] {
		for _, o := range s.objects {
			if c.table[o.id] == o {
				live = append(live, o)
			}
		}
	}
	worth := func(o *object) float64 { return float64(o.hits) / float64(o.size) }
	sort.SliceStable(live, func(i, j int) bool { return worth(live[i]) > worth(live[j]) })
	merged := &ttlSegment{}
	for _, o := range live {
		if now >= o.expires || merged.used+o.size > room {
			delete(c.table, o.id)
			continue
		}
		o.hits /= 2
		merged.add(o)
	}
	rest := append([]*ttlSegment{}, segs[n:]...)
	c.count -= n
	if room > 0 {
		last := len(rest) - 1
		rest = append(rest[:last:last], merged, rest[last])
		c.count++
	}
	c.chains[chain] = rest
}

func (c *segcache) close() {}
