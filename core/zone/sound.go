package zone

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// soundFields checks the fixed lengths and the names of RDATA, which is uncompressed. What follows them is
// nobody's business here.
func soundFields(t wire.Type, rdata []byte) bool {
	before, names, after := 0, 0, 0 // octets, names, at least so many octets
	exact := true                   // and not more
	switch t {
	case wire.TypeA:
		after = 4
	case wire.TypeAAAA:
		after = 16
	case wire.TypeNS, wire.TypeCNAME, wire.TypePTR, wire.TypeDNAME:
		names = 1
	case wire.TypeMX:
		before, names = 2, 1
	case wire.TypeSOA:
		names, after = 2, 20
	case wire.TypeSRV:
		before, names = 6, 1
	case wire.TypeSVCB, wire.TypeHTTPS:
		before, names, exact = 2, 1, false
	case wire.TypeRRSIG:
		before, names, exact = 18, 1, false
	case wire.TypeNSEC:
		names, exact = 1, false
	case wire.TypeDS, wire.TypeDNSKEY:
		after, exact = 4, false
	case wire.TypeZONEMD:
		after, exact = 6, false
	case wire.TypeNSEC3PARAM:
		return len(rdata) >= 5 && len(rdata) == 5+int(rdata[4])
	case wire.TypeNSEC3:
		if len(rdata) < 5 || len(rdata) < 6+int(rdata[4]) {
			return false
		}
		rest := rdata[5+int(rdata[4]):]
		return len(rest) >= 1+int(rest[0])
	}
	if len(rdata) < before {
		return false
	}
	rest := rdata[before:]
	for range names {
		n, ok := dname.Parse(rest)
		if !ok {
			return false
		}
		rest = rest[len(n):]
	}
	return len(rest) == after || !exact && len(rest) > after
}
