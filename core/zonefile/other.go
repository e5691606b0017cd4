package zonefile

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"strconv"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// other reads the RDATA of the less common types.
func (f *fields) other(t wire.Type) {
	if l := layout(t); l != "" {
		f.layout(l)
		if t == wire.TypeCAA && f.err == nil && !isTag(f.out[f.start+2:][:f.out[f.start+1]]) {
			f.fail(errTag)
		}
		return
	}
	switch t {
	case wire.TypeWKS:
		f.wks()
	case wire.TypeNSAP:
		f.nsap()
	case wire.TypeSIG:
		f.rrsig()
	case wire.TypeKEY:
		f.key()
	case wire.TypeLOC:
		f.loc()
	case wire.TypeNXT:
		f.nxt()
	case wire.TypeATMA:
		f.atma()
	case wire.TypeCERT:
		f.cert()
	case wire.TypeA6:
		f.a6()
	case wire.TypeAPL:
		f.apl()
	case wire.TypeIPSECKEY:
		f.ipseckey()
	case wire.TypeHIP:
		f.hip()
	case wire.TypeSVCB, wire.TypeHTTPS:
		f.number(2)
		f.name()
		f.svcParams()
	case wire.TypeDSYNC:
		f.dsync()
	case wire.TypeNID, wire.TypeL64:
		f.number(2)
		f.locator()
	case wire.TypeEUI48:
		f.eui(6)
	case wire.TypeEUI64:
		f.eui(8)
	case wire.TypeDOA:
		f.doa()
	case wire.TypeAMTRELAY:
		f.amtrelay()
	default:
		f.fail(errGenericOnly)
	}
}

// isTag reports whether tag is one of CAA: letters and digits (RFC 8659, section 4.1).
func isTag(tag []byte) bool {
	for _, c := range tag {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return len(tag) > 0
}

// shortest returns the fewest octets that RDATA of t has, for the types without a layout whose wire form
// lets pass less.
func shortest(t wire.Type) int {
	switch t {
	case wire.TypeNSAP, wire.TypeATMA, wire.TypeNXT:
		return 1
	case wire.TypeA6, wire.TypeAMTRELAY:
		return 2
	case wire.TypeIPSECKEY:
		return 3
	case wire.TypeKEY, wire.TypeHIP:
		return 4
	case wire.TypeDNSKEY, wire.TypeCDNSKEY, wire.TypeWKS:
		return 5
	case wire.TypeCERT, wire.TypeDSYNC:
		return 6
	case wire.TypeDOA:
		return 10
	case wire.TypeZONEMD:
		return 6 + 12 // RFC 8976, section 2.2.4
	case wire.TypeLOC:
		return 16
	}
	return 0
}

// checkOther checks what the wire form of a type leaves open.
func checkOther(t wire.Type, c wire.Class, rdata []byte) error {
	if c != wire.ClassIN && t == wire.TypeWKS {
		return nil
	}
	if len(rdata) < shortest(t) {
		return fmt.Errorf("%w: RDATA has %d octets at least", errMalformed, shortest(t))
	}
	if l := layout(t); l != "" && !soundLayout(l, rdata) {
		return errMalformed
	}
	switch t {
	case wire.TypeSVCB, wire.TypeHTTPS:
		return checkSvcParams(rdata)
	case wire.TypeNSEC3:
		// RFC 5155, section 11: hash 1 is SHA-1.
		if rdata[0] == 1 && rdata[5+int(rdata[4])] != sha1.Size {
			return errHashLength
		}
	case wire.TypeRKEY:
		if rdata[0]|rdata[1] != 0 {
			return errFlags
		}
	case wire.TypeTA:
		if want := wire.DigestLen(rdata[3]); want != 0 && len(rdata) != 4+want {
			return errDigestLength
		}
	case wire.TypeHIP:
		return checkHIP(rdata)
	}
	return nil
}

// checkHIP checks the lengths and the names in a HIP record (RFC 8005, section 5).
func checkHIP(rdata []byte) error {
	tag, key := int(rdata[0]), int(rdata[2])<<8|int(rdata[3])
	if tag == 0 || key == 0 || len(rdata) < 4+tag+key {
		return errMalformed
	}
	for rest := rdata[4+tag+key:]; len(rest) > 0; {
		name, ok := dname.Parse(rest)
		if !ok {
			return errMalformed
		}
		rest = rest[len(name):]
	}
	return nil
}

// single takes a token that is one unquoted number of bits bits in base, without sign.
func (f *fields) single(base, bits int) (uint64, bool) {
	t, ok := f.take()
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(string(t.text), base, bits)
	if err != nil || t.quoted {
		f.fail(errNumber)
		return 0, false
	}
	return n, true
}

func (f *fields) number64() {
	n, _ := f.single(10, 64)
	f.putNumber(n, 8)
}

// value reads one string, as all that is left of RDATA.
func (f *fields) value(filled bool) {
	t, ok := f.text()
	if !ok {
		return
	}
	out, ok := appendText(f.out, t)
	if !ok {
		f.fail(errEscape)
		return
	}
	if filled && len(out) == len(f.out) {
		f.fail(errFew)
	}
	f.out = out
}

// appendText appends the octets that a token stands for.
func appendText(dst []byte, t token) ([]byte, bool) {
	if !t.escape {
		return append(dst, t.text...), true
	}
	for i := 0; i < len(t.text); i++ {
		c := t.text[i]
		if c == '\\' {
			value, size, ok := parseEscape(t.text[i:])
			if !ok {
				return dst, false
			}
			c = value
			i += size - 1
		}
		dst = append(dst, c)
	}
	return dst, true
}

// key reads a KEY record: a key of no use is left out (RFC 2535, section 3.1.2).
func (f *fields) key() {
	f.number(2)
	f.number(1)
	f.algorithm()
	if f.err == nil && len(f.tokens) == 0 && f.out[f.start]&0xC0 == 0xC0 {
		return
	}
	f.base64()
}

// isWord reports whether the next token is a certain word, in either letter case.
func (f *fields) isWord(word string) bool {
	return len(f.tokens) > 0 && !f.tokens[0].quoted && bytes.EqualFold(f.tokens[0].text, []byte(word))
}

// certTypes are the mnemonics of RFC 4398, section 2.1.
var certTypes = []struct {
	name string
	n    uint16
}{{"PKIX", 1}, {"SPKI", 2}, {"PGP", 3}, {"IPKIX", 4}, {"ISPKI", 5}, {"IPGP", 6}, {"ACPKIX", 7}, {"IACPKIX", 8}, {"URI", 253}, {"OID", 254}}

func (f *fields) cert() {
	known := false
	for _, c := range certTypes {
		if f.isWord(c.name) {
			f.out, f.tokens, known = put16(f.out, c.n), f.tokens[1:], true
		}
	}
	if !known {
		f.number(2)
	}
	f.number(2)
	f.algorithm()
	f.base64()
}

// dsync reads a DSYNC record (RFC 9859, section 2.2): its only scheme has a mnemonic.
func (f *fields) dsync() {
	f.recordType()
	if f.isWord("NOTIFY") {
		f.out, f.tokens = append(f.out, 1), f.tokens[1:]
	} else {
		f.number(1)
	}
	f.number(2)
	f.name()
}

func (f *fields) recordType() {
	t, ok := f.take()
	if !ok {
		return
	}
	parsed, err := parseType(t)
	if err != nil {
		f.fail(err)
	}
	f.out = put16(f.out, uint16(parsed))
}

// nxt reads an NXT record: its bitmap is one window without a header (RFC 2535, section 5.2).
func (f *fields) nxt() {
	f.name()
	var bits [16]byte
	size := 0
	for len(f.tokens) > 0 && f.err == nil {
		t, _ := f.take()
		parsed, err := parseType(t)
		if err == nil && (parsed == 0 || parsed > 127) {
			err = errRange
		}
		if err != nil {
			f.fail(err)
			return
		}
		bits[parsed/8] |= 0x80 >> (parsed % 8)
		size = max(size, int(parsed/8)+1)
	}
	if size == 0 {
		f.fail(errFew)
	}
	f.out = append(f.out, bits[:size]...)
}

// doa reads a DOA record; - stands for no data.
func (f *fields) doa() {
	f.layout("441s")
	if len(f.tokens) == 1 && f.isWord("-") {
		f.tokens = nil
		return
	}
	f.base64()
}
