package dnssec

import (
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"

	"heimdall/core/dname"
)

const (
	// hashSHA1 is the only NSEC3 hash algorithm (RFC 5155, section 11).
	hashSHA1 = 1
	// hashLen is the length of its hashes in octets.
	hashLen = sha1.Size
	// hashLabelLen is the length in octets of a hash as a label, in base32.
	hashLabelLen = 32
	// flagOptOut marks a span that may hold unsigned delegations (RFC 5155, section 3.1.2.1).
	flagOptOut = 1
)

// NSEC3 is the RDATA of an NSEC3 record (RFC 5155, section 3.2).
type NSEC3 struct {
	NSEC3PARAM
	Next  []byte // hash of the next name, not empty if ParseNSEC3 returned it
	Types Bitmap // may be empty: an empty non-terminal
}

// NSEC3PARAM is the RDATA of an NSEC3PARAM record (RFC 5155, section 4.2).
type NSEC3PARAM struct {
	Hash       uint8
	Flags      uint8
	Iterations uint16 // of the hash, besides the first
	Salt       []byte // at most 255 octets
}

// ParseNSEC3 reads RDATA. The fields are pieces of rdata.
func ParseNSEC3(rdata []byte) (n NSEC3, ok bool) {
	param, rest, ok := parseParam(rdata)
	if !ok || len(rest) < 1 {
		return n, false
	}
	length := int(rest[0])
	if length == 0 || len(rest) < 1+length {
		return n, false
	}
	types, ok := ParseBitmap(rest[1+length:])
	if !ok {
		return n, false
	}
	return NSEC3{NSEC3PARAM: param, Next: rest[1 : 1+length], Types: types}, true
}

func parseParam(rdata []byte) (p NSEC3PARAM, rest []byte, ok bool) {
	if len(rdata) < 5 || len(rdata) < 5+int(rdata[4]) {
		return p, nil, false
	}
	end := 5 + int(rdata[4])
	p = NSEC3PARAM{Hash: rdata[0], Flags: rdata[1], Iterations: binary.BigEndian.Uint16(rdata[2:]), Salt: rdata[5:end]}
	return p, rdata[end:], true
}

// hashName computes the NSEC3 hash of name (RFC 5155, section 5).
func hashName(name dname.Name, iterations uint16, salt []byte) (sum [hashLen]byte) {
	var buf [dname.MaxLen + 255]byte
	data := append(dname.AppendLower(buf[:0], name), salt...)
	sum = sha1.Sum(data)
	data = append(append(buf[:0], sum[:]...), salt...)
	for range iterations {
		sum = sha1.Sum(data)
		copy(data, sum[:])
	}
	return sum
}

// hashCost is the number of 64-octet blocks that SHA-1 works through for one hash of a name, when the name
// itself is of ordinary length. A block's end holds 9 octets of padding.
func hashCost(iterations uint16, salt []byte) int {
	return (1 + int(iterations)) * ((hashLen + len(salt) + 9 + 63) / 64)
}

// base32Hex is the encoding of hashes in owner names (RFC 5155, section 3.3).
var base32Hex = base32.HexEncoding.WithPadding(base32.NoPadding)

// parseHashLabel decodes the first label of an NSEC3 record's owner name.
func parseHashLabel(owner dname.Name) (hash [hashLen]byte, ok bool) {
	label := owner.Label()
	if len(label) != hashLabelLen {
		return hash, false
	}
	var upper [hashLabelLen]byte
	for i, c := range label {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	n, err := base32Hex.Decode(hash[:], upper[:])
	return hash, err == nil && n == hashLen
}
