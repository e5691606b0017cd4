package framing

import "syscall"

// Queue holds the framed messages that the kernel has not taken yet. Messages
// appended between two calls of Send leave in one piece.
// The zero value is empty and holds no buffer. Not safe for concurrent use.
type Queue struct {
	buf  []byte
	sent int // octets of buf already taken by the kernel
}

// Len returns how many octets wait, prefixes included.
func (q *Queue) Len() int { return len(q.buf) - q.sent }

// Append frames msg, 1 to MaxMessage octets, and queues it. It returns false,
// with the queue unchanged, when the pool's limit is reached.
func (q *Queue) Append(p *Pool, msg []byte) bool {
	need := prefixLen + len(msg)
	if len(q.buf)+need > cap(q.buf) && !q.makeRoom(p, need) {
		return false
	}
	q.buf = append(q.buf, byte(len(msg)>>8), byte(len(msg)))
	q.buf = append(q.buf, msg...)
	return true
}

// Send hands the kernel as much as it takes. The error is zero when all has
// gone, EAGAIN when the socket's own buffer is full, and otherwise the stream's end.
func (q *Queue) Send(p *Pool, fd int) syscall.Errno {
	for q.Len() > 0 {
		n, e := Send(fd, q.buf[q.sent:])
		if e != 0 {
			return e
		}
		q.sent += n
	}
	q.Reset(p)
	return 0
}

// Reset drops what waits and gives the buffer back.
func (q *Queue) Reset(p *Pool) {
	p.Put(q.buf)
	*q = Queue{}
}

// makeRoom finds room for need more octets: at the front of the buffer when much
// of it has been sent, else in a larger one.
func (q *Queue) makeRoom(p *Pool, need int) bool {
	if q.Len()+need <= cap(q.buf) && q.sent >= cap(q.buf)/2 {
		n := copy(q.buf, q.buf[q.sent:])
		q.buf, q.sent = q.buf[:n], 0
		return true
	}
	b := p.Get(max(q.Len()+need, cap(q.buf)+1))
	if b == nil {
		return false
	}
	b = append(b, q.buf[q.sent:]...)
	q.Reset(p)
	q.buf = b
	return true
}
