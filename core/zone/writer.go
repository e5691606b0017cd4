package zone

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// writer appends records to a message. What does not fit is not written at all.
type writer struct {
	buf    []byte
	base   int // offset of the message in buf
	limit  int // octets that the message may take
	counts [4]uint16
	origin uint16 // where the origin of the records' zone stands in the message
}

// question begins the message.
func (w *writer) question(q *wire.Query) {
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(q.ID)<<16)
	w.buf = append(w.buf, 0, 0, 0, 0, 0, 0, 0, 0)
	w.buf = append(w.buf, q.Name...)
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(q.Type)<<16|uint32(q.Class))
	w.counts[wire.Question] = 1
}

// maxPointer is the largest offset that a compression pointer can hold (RFC 1035, section 4.1.4).
const maxPointer = 1<<14 - 1

// owner is a name to write: labels, then a pointer, or the root if pointer is 0.
type owner struct {
	labels  []byte
	pointer uint16
}

// mark is a state of a writer to return to.
type mark struct {
	length int
	counts [4]uint16
}

func (w *writer) mark() mark { return mark{len(w.buf), w.counts} }

func (w *writer) rollback(m mark) { w.buf, w.counts = w.buf[:m.length], m.counts }

// len returns the length of the message.
func (w *writer) len() int { return len(w.buf) - w.base }

// room reports whether n more octets fit.
func (w *writer) room(n int) bool { return w.len()+n <= w.limit }

// name appends o.
func (w *writer) name(o owner) {
	w.buf = append(w.buf, o.labels...)
	if o.pointer == 0 {
		w.buf = append(w.buf, 0)
		return
	}
	w.buf = binary.BigEndian.AppendUint16(w.buf, 0xC000|o.pointer)
}

// set appends records as they are in a node, all or none of them, and returns the offset of the first.
func (w *writer) set(s wire.Section, o owner, recs []byte) (at int, ok bool) {
	m := w.mark()
	at = w.len()
	for len(recs) >= recordLen {
		size := recordSize(recs)
		if !w.room(len(o.labels) + 2 + size) {
			w.rollback(m)
			return 0, false
		}
		w.name(o)
		start := len(w.buf)
		w.buf = append(w.buf, recs[:size]...)
		w.patch(start)
		w.counts[s]++
		if len(o.labels) > 0 && at <= maxPointer {
			o = owner{pointer: uint16(at)}
		}
		recs = recs[size:]
	}
	return at, true
}

// patch makes the names in the record at buf[start:] that end with the zone's origin point to it.
func (w *writer) patch(start int) {
	rec := w.buf[start:]
	before, names := nameFields(recordType(rec))
	at := recordLen + before
	for range names {
		for c := rec[at]; c != 0; c = rec[at] {
			if c == originPointer[0] {
				binary.BigEndian.PutUint16(rec[at:], 0xC000|w.origin)
				at++
				break
			}
			at += 1 + int(c)
		}
		at++
	}
}

// patchTTL overwrites the TTL of the records that begin at the given offset of the message.
func (w *writer) patchTTL(at int, ttl uint32) {
	msg := w.buf[w.base:]
	for at < len(msg) {
		at, _ = dname.Skip(msg, at)
		binary.BigEndian.PutUint32(msg[at+4:], ttl)
		at += recordSize(msg[at:])
	}
}

// finish writes the header's flags and counts.
func (w *writer) finish(flags uint16) {
	msg := w.buf[w.base:]
	wire.SetFlags(msg, flags)
	for s, n := range w.counts {
		wire.SetCount(msg, wire.Section(s), int(n))
	}
}
