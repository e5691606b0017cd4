package dnssec

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// rrsigFixedLen is the length in octets of RRSIG RDATA before the signer's name.
const rrsigFixedLen = 18

// RRSIG is the RDATA of an RRSIG record (RFC 4034, section 3.1). Signature is not empty if ParseRRSIG
// returned it.
type RRSIG struct {
	TypeCovered wire.Type
	Algorithm   Algorithm
	Labels      uint8  // of the owner name, without the root and a leading asterisk
	OriginalTTL uint32 // seconds
	Expiration  uint32 // seconds since 1970, modulo 2^32
	Inception   uint32 // seconds since 1970, modulo 2^32
	KeyTag      uint16
	Signer      dname.Name // the zone's name
	Signature   []byte
}

// ParseRRSIG reads RDATA, whose signer name must not be compressed (RFC 4034, section 3.1.7). Signer and
// Signature are pieces of rdata.
func ParseRRSIG(rdata []byte) (s RRSIG, ok bool) {
	if len(rdata) < rrsigFixedLen {
		return s, false
	}
	signer, ok := dname.Parse(rdata[rrsigFixedLen:])
	signature := rdata[rrsigFixedLen+len(signer):]
	if !ok || len(signature) == 0 {
		return s, false
	}
	return RRSIG{
		TypeCovered: wire.Type(binary.BigEndian.Uint16(rdata)),
		Algorithm:   Algorithm(rdata[2]),
		Labels:      rdata[3],
		OriginalTTL: binary.BigEndian.Uint32(rdata[4:]),
		Expiration:  binary.BigEndian.Uint32(rdata[8:]),
		Inception:   binary.BigEndian.Uint32(rdata[12:]),
		KeyTag:      binary.BigEndian.Uint16(rdata[16:]),
		Signer:      signer,
		Signature:   signature,
	}, true
}

// Append appends s as RDATA to dst.
func (s RRSIG) Append(dst []byte) []byte {
	dst = s.appendFixed(dst)
	dst = append(dst, s.Signer...)
	return append(dst, s.Signature...)
}

// appendFixed appends the fields before the signer's name.
func (s *RRSIG) appendFixed(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(s.TypeCovered))
	dst = append(dst, byte(s.Algorithm), s.Labels)
	dst = binary.BigEndian.AppendUint32(dst, s.OriginalTTL)
	dst = binary.BigEndian.AppendUint32(dst, s.Expiration)
	dst = binary.BigEndian.AppendUint32(dst, s.Inception)
	return binary.BigEndian.AppendUint16(dst, s.KeyTag)
}

// after reports whether time a is later than b in the serial arithmetic of RFC 1982, section 3.2, which
// RFC 4034, section 3.1.5, prescribes. Of two times 2^31 seconds apart neither is later.
func after(a, b uint32) bool { return int32(a-b) > 0 && a-b != 1<<31 }

// checkTime reports why s is not valid at the time now, ReasonNone if it is. As clocks and signers are
// not perfect, a signature may be off by a tenth of its life, but at least SkewMin and at most SkewMax.
func (p *Policy) checkTime(s *RRSIG, now uint32) Reason {
	if after(s.Inception, s.Expiration) {
		return ReasonNotYetValid
	}
	skew := min(max((s.Expiration-s.Inception)/10, p.SkewMin), p.SkewMax)
	// RFC 4034, section 3.1.5: both bounds are inclusive.
	switch {
	case after(s.Inception, now) && s.Inception-now > skew:
		return ReasonNotYetValid
	case after(now, s.Expiration) && now-s.Expiration > skew:
		return ReasonExpired
	}
	return ReasonNone
}

// graceTTL is how long in seconds data is kept whose signature has expired within the permitted skew: long
// enough for a burst of clients, short enough to see the zone re-signed.
const graceTTL = 60

// limitTTL returns ttl reduced to what s allows: its original TTL and the rest of its life (RFC 4035,
// section 5.3.3).
func (s *RRSIG) limitTTL(ttl, now uint32) uint32 {
	left := uint32(graceTTL)
	if after(s.Expiration, now) {
		left = s.Expiration - now
	}
	return min(ttl, s.OriginalTTL, left)
}
