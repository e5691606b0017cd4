package framing

// classes are the buffer sizes lent, in bytes: most messages fit the first, most
// segments the third, and the last holds the longest message with its prefix.
var classes = [...]int{1 << 10, 4 << 10, 16 << 10, 68 << 10}

// keepBytes limits how much returned memory of one class is kept for the next
// borrower, in bytes. What comes back above it is left to the garbage collector.
const keepBytes = 256 << 10

// Pool lends the buffers of all streams of one shard, so that a stream without
// unfinished business holds none. Not safe for concurrent use; owned by one shard.
type Pool struct {
	limit int
	lent  int
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
		if last := len(p.free[i]) - 1; last >= 0 {
			b := p.free[i][last]
			p.free[i] = p.free[i][:last]
			return b
		}
		return make([]byte, 0, class)
	}
	// Only the queue of a slow reader grows so far: not worth keeping.
	top := classes[len(classes)-1]
	size = (size + top - 1) / top * top
	if p.lent+size > p.limit {
		return nil
	}
	p.lent += size
	return make([]byte, 0, size)
}

// Put takes back what Get lent, at its full capacity. The caller must not use it again.
func (p *Pool) Put(b []byte) {
	if b == nil {
		return
	}
	p.lent -= cap(b)
	for i, class := range classes {
		if cap(b) == class && len(p.free[i])*class < keepBytes {
			p.free[i] = append(p.free[i], b[:0])
			return
		}
	}
}
