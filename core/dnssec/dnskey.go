package dnssec

import "encoding/binary"

// The flags of a DNSKEY record.
const (
	FlagZone   uint16 = 1 << 8 // the key may sign zone data (RFC 4034, section 2.1.1)
	FlagRevoke uint16 = 1 << 7 // the key may sign nothing but its own revocation (RFC 5011, section 3)
	FlagSEP    uint16 = 1 << 0 // the key is meant as a secure entry point; validation ignores it
)

// protocolDNSSEC is the only value of DNSKEY's protocol field (RFC 4034, section 2.1.2).
const protocolDNSSEC = 3

// DNSKEY is the RDATA of a DNSKEY record (RFC 4034, section 2.1). PublicKey is not empty if ParseDNSKEY
// returned it.
type DNSKEY struct {
	Flags     uint16
	Protocol  uint8
	Algorithm Algorithm
	PublicKey []byte
}

// ParseDNSKEY reads RDATA. The key's PublicKey is a piece of rdata.
func ParseDNSKEY(rdata []byte) (k DNSKEY, ok bool) {
	if len(rdata) < 5 {
		return k, false
	}
	return DNSKEY{
		Flags:     binary.BigEndian.Uint16(rdata),
		Protocol:  rdata[2],
		Algorithm: Algorithm(rdata[3]),
		PublicKey: rdata[4:],
	}, true
}

// Append appends k as RDATA to dst.
func (k DNSKEY) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, k.Flags)
	dst = append(dst, k.Protocol, byte(k.Algorithm))
	return append(dst, k.PublicKey...)
}

// KeyTag computes the key tag of DNSKEY RDATA (RFC 4034, appendix B). Several keys can have the same tag.
func KeyTag(rdata []byte) uint16 {
	// Appendix B.1: for algorithm 1 the tag is taken from the modulus, which ends the key.
	if len(rdata) >= 4+3 && Algorithm(rdata[3]) == RSAMD5 {
		return binary.BigEndian.Uint16(rdata[len(rdata)-3:])
	}
	var sum uint32
	for i, b := range rdata {
		if i&1 == 0 {
			sum += uint32(b) << 8
		} else {
			sum += uint32(b)
		}
	}
	sum += sum >> 16 & 0xffff
	return uint16(sum)
}

// signs reports why k may not sign zone data, ReasonNone if it may.
func (k *DNSKEY) signs() Reason {
	switch {
	case k.Flags&FlagZone == 0:
		return ReasonNoZoneKeyBit
	case k.Protocol != protocolDNSSEC:
		return ReasonKeyProtocol
	case k.Flags&FlagRevoke != 0:
		return ReasonKeyRevoked
	}
	return ReasonNone
}
