// Package framing carries DNS messages over byte streams: each message is
// preceded by its length in two octets, high octet first (RFC 1035, section
// 4.2.2; RFC 7766, section 8). It does no waiting and knows nothing of addresses.
package framing

// MaxMessage is the longest message the two-octet prefix can announce, in octets.
const MaxMessage = 1<<16 - 1

// prefixLen is the length of the prefix, in octets.
const prefixLen = 2

// Status says what Reader.Next found.
type Status uint8

// What Reader.Next found.
const (
	Incomplete Status = iota // no whole message is held
	Message                  // one message
	Malformed                // a length of zero: the stream cannot be trusted further
)

// Reader cuts the octets received from one stream into messages. Octets are
// received into a scratch buffer that all streams of a shard share; only what
// does not make a whole message yet is kept in a buffer of the stream's own, and
// that buffer grows with what has been received, never with what a prefix
// announces. One turn is
//
//	space := r.Space(pool, scratch)
//	receive n octets into space
//	r.Advance(n)
//	Next until it returns Incomplete
//	r.Settle(pool)
//
// The zero value is a stream without octets. Not safe for concurrent use.
type Reader struct {
	buf    []byte // octets received; the scratch buffer or one of the pool's
	cut    int    // octets of buf already handed out by Next
	shared bool   // buf is the scratch buffer
}

// Len returns how many received octets have not been handed out.
func (r *Reader) Len() int { return len(r.buf) - r.cut }

// Held returns a copy of the octets that have not been handed out.
func (r *Reader) Held() []byte { return append([]byte(nil), r.buf[r.cut:]...) }

// Refill begins a stream with octets that another Reader held. It returns false when the pool's limit is reached; the
// octets are lost then and the stream must be given up. The reader must be without octets.
func (r *Reader) Refill(p *Pool, held []byte) bool {
	if len(held) == 0 {
		return true
	}
	r.buf = p.Get(len(held) + 1)
	if r.buf == nil {
		return false
	}
	r.buf = append(r.buf, held...)
	return true
}

// Whole reports whether Next would return something other than Incomplete.
func (r *Reader) Whole() bool {
	if r.Len() < prefixLen {
		return false
	}
	length := int(r.buf[r.cut])<<8 | int(r.buf[r.cut+1])
	return length == 0 || r.Len() >= prefixLen+length
}

// Space returns where to receive the next octets, never empty: the scratch
// buffer when nothing is held. It returns nil when the pool's limit is reached.
// The reader must be settled and not Whole.
func (r *Reader) Space(p *Pool, scratch []byte) []byte {
	if r.buf == nil {
		r.buf, r.shared = scratch[:0], true
		return scratch
	}
	if len(r.buf) == cap(r.buf) && !r.move(p, cap(r.buf)+1) {
		return nil
	}
	return r.buf[len(r.buf):cap(r.buf)]
}

// Advance adds the first n octets of Space's result to the stream.
func (r *Reader) Advance(n int) { r.buf = r.buf[:len(r.buf)+n] }

// Next returns the next whole message. It is valid until Settle or Reset.
func (r *Reader) Next() ([]byte, Status) {
	held := r.buf[r.cut:]
	if len(held) < prefixLen {
		return nil, Incomplete
	}
	length := int(held[0])<<8 | int(held[1])
	if length == 0 {
		return nil, Malformed
	}
	if len(held) < prefixLen+length {
		return nil, Incomplete
	}
	r.cut += prefixLen + length
	return held[prefixLen : prefixLen+length : prefixLen+length], Message
}

// Settle ends a turn: what is left over moves out of the scratch buffer, and a
// buffer without use goes back to the pool. It returns false when the pool's
// limit is reached; the octets are lost then and the stream must be given up.
func (r *Reader) Settle(p *Pool) bool {
	switch {
	case r.Len() == 0:
		r.Reset(p)
	case r.shared:
		return r.move(p, r.Len()+1)
	case r.cut > 0:
		n := copy(r.buf, r.buf[r.cut:])
		r.buf, r.cut = r.buf[:n], 0
	}
	return true
}

// Reset forgets all octets and gives the buffer back.
func (r *Reader) Reset(p *Pool) {
	if !r.shared {
		p.Put(r.buf)
	}
	*r = Reader{}
}

// move puts what is left over into a buffer of at least size octets.
func (r *Reader) move(p *Pool, size int) bool {
	b := p.Get(size)
	if b == nil {
		r.Reset(p)
		return false
	}
	b = append(b, r.buf[r.cut:]...)
	r.Reset(p)
	r.buf = b
	return true
}
