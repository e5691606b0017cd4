package zone

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// originPointer ends a name of the zone inside RDATA in place of the origin: a compression pointer that is
// patched when the record is written into a message.
const originPointer = "\xC0\x00"

// nameFields tells where the names are in the RDATA of the types whose names a sender may compress (RFC
// 3597, section 4): how many octets precede them, and how many names there are in a row. The obsolete types
// of RFC 1035 are left out: their names stay as they are.
func nameFields(t wire.Type) (before, names int) {
	switch t {
	case wire.TypeNS, wire.TypeCNAME, wire.TypePTR:
		return 0, 1
	case wire.TypeMX:
		return 2, 1
	case wire.TypeSOA:
		return 0, 2
	}
	return 0, 0
}

// appendCompact appends RDATA in the form in which nodes hold it.
func appendCompact(dst []byte, origin dname.Name, t wire.Type, rdata []byte) []byte {
	before, names := nameFields(t)
	if names == 0 || before > len(rdata) {
		return append(dst, rdata...)
	}
	dst = append(dst, rdata[:before]...)
	rdata = rdata[before:]
	for range names {
		n, ok := dname.Parse(rdata)
		if !ok {
			break
		}
		rdata = rdata[len(n):]
		// The root as origin would save nothing.
		if len(origin) > 1 && n.In(origin) {
			dst = append(append(dst, n[:len(n)-len(origin)]...), originPointer...)
		} else {
			dst = append(dst, n...)
		}
	}
	return append(dst, rdata...)
}

// appendExpanded is appendCompact's inverse, except for the letter case of the origin.
func appendExpanded(dst []byte, origin dname.Name, t wire.Type, rdata []byte) []byte {
	before, names := nameFields(t)
	if names == 0 {
		return append(dst, rdata...)
	}
	dst = append(dst, rdata[:before]...)
	rdata = rdata[before:]
	for range names {
		labels, inside, size := compactName(rdata)
		dst = append(dst, labels...)
		if inside {
			dst = append(dst, origin...)
		} else {
			dst = append(dst, 0)
		}
		rdata = rdata[size:]
	}
	return append(dst, rdata...)
}

// compactName reads the name that b begins with: its labels, without the origin if inside is true and
// without the root otherwise, and the octets that it takes.
func compactName(b []byte) (labels []byte, inside bool, size int) {
	i := 0
	for b[i] != 0 {
		if b[i] == originPointer[0] {
			return b[:i], true, i + 2
		}
		i += 1 + int(b[i])
	}
	return b[:i], false, i + 1
}
