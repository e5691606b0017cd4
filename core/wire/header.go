// Package wire reads and writes DNS messages in wire form (RFC 1035, section 4) inside buffers of the
// caller.
//
// Query.Parse and the Append functions run for every client query and never allocate. Reader steps
// through any message, Builder makes one with compressed names. Malformed input is data, not an error:
// it comes back as a Verdict or as false.
package wire

import "encoding/binary"

// HeaderLen is the length of a message's header in octets (RFC 1035, section 4.1.1).
const HeaderLen = 12

// MaxLen is the longest message in octets: the length that precedes it over TCP has 16 bits
// (RFC 1035, section 4.2.2).
const MaxLen = 65535

// Flags of the header's second word (RFC 1035, section 4.1.1; AD and CD: RFC 4035, section 3).
const (
	FlagQR uint16 = 1 << 15
	FlagAA uint16 = 1 << 10
	FlagTC uint16 = 1 << 9
	FlagRD uint16 = 1 << 8
	FlagRA uint16 = 1 << 7
	FlagAD uint16 = 1 << 5
	FlagCD uint16 = 1 << 4

	// OpcodeMask and RcodeMask select the fields that share the word with the flags.
	OpcodeMask uint16 = 0xF << opcodeShift
	RcodeMask  uint16 = 0xF

	opcodeShift = 11
)

// ID returns the message ID. msg holds at least a header, here and in the functions below.
func ID(msg []byte) uint16 { return binary.BigEndian.Uint16(msg) }

// SetID overwrites the message ID.
func SetID(msg []byte, id uint16) { binary.BigEndian.PutUint16(msg, id) }

// Flags returns the header's second word: flags, opcode and the low four bits of the RCODE.
func Flags(msg []byte) uint16 { return binary.BigEndian.Uint16(msg[2:]) }

// SetFlags overwrites the header's second word.
func SetFlags(msg []byte, flags uint16) { binary.BigEndian.PutUint16(msg[2:], flags) }

// OpcodeOf returns the opcode of a header's second word.
func OpcodeOf(flags uint16) Opcode { return Opcode(flags & OpcodeMask >> opcodeShift) }

// RcodeOf returns the low four bits of the RCODE of a header's second word.
func RcodeOf(flags uint16) Rcode { return Rcode(flags & RcodeMask) }

// Count returns the number of records, or questions, that the header claims for a section. It is what
// a stranger says: never size memory by it.
func Count(msg []byte, s Section) int {
	return int(binary.BigEndian.Uint16(msg[4+2*int(s):]))
}

// SetCount overwrites the header's count for a section. n is at most 65535.
func SetCount(msg []byte, s Section, n int) {
	binary.BigEndian.PutUint16(msg[4+2*int(s):], uint16(n))
}

// Section is one of the four parts of a message, in their order.
type Section uint8

// The sections of a message (RFC 1035, section 4.1).
const (
	Question Section = iota
	Answer
	Authority
	Additional
)

// String returns the section's name in lower case.
func (s Section) String() string {
	switch s {
	case Question:
		return "question"
	case Answer:
		return "answer"
	case Authority:
		return "authority"
	}
	return "additional"
}
