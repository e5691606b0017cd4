package zonefile

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// layout describes the fields of the types that parseRData has no case for, in text and on the wire, one
// character a field:
//
//	1 2 4 8  a number of that many octets
//	a        a DNSSEC algorithm, a number or a mnemonic
//	t        a record type
//	n        a domain name
//	A        an IPv4 address
//	s        a character string
//	o        a character string, or nothing at the end
//	S        character strings, at least one
//	T        a type bitmap, perhaps empty
//	v        a string without length octet, up to the end
//	V        the same, not empty
//	x        hexadecimal, up to the end, not empty
//	b        Base64, up to the end, not empty
//
// The types of special have a form of their own.
func layout(t wire.Type) string {
	switch t {
	case wire.TypeMD, wire.TypeMF, wire.TypeMB, wire.TypeMG, wire.TypeMR, wire.TypeNSAPPTR:
		return "n"
	case wire.TypeMINFO, wire.TypeRP, wire.TypeTALINK:
		return "nn"
	case wire.TypeAFSDB, wire.TypeRT, wire.TypeKX, wire.TypeLP:
		return "2n"
	case wire.TypePX:
		return "2nn"
	case wire.TypeHINFO:
		return "ss"
	case wire.TypeGPOS:
		return "sss"
	case wire.TypeX25, wire.TypeUINFO:
		return "s"
	case wire.TypeISDN:
		return "so"
	case wire.TypeNINFO, wire.TypeAVC, wire.TypeRESINFO, wire.TypeWALLET, wire.TypeCLA:
		return "S"
	case wire.TypeUID, wire.TypeGID:
		return "4"
	case wire.TypeIPN:
		return "8"
	case wire.TypeL32:
		return "2A"
	case wire.TypeEID, wire.TypeNIMLOC:
		return "x"
	case wire.TypeDHCID, wire.TypeOPENPGPKEY, wire.TypeHHIT, wire.TypeBRID:
		return "b"
	case wire.TypeSINK:
		return "111b"
	case wire.TypeRKEY:
		return "21ab"
	case wire.TypeDS, wire.TypeCDS, wire.TypeDLV, wire.TypeTA:
		return "2a1x"
	case wire.TypeSSHFP:
		return "11x"
	case wire.TypeTLSA, wire.TypeSMIMEA:
		return "111x"
	case wire.TypeZONEMD:
		return "411x"
	case wire.TypeCSYNC:
		return "42T"
	case wire.TypeURI:
		return "22V"
	case wire.TypeCAA:
		return "1sv"
	}
	return ""
}

// layout reads the fields that a layout describes.
func (f *fields) layout(layout string) {
	for _, field := range []byte(layout) {
		switch field {
		case '1', '2', '4':
			f.number(int(field - '0'))
		case '8':
			f.number64()
		case 'a':
			f.algorithm()
		case 'n':
			f.name()
		case 'A':
			f.address4()
		case 's':
			if t, ok := f.text(); ok {
				f.string(t)
			}
		case 'o':
			if len(f.tokens) > 0 {
				t, _ := f.text()
				f.string(t)
			}
		case 'S':
			f.strings()
		case 'T':
			f.types()
		case 'v', 'V':
			f.value(field == 'V')
		case 'x':
			f.hex()
		case 'b':
			f.base64()
		}
	}
}

// soundLayout reports whether rdata consists of the fields that a layout describes.
func soundLayout(layout string, rdata []byte) bool {
	for _, field := range []byte(layout) {
		size := 0
		switch field {
		case '1', '2', '4', '8':
			size = int(field - '0')
		case 'a':
			size = 1
		case 'A':
			size = 4
		case 'n':
			name, ok := dname.Parse(rdata)
			if !ok {
				return false
			}
			size = len(name)
		case 's', 'o':
			if field == 'o' && len(rdata) == 0 {
				return true
			}
			if len(rdata) == 0 {
				return false
			}
			size = 1 + int(rdata[0])
		case 'S':
			if len(rdata) == 0 {
				return false
			}
			for len(rdata) > 0 {
				if size = 1 + int(rdata[0]); size > len(rdata) {
					return false
				}
				rdata = rdata[size:]
			}
			return true
		case 'V', 'x', 'b':
			return len(rdata) > 0
		case 'v', 'T': // wire.UnpackRData knows bitmaps
			return true
		}
		if size > len(rdata) {
			return false
		}
		rdata = rdata[size:]
	}
	return len(rdata) == 0
}
