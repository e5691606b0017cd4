package framing

// classes are the buffer sizes lent, in bytes: most messages fit the first, most
// segments the third, the next to last holds the longest message with its prefix,
// and the last what may wait for a client by default.
var classes = [...]int{1 << 10, 4 << 10, 16 << 10, 68 << 10, 136 << 10}

// keepBytes is how much memory of one class is kept for the next borrower when
// nothing is lent, in bytes.
const keepBytes = 256 << 10

// Pool lends the buffers of all streams of one shard, so that a stream without
// unfinished business holds none. What comes back is kept for the next borrower, as
// long as that and what is lent are within the limit together: under load nothing is
// left to the garbage collector, and after it most of the memory is given up.
// Not safe for concurrent use; owned by one shard.
type Pool struct {
	limit int
	lent  int
	kept  int
	free  [len(classes)][][]byte
}

// NewPool returns a pool that lends at most limit bytes at a time.
func NewPool(limit int) *Pool { return &Pool{limit: limit} }

// Lent returns how many bytes are out.
func (p *Pool) Lent() int { return p.lent }

// Get lends an empty buffer with room for at least size bytes, or nil when that
// would pass the pool's limit. Its contents are undefined.
func (p *Pool) Get(size int) []byte {
	for i, class := range classes {
		if size > class {
			continue
		}
		if p.lent+class > p.limit {
			return nil
		}
		p.lent += class
		if len(p.free[i]) > 0 {
			return p.take(i)
		}
		p.makeRoom()
		return make([]byte, 0, class)
	}
	// Only the queue of a slow reader grows so far: not worth keeping.
	top := classes[len(classes)-1]
	size = (size + top - 1) / top * top
	if p.lent+size > p.limit {
		return nil
	}
	p.lent += size
	p.makeRoom()
	return make([]byte, 0, size)
}

// Put takes back what Get lent, at its full capacity. The caller must not use it again.
func (p *Pool) Put(b []byte) {
	if b == nil {
		return
	}
	p.lent -= cap(b)
	for i, class := range classes {
		if cap(b) == class {
			p.free[i] = append(p.free[i], b[:0])
			p.kept += class
			break
		}
	}
	if p.lent == 0 {
		for i, class := range classes {
			for len(p.free[i])*class > keepBytes {
				p.take(i)
			}
		}
	}
}

// take takes a buffer of a class that is kept.
func (p *Pool) take(class int) []byte {
	last := len(p.free[class]) - 1
	b := p.free[class][last]
	p.free[class][last] = nil
	p.free[class] = p.free[class][:last]
	p.kept -= cap(b)
	return b
}

// makeRoom gives up buffers that are kept, the largest first, until the limit holds.
func (p *Pool) makeRoom() {
	for i := len(classes) - 1; p.lent+p.kept > p.limit; {
		if len(p.free[i]) == 0 {
			i--
			continue
		}
		p.take(i)
	}
}
