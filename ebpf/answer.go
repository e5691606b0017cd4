package ebpf

import (
	"encoding/binary"
	"math/bits"
)

// Answer is one hot answer: what tier 1 sends, taken apart.
type Answer struct {
	Name    []byte    // qname in wire form, any letter case
	Type    uint16    // qtype
	DO, CD  bool      // of the queries that it is for
	Flags   uint16    // the header's second word without RD, RA, CD and AD; RA is for the clients of Clients.Ask
	AD      bool      // AD is set for clients that ask for it
	Open    bool      // for every client; otherwise for those of Clients.Ask
	Counts  [3]uint16 // records in the three sections, no OPT among them
	Records []byte    // the sections; compression pointers lead to the question or to names among them
	TTLs    []uint16  // offset in Records of each TTL
	Stored  uint32    // second that the TTLs count from
	Expires uint32    // second from which it is not given any more
	Refresh uint32    // second from which one query a second is passed, so that its shard sees that it is wanted; 0: none is
}

// Question is what a query asks, as far as it decides the answer.
type Question struct {
	Name   []byte // qname in wire form and lower case
	Type   uint16
	DO, CD bool
}

// Published is what the table has for a question.
type Published struct {
	Expires uint32 // second from which it is not given any more
	Open    bool   // for every client; otherwise for those of Clients.Ask
	Current bool   // of the present generation: nothing was flushed since
}

// The bounds of an answer.
const (
	MaxName    = 64  // octets of qname
	MaxRecords = 512 // octets of Records
	maxTTLs    = len(xdpBody{}.Ttl)
)

// Bits of a query and marks of an answer, as in c/layout.h.
const (
	bitDO      = 1
	bitCD      = 2
	markAD     = 1
	markOpen   = 2
	markBeside = 4
)

func (a *Answer) bits() (b uint8) {
	if a.DO {
		b |= bitDO
	}
	if a.CD {
		b |= bitCD
	}
	return b
}

// Fits tells whether a is within the bounds.
func (a *Answer) Fits() bool {
	n := len(a.Records)
	return len(a.Name) > 0 && len(a.Name) <= MaxName && n <= MaxRecords && (n == 0 || n >= 11) && len(a.TTLs) <= maxTTLs &&
		max(a.Counts[0], a.Counts[1], a.Counts[2]) <= 255
}

// entry returns a as it stands in the map. Of the number, which no other answer has, the lower half is not 0.
func (a *Answer) entry(number uint64, generation uint32) xdpAnswer {
	e := xdpAnswer{
		Serial: uint32(number), Generation: generation, Stored: a.Stored, Expires: a.Expires, Refresh: a.Refresh,
		Flags: a.Flags, Type: bits.ReverseBytes16(a.Type), Counts: [3]uint8{uint8(a.Counts[0]), uint8(a.Counts[1]), uint8(a.Counts[2])}, Bits: a.bits(),
		Qlen: uint8(len(a.Name)), Length: uint16(len(a.Records)),
	}
	if a.Refresh == 0 {
		e.Refresh = a.Expires
	}
	if a.AD {
		e.Marks |= markAD
	}
	if a.Open {
		e.Marks |= markOpen
	}
	for i := 0; i < len(a.Name); i += 8 {
		var word [8]byte
		copy(word[:], a.Name[i:])
		binary.LittleEndian.PutUint64(e.Data[i:], lower8(binary.LittleEndian.Uint64(word[:])))
	}
	start := (len(a.Name) + 7) &^ 7
	if start+len(a.Records) > len(e.Data) || len(a.TTLs) > len(e.Ttl) {
		e.Marks |= markBeside
		binary.LittleEndian.PutUint64(e.Data[len(e.Data)-8:], number) // the name leaves that much
		return e
	}
	copy(e.Data[start:], a.Records)
	e.Ttls = uint8(len(a.TTLs))
	for i, off := range a.TTLs {
		e.Ttl[i] = uint8(off)
	}
	return e
}

// body returns the records of a, for the map of those that are too long for an entry.
func (a *Answer) body(number uint64) (b xdpBody) {
	b.Number = number
	b.Ttls = uint16(len(a.TTLs))
	copy(b.Ttl[:], a.TTLs)
	copy(b.Data[:], a.Records)
	return b
}

// body returns the number of the body that the records of e are in, if they are in one.
func (e *xdpAnswer) body() (number uint64, ok bool) {
	return binary.LittleEndian.Uint64(e.Data[len(e.Data)-8:]), e.Marks&markBeside != 0
}
