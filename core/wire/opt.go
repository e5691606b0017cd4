package wire

import "encoding/binary"

// EDNS option codes.
const (
	OptionNSID         = 3  // RFC 5001
	OptionClientSubnet = 8  // RFC 7871
	OptionCookie       = 10 // RFC 7873
	OptionKeepAlive    = 11 // RFC 7828
	OptionPadding      = 12 // RFC 7830
	OptionEDE          = 15 // RFC 8914
)

// OPTLen is the length in octets of an OPT record without options.
const OPTLen = 1 + rrFixedLen

// flagDO is DNSSEC OK in the TTL field of an OPT (RFC 6891, section 6.1.3).
const flagDO = 1 << 15

// OPT is what an OPT record says besides its options (RFC 6891, section 6.1.3).
type OPT struct {
	UDPSize uint16 // largest UDP payload in octets that the sender takes
	Rcode   Rcode  // of the message; the OPT carries the bits above the low four
	Version uint8  // EDNS version; 0 is the only one
	DO      bool   // DNSSEC OK
}

// AppendOPT appends an OPT record without options to msg, a whole message from its header on, and counts
// it in the header.
func AppendOPT(msg []byte, o OPT) []byte {
	ttl := uint32(o.Rcode)>>4<<24 | uint32(o.Version)<<16
	if o.DO {
		ttl |= flagDO
	}
	SetCount(msg, Additional, Count(msg, Additional)+1)
	msg = append(msg, 0) // the root
	msg = binary.BigEndian.AppendUint16(msg, uint16(TypeOPT))
	msg = binary.BigEndian.AppendUint16(msg, o.UDPSize)
	msg = binary.BigEndian.AppendUint32(msg, ttl)
	return binary.BigEndian.AppendUint16(msg, 0)
}

// AppendOption appends an option to the OPT record that msg, a whole message, ends with. It returns msg
// unchanged when it does not end with an OPT or would grow beyond 65535 octets.
func AppendOption(msg []byte, code uint16, data []byte) []byte {
	opt := lastOPT(msg)
	if opt < 0 || len(msg)+4+len(data) > MaxLen {
		return msg
	}
	msg = binary.BigEndian.AppendUint16(msg, code)
	msg = binary.BigEndian.AppendUint16(msg, uint16(len(data)))
	msg = append(msg, data...)
	binary.BigEndian.PutUint16(msg[opt-2:], uint16(len(msg)-opt))
	return msg
}

// lastOPT returns the offset of the RDATA of the OPT record that msg ends with, or -1. It walks from
// the front: read from the back, an option's data could pass for a record.
func lastOPT(msg []byte) int {
	var r Reader
	var rr RR
	if !r.Reset(msg) {
		return -1
	}
	for {
		if _, ok := r.Next(&rr); !ok {
			break
		}
	}
	if r.Err() || rr.Type != TypeOPT || rr.End != len(msg) {
		return -1
	}
	return rr.Data
}

// ParseOPT reads the OPT record rr of msg and its options. flags is the header's second word, for the low
// four bits of the Rcode. It fails when the owner is not the root, or an option does not fit.
func ParseOPT(msg []byte, rr *RR) (o OPT, options Options, ok bool) {
	if rr.Type != TypeOPT || rr.Data-rr.Start != OPTLen {
		return OPT{}, nil, false
	}
	o = OPT{
		UDPSize: max(uint16(rr.Class), MinUDPSize),
		Rcode:   Rcode(rr.TTL>>24)<<4 | RcodeOf(Flags(msg)),
		Version: uint8(rr.TTL >> 16),
		DO:      rr.TTL&flagDO != 0,
	}
	options = Options(msg[rr.Data:rr.End])
	for rest := options; len(rest) > 0; {
		if _, _, ok := rest.Next(); !ok {
			return OPT{}, nil, false
		}
	}
	return o, options, true
}

// Options are the options of an OPT record that are not yet read.
type Options []byte

// Next takes the first option off o. It returns false when none is left or the next does not fit.
func (o *Options) Next() (code uint16, data []byte, ok bool) {
	rest := *o
	if len(rest) < 4 {
		return 0, nil, false
	}
	end := 4 + int(binary.BigEndian.Uint16(rest[2:]))
	if end > len(rest) {
		return 0, nil, false
	}
	*o = rest[end:]
	return binary.BigEndian.Uint16(rest), rest[4:end:end], true
}
