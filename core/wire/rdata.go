package wire

import (
	"encoding/binary"

	"heimdall/core/dname"
)

// UnpackRData appends the RDATA of rr to dst with every name in it uncompressed, and checks its structure:
// lengths, names, strings, type bitmaps. Types that the package does not know are copied as they are
// (RFC 3597, section 4). dst is returned unchanged when ok is false.
//
// The result can be longer than 65535 octets only if a name that was compressed made it so; that fails.
func UnpackRData(dst, msg []byte, rr *RR) (out []byte, ok bool) {
	if rr.End > len(msg) || rr.Data > rr.End {
		return dst, false
	}
	out = dst
	off := rr.Data
	msg = msg[:rr.End] // names of this RDATA end in it; what pointers lead to stands before it
	for _, field := range []byte(layout(rr.Type, rr.Class)) {
		if field == 'n' {
			if out, off, ok = dname.Unpack(out, msg, off); !ok {
				return dst, false
			}
			continue
		}
		size, ok := fieldLen(field, msg[off:])
		if !ok {
			return dst, false
		}
		out = append(out, msg[off:off+size]...)
		off += size
	}
	if off != rr.End || len(out)-len(dst) > MaxLen {
		return dst, false
	}
	return out, true
}

// CanonicalRData appends rdata to dst in the canonical form of DNSSEC: RFC 4034, section 6.2, as changed by
// RFC 6840, section 5.1, puts the names of some types in lower case. rdata holds no compressed names, as
// UnpackRData returns it. What does not look like RDATA of type t is copied as it is.
func CanonicalRData(dst []byte, t Type, rdata []byte) []byte {
	if !canonicalLower(t) {
		return append(dst, rdata...)
	}
	rest := rdata
	for _, field := range []byte(layout(t, ClassIN)) {
		if field == 'n' {
			name, ok := dname.Parse(rest)
			if !ok {
				break
			}
			dst = dname.AppendLower(dst, name)
			rest = rest[len(name):]
			continue
		}
		size, ok := fieldLen(field, rest)
		if !ok {
			break
		}
		dst = append(dst, rest[:size]...)
		rest = rest[size:]
	}
	return append(dst, rest...)
}

// canonicalLower reports whether names in the RDATA of t are put in lower case for signing: the list of
// RFC 4034, section 6.2, less HINFO, which has none, and less NSEC (RFC 6840, section 5.1).
func canonicalLower(t Type) bool {
	switch t {
	case TypeNS, TypeMD, TypeMF, TypeCNAME, TypeSOA, TypeMB, TypeMG, TypeMR, TypePTR, TypeMINFO, TypeMX,
		TypeRP, TypeAFSDB, TypeRT, TypeSIG, TypePX, TypeNXT, TypeNAPTR, TypeKX, TypeSRV, TypeDNAME, TypeRRSIG:
		return true
	}
	return false
}

// compressible reports whether the names in the RDATA of t may be compressed by a sender: the types of
// RFC 1035 only (RFC 3597, section 4).
func compressible(t Type) bool {
	switch t {
	case TypeNS, TypeMD, TypeMF, TypeCNAME, TypeSOA, TypeMB, TypeMG, TypeMR, TypePTR, TypeMINFO, TypeMX:
		return true
	}
	return false
}

// fieldLen returns the length in octets of the field that b begins with, which is no compressed name, and
// whether it fits in b and is sound. b ends where the RDATA ends.
func fieldLen(field byte, b []byte) (size int, ok bool) {
	switch field {
	case 'q':
		size = 16
	case 'u':
		name, ok := dname.Parse(b)
		return len(name), ok
	case 's':
		if len(b) == 0 {
			return 0, false
		}
		size = 1 + int(b[0])
	case 'S':
		for size < len(b) {
			size += 1 + int(b[size])
		}
		return size, size == len(b) && size > 0
	case 'b':
		return len(b), soundBitmap(b)
	case 'p':
		return len(b), soundParams(b)
	case 'o':
		for o := Options(b); len(o) > 0; {
			if _, _, ok := o.Next(); !ok {
				return 0, false
			}
		}
		return len(b), true
	case 'r':
		return len(b), true
	case 'R':
		return len(b), len(b) > 0
	default:
		size = int(field - '0')
	}
	return size, size <= len(b)
}

// soundBitmap checks a type bitmap: windows in ascending order, each of 1 to 32 octets (RFC 4034, section
// 4.1.2).
func soundBitmap(b []byte) bool {
	for last := -1; len(b) > 0; {
		if len(b) < 2 {
			return false
		}
		window, size := int(b[0]), int(b[1])
		if window <= last || size < 1 || size > 32 || 2+size > len(b) {
			return false
		}
		last = window
		b = b[2+size:]
	}
	return true
}

// soundParams checks SvcParams: keys in strictly ascending order, values that fit (RFC 9460, section 2.2).
func soundParams(b []byte) bool {
	for last := -1; len(b) > 0; {
		if len(b) < 4 {
			return false
		}
		key, end := int(binary.BigEndian.Uint16(b)), 4+int(binary.BigEndian.Uint16(b[2:]))
		if key <= last || end > len(b) {
			return false
		}
		last = key
		b = b[end:]
	}
	return true
}
