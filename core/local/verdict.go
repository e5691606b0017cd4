package local

import (
	"encoding/binary"

	"heimdall/core/wire"
)

// Verdict is what a Table knows about a query: nothing, which is the zero value, or one record to respond
// with. It belongs to the query that it was made for.
type Verdict struct {
	record        []byte // without its owner; of the Table
	owner         uint8  // offset of the owner in the qname
	rcode         wire.Rcode
	section       wire.Section // where the record goes: Answer or Authority
	authoritative bool
}

// Found tells whether the query is answered here.
func (v Verdict) Found() bool { return v.record != nil }

// Rcode returns the response code. It has no meaning without Found.
func (v Verdict) Rcode() wire.Rcode { return v.rcode }

// AppendReply appends the response to q, which v was made for, and returns the extended buffer: header,
// question with the client's letter case, and one record; at most 340 octets, which never needs truncation.
// QR is set, AA too where the answer is authoritative; other flags (RD, RA, CD) come from flags. There is no
// OPT. v must be Found.
func (v Verdict) AppendReply(dst []byte, q *wire.Query, flags uint16) []byte {
	flags = flags&^wire.RcodeMask | wire.FlagQR | uint16(v.rcode)&wire.RcodeMask
	if v.authoritative {
		flags |= wire.FlagAA
	}
	var header [wire.HeaderLen]byte
	wire.SetID(header[:], q.ID)
	wire.SetFlags(header[:], flags)
	wire.SetCount(header[:], wire.Question, 1)
	wire.SetCount(header[:], v.section, 1)
	dst = append(dst, header[:]...)
	dst = append(dst, q.Name...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(q.Type))
	dst = binary.BigEndian.AppendUint16(dst, uint16(q.Class))
	// RFC 1035, section 4.1.4: the owner is a suffix of the qname, which begins behind the header.
	dst = binary.BigEndian.AppendUint16(dst, 0xc000|wire.HeaderLen+uint16(v.owner))
	return append(dst, v.record...)
}

// appendRecord appends a record without its owner.
func appendRecord(dst []byte, t wire.Type, c wire.Class, ttl uint32, rdata []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(t))
	dst = binary.BigEndian.AppendUint16(dst, uint16(c))
	dst = binary.BigEndian.AppendUint32(dst, ttl)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(rdata)))
	return append(dst, rdata...)
}

// appendStrings appends character strings (RFC 1035, section 3.3), cut to 255 octets each.
func appendStrings(dst []byte, strings ...string) []byte {
	for _, s := range strings {
		s = s[:min(len(s), 255)]
		dst = append(append(dst, byte(len(s))), s...)
	}
	return dst
}
