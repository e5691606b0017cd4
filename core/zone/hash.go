package zone

import (
	"crypto/sha1"

	"heimdall/core/dname"
)

// hashParams are the parameters of a zone's NSEC3 chain.
type hashParams struct {
	iterations int
	salt       []byte
}

// nameHash returns the NSEC3 hash of a name in lower case (RFC 5155, section 5).
func (p *hashParams) nameHash(n dname.Name) [hashLen]byte {
	var buf [dname.MaxLen + 255]byte // a salt has at most 255 octets
	size := copy(buf[:], n)
	size += copy(buf[size:], p.salt)
	h := sha1.Sum(buf[:size])
	for range p.iterations {
		size = copy(buf[:], h[:])
		size += copy(buf[size:], p.salt)
		h = sha1.Sum(buf[:size])
	}
	return h
}

// base32Digits is the alphabet of the owner names of NSEC3 records (RFC 4648, section 7).
const base32Digits = "0123456789abcdefghijklmnopqrstuv"

// parseHash reads a hash from the 32 digits of an NSEC3 owner's label.
func parseHash(label []byte) (hash [hashLen]byte, ok bool) {
	for i := range hashLen / 5 {
		var group uint64
		for _, c := range label[i*8 : i*8+8] {
			switch {
			case '0' <= c && c <= '9':
				c -= '0'
			case 'a' <= c && c <= 'v':
				c -= 'a' - 10
			case 'A' <= c && c <= 'V':
				c -= 'A' - 10
			default:
				return hash, false
			}
			group = group<<5 | uint64(c)
		}
		for j := range 5 {
			hash[i*5+j] = byte(group >> (32 - 8*j))
		}
	}
	return hash, true
}

// appendHash is parseHash's inverse; it appends the label with its length octet.
func appendHash(dst, hash []byte) []byte {
	dst = append(dst, hashLen*8/5)
	for ; len(hash) >= 5; hash = hash[5:] {
		var group uint64
		for _, c := range hash[:5] {
			group = group<<8 | uint64(c)
		}
		for shift := 35; shift >= 0; shift -= 5 {
			dst = append(dst, base32Digits[group>>shift&31])
		}
	}
	return dst
}
