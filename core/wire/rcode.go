package wire

import (
	"strconv"

	"github.com/miekg/dns"
)

// Rcode is a response code: the header's four bits, extended to twelve by an OPT (RFC 6891, section 6.1.3).
type Rcode uint16

// The response codes (RFC 6895, section 2.3).
const (
	RcodeNoError   Rcode = 0
	RcodeFormErr   Rcode = 1
	RcodeServFail  Rcode = 2
	RcodeNXDomain  Rcode = 3
	RcodeNotImp    Rcode = 4
	RcodeRefused   Rcode = 5
	RcodeYXDomain  Rcode = 6
	RcodeYXRRSet   Rcode = 7
	RcodeNXRRSet   Rcode = 8
	RcodeNotAuth   Rcode = 9
	RcodeNotZone   Rcode = 10
	RcodeBadVers   Rcode = 16
	RcodeBadKey    Rcode = 17
	RcodeBadTime   Rcode = 18
	RcodeBadTrunc  Rcode = 22
	RcodeBadCookie Rcode = 23
)

// String returns the code's mnemonic, or RCODEnnn. 16 is BADVERS, not the BADSIG it is inside a TSIG.
func (r Rcode) String() string {
	if r == RcodeBadVers {
		return "BADVERS"
	}
	if s, ok := dns.RcodeToString[int(r)]; ok {
		return s
	}
	return "RCODE" + strconv.Itoa(int(r))
}

// Opcode is the kind of a query (RFC 6895, section 2.2).
type Opcode uint8

// The opcodes.
const (
	OpcodeQuery  Opcode = 0
	OpcodeStatus Opcode = 2
	OpcodeNotify Opcode = 4
	OpcodeUpdate Opcode = 5
)

// String returns the opcode's mnemonic, or OPCODEnn.
func (o Opcode) String() string {
	if s, ok := dns.OpcodeToString[int(o)]; ok {
		return s
	}
	return "OPCODE" + strconv.Itoa(int(o))
}
