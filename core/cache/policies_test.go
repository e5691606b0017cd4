package cache

import "container/list"

// object is an entry of a reference implementation.
type object struct {
	id      uint64
	size    int // bytes, the policy's metadata included
	expires uint32
	hits    int
	at      *list.Element
}

// What a packed implementation needs for an entry besides key and value, in bytes: 16 for expiry,
// lengths and hash, 14 for a hash table's slot, 8 for the links of a list.
const (
	logOverhead  = 16 + 14
	listOverhead = logOverhead + 8
)

// lru is the baseline.
type lru struct {
	used  int
	table map[uint64]*object
	list  list.List // youngest in front
}

func newLRU() contender { return &lru{table: map[uint64]*object{}} }

func (c *lru) get(id uint64, now uint32) bool {
	o := c.table[id]
	if o == nil || now >= o.expires {
		return false
	}
	c.list.MoveToFront(o.at)
	return true
}

func (c *lru) put(id uint64, size int, expires, now uint32) {
	if o := c.table[id]; o != nil {
		o.expires = expires
		c.list.MoveToFront(o.at)
		return
	}
	c.insert(id, size, expires, c.list.Back)
}

// insert puts an object in front after removing victims for it.
func (c *lru) insert(id uint64, size int, expires uint32, victim func() *list.Element) {
	o := &object{id: id, size: size + listOverhead, expires: expires}
	for c.used+o.size > traceMemory {
		v := c.list.Remove(victim()).(*object)
		delete(c.table, v.id)
		c.used -= v.size
	}
	o.at = c.list.PushFront(o)
	c.table[id] = o
	c.used += o.size
}

func (c *lru) close() {}

// sieve is SIEVE (NSDI '24): a FIFO in which a hand goes from old to young and removes what was not hit since
// it came by last.
type sieve struct {
	lru
	hand *list.Element
}

func newSieve() contender { return &sieve{lru: lru{table: map[uint64]*object{}}} }

func (c *sieve) get(id uint64, now uint32) bool {
	o := c.table[id]
	if o == nil || now >= o.expires {
		return false
	}
	o.hits = 1
	return true
}

func (c *sieve) put(id uint64, size int, expires, now uint32) {
	if o := c.table[id]; o != nil {
		o.expires, o.hits = expires, 1
		return
	}
	c.insert(id, size, expires, func() *list.Element { return c.victim(now) })
}

func (c *sieve) victim(now uint32) *list.Element {
	for {
		e := c.hand
		if e == nil {
			e = c.list.Back()
		}
		c.hand = e.Prev()
		o := e.Value.(*object)
		if o.hits == 0 || now >= o.expires {
			return e
		}
		o.hits = 0
	}
}

// s3fifo is S3-FIFO (SOSP '23) as in the paper: a small queue of a tenth, ghosts for as many names as the
// cache holds, which cost 2 bytes each here.
type s3fifo struct {
	table               map[uint64]*object
	small, main         list.List
	smallUsed, mainUsed int
	ghosts              map[uint64]int // name -> number in order of eviction
	ghostQueue          []uint64
	ghostNumber         int
}

func newS3FIFO() contender {
	return &s3fifo{table: map[uint64]*object{}, ghosts: map[uint64]int{}}
}

func (c *s3fifo) get(id uint64, now uint32) bool {
	o := c.table[id]
	if o == nil || now >= o.expires {
		return false
	}
	o.hits = min(o.hits+1, 3)
	return true
}

func (c *s3fifo) put(id uint64, size int, expires, now uint32) {
	if o := c.table[id]; o != nil {
		o.expires = expires
		return
	}
	o := &object{id: id, size: size + logOverhead + 2, expires: expires}
	for c.smallUsed+c.mainUsed+o.size > traceMemory {
		c.evict(now)
	}
	c.table[id] = o
	if _, ok := c.ghosts[id]; ok {
		delete(c.ghosts, id)
		c.main.PushFront(o)
		c.mainUsed += o.size
		return
	}
	c.small.PushFront(o)
	c.smallUsed += o.size
}

func (c *s3fifo) evict(now uint32) {
	if c.smallUsed > traceMemory/10 || c.main.Len() == 0 {
		o := c.small.Remove(c.small.Back()).(*object)
		c.smallUsed -= o.size
		switch {
		case now >= o.expires:
			delete(c.table, o.id)
		case o.hits > 0:
			o.hits = 0
			c.main.PushFront(o)
			c.mainUsed += o.size
		default:
			delete(c.table, o.id)
			c.haunt(o.id)
		}
		return
	}
	o := c.main.Remove(c.main.Back()).(*object)
	if o.hits > 0 && now < o.expires {
		o.hits--
		c.main.PushFront(o)
		return
	}
	c.mainUsed -= o.size
	delete(c.table, o.id)
}

func (c *s3fifo) haunt(id uint64) {
	c.ghostNumber++
	c.ghosts[id] = c.ghostNumber
	c.ghostQueue = append(c.ghostQueue, id)
	for len(c.ghostQueue) > len(c.table) {
		g := c.ghostQueue[0]
		c.ghostQueue = c.ghostQueue[1:]
		if c.ghosts[g] == c.ghostNumber-len(c.ghostQueue) {
			delete(c.ghosts, g)
		}
	}
}

func (c *s3fifo) close() {}
