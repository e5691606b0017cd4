package wire

import (
	"encoding/binary"

	"heimdall/core/dname"
)

// Builder builds one message in a buffer of the caller and compresses names (RFC 1035, section 4.1.4). A
// name that ends in a pointer takes the letter case of what it points to, the question's for most. The
// zero value has no room; call Reset. What does not fit is not written at all. Nothing allocates. Not safe
// for concurrent use.
type Builder struct {
	buf     []byte
	limit   int // octets that the message may take
	section Section
	counts  [4]uint16
	names   compressor
}

// Mark is a state of a Builder to return to.
type Mark struct {
	length  int
	names   int
	section Section
	counts  [4]uint16
}

// Reset begins a message in buf[:0] with an empty header. The message will not grow beyond limit octets, the
// capacity of buf, or 65535 octets; with room for no header, everything fails.
func (b *Builder) Reset(buf []byte, limit int) {
	b.limit = min(limit, cap(buf), MaxLen)
	b.section = Question
	b.counts = [4]uint16{}
	b.names.reset()
	b.buf = buf[:0]
	if b.limit >= HeaderLen {
		b.buf = buf[:HeaderLen]
		clear(b.buf)
	}
}

// Header sets the message ID and the header's second word.
func (b *Builder) Header(id, flags uint16) {
	if len(b.buf) >= HeaderLen {
		SetID(b.buf, id)
		SetFlags(b.buf, flags)
	}
}

// SetFlags sets flags in the header besides those that are set.
func (b *Builder) SetFlags(set uint16) {
	if len(b.buf) >= HeaderLen {
		SetFlags(b.buf, Flags(b.buf)|set)
	}
}

// Len returns the octets written so far.
func (b *Builder) Len() int { return len(b.buf) }

// Question appends a question, the name in its own letter case. It returns false, with nothing written, when
// the question does not fit or a record was written before.
func (b *Builder) Question(n dname.Name, t Type, c Class) bool {
	mark := b.Mark()
	if !b.enter(Question) || !b.name(n) || !b.room(4) {
		b.Rollback(mark)
		return false
	}
	b.buf = binary.BigEndian.AppendUint16(b.buf, uint16(t))
	b.buf = binary.BigEndian.AppendUint16(b.buf, uint16(c))
	b.counts[Question]++
	return true
}

// RR appends a record. rdata is uncompressed; names in it are compressed if t is a type of RFC 1035. Sections
// are written in their order. It returns false, with nothing written, when the record does not fit, or
// belongs to an earlier section than the last one.
func (b *Builder) RR(s Section, owner dname.Name, t Type, c Class, ttl uint32, rdata []byte) bool {
	mark := b.Mark()
	if s == Question || !b.enter(s) || !b.name(owner) || !b.room(rrFixedLen) {
		b.Rollback(mark)
		return false
	}
	b.buf = binary.BigEndian.AppendUint16(b.buf, uint16(t))
	b.buf = binary.BigEndian.AppendUint16(b.buf, uint16(c))
	b.buf = binary.BigEndian.AppendUint32(b.buf, ttl)
	b.buf = binary.BigEndian.AppendUint16(b.buf, 0)
	data := len(b.buf)
	if !b.rdata(t, c, rdata) {
		b.Rollback(mark)
		return false
	}
	binary.BigEndian.PutUint16(b.buf[data-2:], uint16(len(b.buf)-data))
	b.counts[s]++
	return true
}

// Mark returns the present state for Rollback.
func (b *Builder) Mark() Mark {
	return Mark{length: len(b.buf), names: b.names.used, section: b.section, counts: b.counts}
}

// Rollback takes back everything written since m was returned by Mark, flags excepted.
func (b *Builder) Rollback(m Mark) {
	b.buf = b.buf[:m.length]
	b.section, b.counts = m.section, m.counts
	b.names.rollback(m.names)
}

// Finish writes the counts and returns the message, which is in the buffer given to Reset. The message may
// be continued and finished again.
func (b *Builder) Finish() []byte {
	if len(b.buf) >= HeaderLen {
		for s, n := range b.counts {
			SetCount(b.buf, Section(s), int(n))
		}
	}
	return b.buf
}

// enter moves on to section s, and refuses to go back or to count beyond 65535.
func (b *Builder) enter(s Section) bool {
	if s < b.section || len(b.buf) < HeaderLen || b.counts[s] == 0xFFFF {
		return false
	}
	b.section = s
	return true
}

// room reports whether n more octets fit.
func (b *Builder) room(n int) bool { return n <= b.limit-len(b.buf) }

// rdata appends rdata with the names in it compressed where that is allowed.
func (b *Builder) rdata(t Type, c Class, rdata []byte) bool {
	if compressible(t) {
		for _, field := range []byte(layout(t, c)) {
			if field == 'n' {
				name, ok := dname.Parse(rdata)
				if !ok {
					break
				}
				if !b.name(name) {
					return false
				}
				rdata = rdata[len(name):]
				continue
			}
			size, ok := fieldLen(field, rdata)
			if !ok {
				break
			}
			if !b.octets(rdata[:size]) {
				return false
			}
			rdata = rdata[size:]
		}
	}
	return b.octets(rdata)
}

// octets appends p.
func (b *Builder) octets(p []byte) bool {
	if !b.room(len(p)) {
		return false
	}
	b.buf = append(b.buf, p...)
	return true
}

// name appends n, ending in a pointer if a suffix of it was written before.
func (b *Builder) name(n dname.Name) bool {
	if len(n) == 0 {
		return false
	}
	prefix, pointer := b.names.find(b.buf, n)
	size := prefix + 2
	if pointer == 0 {
		size = len(n)
	}
	if !b.room(size) {
		return false
	}
	at := len(b.buf)
	if pointer == 0 {
		b.buf = append(b.buf, n...)
	} else {
		b.buf = append(b.buf, n[:prefix]...)
		b.buf = binary.BigEndian.AppendUint16(b.buf, 0xC000|pointer)
	}
	b.names.add(n[:prefix], at)
	return true
}
