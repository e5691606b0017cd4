package zonefile

import "heimdall/core/wire"

// parseRData appends the RDATA of type t to dst.
func (r *reader) parseRData(dst []byte, t wire.Type, tokens []token) ([]byte, error) {
	if len(tokens) > 0 && tokens[0].escape && !tokens[0].quoted && string(tokens[0].text) == `\#` {
		return parseGeneric(dst, t, r.record.Class, tokens[1:])
	}
	f := fields{r: r, tokens: tokens, out: dst, start: len(dst)}
	switch t {
	case wire.TypeA:
		f.address4()
	case wire.TypeAAAA:
		f.address6()
	case wire.TypeNS, wire.TypeCNAME, wire.TypePTR, wire.TypeDNAME:
		f.name()
	case wire.TypeMX:
		f.number(2)
		f.name()
	case wire.TypeSRV:
		f.number(2)
		f.number(2)
		f.number(2)
		f.name()
	case wire.TypeNAPTR:
		f.number(2)
		f.number(2)
		for range 3 {
			if t, ok := f.text(); ok {
				f.string(t)
			}
		}
		f.name()
	case wire.TypeSOA:
		f.name()
		f.name()
		f.number(4)
		for range 4 {
			f.period()
		}
	case wire.TypeTXT, wire.TypeSPF:
		f.strings()
	case wire.TypeDS, wire.TypeCDS:
		f.number(2)
		f.algorithm()
		f.number(1)
		f.hex()
	case wire.TypeDNSKEY, wire.TypeCDNSKEY:
		f.number(2)
		f.number(1)
		f.algorithm()
		f.base64()
	case wire.TypeRRSIG:
		f.rrsig()
	case wire.TypeNSEC:
		f.name()
		f.types()
	case wire.TypeNSEC3:
		f.number(1)
		f.number(1)
		f.number(2)
		f.salt()
		f.nextHash()
		if f.err == nil {
			f.err = checkOther(t, wire.ClassIN, f.out[f.start:])
		}
		f.types()
	case wire.TypeNSEC3PARAM:
		f.number(1)
		f.number(1)
		f.number(2)
		f.salt()
	default:
		f.other(t)
		if f.err == nil && len(f.tokens) == 0 {
			f.err = checkRData(t, wire.ClassIN, f.out[f.start:])
		}
	}
	if f.err == nil && len(f.tokens) > 0 {
		f.err = errMany
	}
	return f.out, f.err
}

// parseGeneric reads RDATA in the form of RFC 3597, section 5: a length and hexadecimal digits.
func parseGeneric(dst []byte, t wire.Type, c wire.Class, tokens []token) ([]byte, error) {
	if len(tokens) == 0 {
		return dst, errFew
	}
	size, err := parseNumber(tokens[0], wire.MaxLen)
	if err != nil {
		return dst, err
	}
	out, ok := appendHex(dst, tokens[1:])
	if !ok {
		return dst, errHex
	}
	if len(out)-len(dst) != int(size) {
		return dst, errRDataLength
	}
	return out, checkRData(t, c, out[len(dst):])
}

// checkRData checks the structure of RDATA that came as octets or from elsewhere.
func checkRData(t wire.Type, c wire.Class, rdata []byte) error {
	rr := wire.RR{Type: t, Class: c, End: len(rdata)}
	// A compression pointer would make it longer or fail.
	out, ok := wire.UnpackRData(nil, rdata, &rr)
	if !ok || string(out) != string(rdata) {
		return errMalformed
	}
	return checkOther(t, c, rdata)
}
