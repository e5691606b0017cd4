package dnssec

import "heimdall/core/wire"

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

// delegation reports whether m is that of a zone cut seen from the parent: NS, but not SOA.
func (m Bitmap) delegation() bool { return m.Has(wire.TypeNS) && !m.Has(wire.TypeSOA) }

// insecureDelegation reports whether m is that of a zone cut to an unsigned zone.
func (m Bitmap) insecureDelegation() bool { return m.delegation() && !m.Has(wire.TypeDS) }
