package dnssec

import (
	"slices"

	"heimdall/core/wire"
)

// Bitmap is the type bit map of an NSEC or NSEC3 record (RFC 4034, section 4.1.2). The zero value holds no
// type.
type Bitmap []byte

// maxWindow is the longest window of a Bitmap in octets: 256 types, a bit each.
const maxWindow = 32

// ParseBitmap reads the rest of RDATA. It is strict: windows must be in ascending order, not be empty and
// not end with a zero octet.
func ParseBitmap(b []byte) (m Bitmap, ok bool) {
	last := -1 // number of the preceding window
	for rest := b; len(rest) > 0; {
		if len(rest) < 2 {
			return nil, false
		}
		window, length := int(rest[0]), int(rest[1])
		if window <= last || length == 0 || length > maxWindow || len(rest) < 2+length || rest[1+length] == 0 {
			return nil, false
		}
		last = window
		rest = rest[2+length:]
	}
	return Bitmap(b), true
}

// Has reports whether t is in m.
func (m Bitmap) Has(t wire.Type) bool {
	index, bit := int(t&0xff)/8, byte(0x80)>>(t%8)
	for len(m) > 2 && int(m[0]) <= int(t>>8) {
		if int(m[0]) == int(t>>8) {
			return index < int(m[1]) && m[2+index]&bit != 0
		}
		m = m[2+int(m[1]):]
	}
	return false
}

// AppendBitmap appends the bit map of the given types, which may be in any order, to dst.
func AppendBitmap(dst []byte, types ...wire.Type) []byte {
	types = slices.Sorted(slices.Values(types))
	for i := 0; i < len(types); {
		var bits [maxWindow]byte
		window := types[i] >> 8
		length := 0
		for ; i < len(types) && types[i]>>8 == window; i++ {
			at := int(types[i]&0xff) / 8
			bits[at] |= 0x80 >> (types[i] % 8)
			length = at + 1
		}
		dst = append(dst, byte(window), byte(length))
		dst = append(dst, bits[:length]...)
	}
	return dst
}

// delegation reports whether m is that of a zone cut seen from the parent: NS, but not SOA.
func (m Bitmap) delegation() bool { return m.Has(wire.TypeNS) && !m.Has(wire.TypeSOA) }

// insecureDelegation reports whether m is that of a zone cut to an unsigned zone.
func (m Bitmap) insecureDelegation() bool { return m.delegation() && !m.Has(wire.TypeDS) }
