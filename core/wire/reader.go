package wire

import (
	"encoding/binary"

	"heimdall/core/dname"
)

// rrFixedLen is the length in octets of TYPE, CLASS, TTL and RDLENGTH.
const rrFixedLen = 10

// maxTTL is the largest TTL in seconds (RFC 2181, section 8).
const maxTTL = 1<<31 - 1

// RR is one resource record's place in a message, as offsets. The four octets of the TTL begin at
// Data-6.
type RR struct {
	Start int    // of the record, which is its owner name
	Owner int    // of the owner name, for dname.Unpack
	Type  Type   // RR type
	Class Class  // the sender's payload size if Type is TypeOPT
	TTL   uint32 // seconds; above 2^31-1 it reads as 0, but for TypeOPT, where it holds flags
	Data  int    // of the RDATA
	End   int    // of what follows the record
}

// Reader steps through the records of a message. The zero value reads nothing; call Reset. It borrows
// the message until the next Reset. Not safe for concurrent use.
type Reader struct {
	msg     []byte
	off     int     // of the next record
	section Section // of the next record
	left    [4]int  // records of each section not yet read
	bad     bool    // stopped by malformed data

	qname  int // offset of the first question's name; 0 when there is none
	qtype  Type
	qclass Class
}

// Reset makes r read msg. It returns false, and r then reads nothing, when the header or a question
// does not fit in msg.
func (r *Reader) Reset(msg []byte) bool {
	*r = Reader{bad: true}
	if len(msg) < HeaderLen {
		return false
	}
	off := HeaderLen
	for i := range Count(msg, Question) {
		end, ok := dname.Skip(msg, off)
		if !ok || end+4 > len(msg) {
			return false
		}
		if i == 0 {
			r.qname = off
			r.qtype = Type(binary.BigEndian.Uint16(msg[end:]))
			r.qclass = Class(binary.BigEndian.Uint16(msg[end+2:]))
		}
		off = end + 4
	}
	r.msg, r.off, r.section, r.bad = msg, off, Answer, false
	for s := Answer; s <= Additional; s++ {
		r.left[s] = Count(msg, s)
	}
	return true
}

// Question returns the first question: its name's offset, type and class. The offset is 0 when the
// message has no question.
func (r *Reader) Question() (nameOff int, t Type, c Class) { return r.qname, r.qtype, r.qclass }

// Next reads the next record into rr and returns the section it stands in. It returns false after the
// last record and at malformed data; Err tells these apart.
func (r *Reader) Next(rr *RR) (Section, bool) {
	for r.left[r.section] == 0 {
		if r.section >= Additional {
			if r.off != len(r.msg) {
				r.bad = true
			}
			return Additional, false
		}
		r.section++
	}
	if r.bad || !readRR(r.msg, r.off, rr) {
		r.bad = true
		return r.section, false
	}
	r.off = rr.End
	r.left[r.section]--
	return r.section, true
}

// Err reports whether r stopped at malformed data, octets after the last record included.
func (r *Reader) Err() bool { return r.bad }

// readRR reads the record at msg[off:].
func readRR(msg []byte, off int, rr *RR) bool {
	at, ok := dname.Skip(msg, off)
	if !ok || at+rrFixedLen > len(msg) {
		return false
	}
	fixed := msg[at : at+rrFixedLen]
	rr.Start, rr.Owner = off, off
	rr.Type = Type(binary.BigEndian.Uint16(fixed))
	rr.Class = Class(binary.BigEndian.Uint16(fixed[2:]))
	rr.TTL = binary.BigEndian.Uint32(fixed[4:])
	rr.Data = at + rrFixedLen
	rr.End = rr.Data + int(binary.BigEndian.Uint16(fixed[8:]))
	// RFC 2181, section 8: a TTL with the top bit set counts as zero.
	if rr.TTL > maxTTL && rr.Type != TypeOPT {
		rr.TTL = 0
	}
	return rr.End <= len(msg)
}
