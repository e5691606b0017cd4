package main

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// verdict is the judgement on one reply.
type verdict uint8

const (
	right            verdict = iota
	refused                  // SERVFAIL or REFUSED where something else was expected: no help, but no lie
	tooShort                 // no whole header
	notResponse              // QR is clear
	unknownID                // no query with this ID is waiting: a wrong ID, or a second reply
	wrongOpcode              // not the query's
	truncated                // TC is set, and the answer would have fitted
	wrongQuestion            // not the query's, octet by octet
	wrongRcode               // not the expected one
	wrongAddress             // the answer lacks the expected address
	unreadable               // a section does not parse
	answeredResponse         // the packet was itself a response
	verdicts
)

// verdictNames is the verdicts' names in reports.
var verdictNames = [verdicts]string{
	"right", "refused", "too_short", "not_a_response", "unknown_id", "wrong_opcode", "truncated", "wrong_question", "wrong_rcode", "wrong_address", "unreadable", "answered_a_response",
}

// wrong tells verdicts that no correct server earns.
func (v verdict) wrong() bool { return v > refused }

const headerLen = 12

// checkEcho judges what every reply to a well-formed query must repeat: the
// header's fixed bits and the question, letter case included.
func checkEcho(reply, question []byte) verdict {
	switch {
	case len(reply) < headerLen:
		return tooShort
	case reply[2]&0x80 == 0:
		return notResponse
	case reply[2]&0x78 != 0:
		return wrongOpcode
	case binary.BigEndian.Uint16(reply[4:]) != 1 || !bytes.HasPrefix(reply[headerLen:], question):
		return wrongQuestion
	}
	return right
}

// checkReply judges a whole reply to a query with the given question. It is
// written apart from the daemon's own parser, whose mistakes it must not share.
func checkReply(reply, question []byte, want expectation) verdict {
	if v := checkEcho(reply, question); v != right {
		return v
	}
	rcode := reply[3] & 15
	switch {
	case reply[2]&2 != 0:
		return truncated
	case want.rcode == rcode:
	case want.rcode == anyRcode && (rcode == 0 || rcode == 3):
	case rcode == 2 || rcode == 5:
		return refused
	default:
		return wrongRcode
	}
	if !want.addr.IsValid() {
		return right
	}
	qtype := binary.BigEndian.Uint16(question[len(question)-4:])
	return findAddress(reply, headerLen+len(question), qtype, want.addr)
}

// classIN is the class of every question and of the records that answer it.
const classIN = 1

// findAddress looks for addr among the answer's records of type qtype. The answer
// begins at offset at. Owners are not compared, for they may be aliases.
func findAddress(reply []byte, at int, qtype uint16, addr netip.Addr) verdict {
	for range binary.BigEndian.Uint16(reply[6:]) {
		at = skipName(reply, at)
		if at < 0 || at+10 > len(reply) {
			return unreadable
		}
		typeAndClass := binary.BigEndian.Uint32(reply[at:])
		length := int(binary.BigEndian.Uint16(reply[at+8:]))
		if at += 10; at+length > len(reply) {
			return unreadable
		}
		if typeAndClass == uint32(qtype)<<16|classIN {
			if got, ok := netip.AddrFromSlice(reply[at : at+length]); ok && got == addr {
				return right
			}
		}
		at += length
	}
	return wrongAddress
}

// skipName returns the offset after the name at offset at, or -1.
func skipName(msg []byte, at int) int {
	for at < len(msg) {
		switch n := int(msg[at]); {
		case n == 0:
			return at + 1
		case n >= 0xc0:
			return at + 2
		case n > 63:
			return -1
		default:
			at += 1 + n
		}
	}
	return -1
}
