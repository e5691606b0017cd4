package wire

import (
	"encoding/binary"

	"heimdall/core/dname"
)

// MinUDPSize is the UDP payload in octets that every client takes (RFC 1035, section 4.2.1); a smaller
// size in an OPT counts as this (RFC 6891, section 6.2.3).
const MinUDPSize = 512

// Query is one client query, parsed. The slices are borrowed from Msg and valid as long as it is. The
// zero value is empty; Parse overwrites all of it. Not safe for concurrent use.
type Query struct {
	Msg    []byte     // the whole message
	ID     uint16     // message ID
	Flags  uint16     // the header's second word as received
	Opcode Opcode     // out of Flags
	Name   dname.Name // qname as received, letter case kept; nil when there is no readable question
	Type   Type       // qtype
	Class  Class      // qclass
	End    int        // offset in Msg of what follows the question; 0 when Name is nil

	EDNS      bool   // an OPT is present
	DO        bool   // DNSSEC OK (RFC 3225)
	Version   uint8  // EDNS version
	UDPSize   uint16 // octets that the client takes over UDP, at least 512
	KeepAlive bool   // carries edns-tcp-keepalive (RFC 7828); without meaning over UDP
	Cookie    []byte // data of the first COOKIE option, 8 or 16 to 40 octets (RFC 7873); nil if none
}

// Verdict is what Parse makes of a message.
type Verdict uint8

// The verdicts.
const (
	QueryOK       Verdict = iota
	QueryShort            // less than a header: drop
	QueryResponse         // QR is set: drop, a response must never be answered
	QueryFormErr          // answer FORMERR
	QueryNotImp           // opcode other than QUERY: answer NOTIMP
	QueryBadVers          // EDNS version other than 0: answer BADVERS (RFC 6891, section 6.1.3)
)

// String returns the verdict in lower case.
func (v Verdict) String() string {
	switch v {
	case QueryOK:
		return "ok"
	case QueryShort:
		return "short"
	case QueryResponse:
		return "response"
	case QueryFormErr:
		return "formerr"
	case QueryNotImp:
		return "notimp"
	}
	return "badvers"
}

// Offsets in the header.
const (
	flagsAt  = 2
	countsAt = 4
)

// oneQuestion is the counts word of a query whose records, if any, are all in the additional section,
// the count of these masked out.
const oneQuestion = 1 << 48

// Parse reads a client query: one question with an uncompressed name, nothing in the answer and
// authority sections, at most one OPT among the additional records, and not an octet more. Records
// besides OPT, TSIG among them, are stepped over.
//
// Of the fields, Msg, ID, Flags and Opcode are valid but for QueryShort. Name to End are also valid after
// QueryFormErr when Name is not nil, and the rest after QueryOK and QueryBadVers.
func (q *Query) Parse(msg []byte) Verdict {
	*q = Query{Msg: msg, UDPSize: MinUDPSize}
	if len(msg) < HeaderLen {
		return QueryShort
	}
	q.ID = binary.BigEndian.Uint16(msg)
	q.Flags = binary.BigEndian.Uint16(msg[flagsAt:])
	q.Opcode = OpcodeOf(q.Flags)
	if q.Flags&FlagQR != 0 {
		return QueryResponse
	}
	if q.Opcode != OpcodeQuery {
		return QueryNotImp
	}
	counts := binary.BigEndian.Uint64(msg[countsAt:])
	if counts>>48 == 0 {
		return QueryFormErr
	}
	name, ok := dname.Parse(msg[HeaderLen:])
	if !ok {
		return QueryFormErr
	}
	end := HeaderLen + len(name) + 4
	if end > len(msg) {
		return QueryFormErr
	}
	question := binary.BigEndian.Uint32(msg[end-4:])
	q.Name, q.Type, q.Class, q.End = name, Type(question>>16), Class(question), end
	if counts&^0xFFFF != oneQuestion {
		return QueryFormErr
	}
	return q.parseAdditional(msg, end, int(counts&0xFFFF))
}

// parseAdditional reads the additional section, count records from off to the end of msg.
func (q *Query) parseAdditional(msg []byte, off, count int) Verdict {
	for ; count > 0; count-- {
		at, ok := dname.Skip(msg, off) // of TYPE
		if !ok || at+10 > len(msg) {
			return QueryFormErr
		}
		data := at + 10
		end := data + int(binary.BigEndian.Uint16(msg[at+8:]))
		if end > len(msg) {
			return QueryFormErr
		}
		if Type(binary.BigEndian.Uint16(msg[at:])) == TypeOPT {
			// RFC 6891, section 6.1.1: one OPT at most; section 6.1.2: its owner is the root.
			if q.EDNS || at != off+1 {
				return QueryFormErr
			}
			q.EDNS = true
			q.UDPSize = max(binary.BigEndian.Uint16(msg[at+2:]), MinUDPSize)
			q.Version = msg[at+5]
			q.DO = msg[at+6]&0x80 != 0
			// The options of another version may look different, and are not read.
			if q.Version == 0 && !q.parseOptions(msg[data:end]) {
				return QueryFormErr
			}
		}
		off = end
	}
	if off != len(msg) {
		return QueryFormErr
	}
	if q.Version != 0 {
		return QueryBadVers
	}
	return QueryOK
}

// parseOptions reads the RDATA of the OPT (RFC 6891, section 6.1.2) and reports whether it is sound.
func (q *Query) parseOptions(data []byte) bool {
	for len(data) > 0 {
		if len(data) < 4 {
			return false
		}
		code := binary.BigEndian.Uint16(data)
		size := int(binary.BigEndian.Uint16(data[2:]))
		if size > len(data)-4 {
			return false
		}
		value := data[4 : 4+size : 4+size]
		data = data[4+size:]
		switch code {
		case OptionCookie:
			// RFC 7873, section 5.2.2: other lengths are FORMERR; of several, the first counts.
			if size != 8 && (size < 16 || size > 40) {
				return false
			}
			if q.Cookie == nil {
				q.Cookie = value
			}
		case OptionKeepAlive:
			// RFC 7828, section 3.1: empty, or a timeout of two octets, which a client should not send.
			if size != 0 && size != 2 {
				return false
			}
			q.KeepAlive = true
		}
	}
	return true
}
