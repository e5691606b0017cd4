package zone

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// contents tells of records that are well formed, but that nobody can use.
func (c *checker) contents(ref uint32, node []byte) {
	for rest := nodeRecords(node); len(rest) >= recordLen; rest = rest[recordSize(rest):] {
		if text := fault(recordType(rest), rest[recordLen:recordSize(rest)]); text != "" {
			c.addRecord(Warning, ref, rest, "%s", text)
		}
	}
}

// fault returns what is wrong with RDATA, "" if there is nothing to say.
func fault(t wire.Type, rdata []byte) string {
	switch t {
	case wire.TypeDS, wire.TypeCDS, wire.TypeDLV, wire.TypeTA:
		if len(rdata) >= 4 {
			return wrongLength("digest", rdata[3], wire.DigestLen(rdata[3]), len(rdata)-4)
		}
	case wire.TypeSSHFP:
		if len(rdata) >= 2 {
			return wrongLength("fingerprint", rdata[1], pick(rdata[1], 20, 32), len(rdata)-2) // RFC 4255, RFC 6594
		}
	case wire.TypeTLSA, wire.TypeSMIMEA:
		if len(rdata) >= 3 {
			return wrongLength("hash", rdata[2], pick(rdata[2], 32, 64), len(rdata)-3) // RFC 6698, section 2.1.3
		}
	case wire.TypeZONEMD:
		if len(rdata) >= 6 {
			return wrongLength("digest", rdata[5], pick(rdata[5], 48, 64), len(rdata)-6)
		}
	case wire.TypeDNSKEY, wire.TypeCDNSKEY:
		if len(rdata) >= 4 && rdata[2] != 3 {
			return "protocol is not 3: nobody uses the key" // RFC 4034, section 2.1.2
		}
	case wire.TypeSVCB, wire.TypeHTTPS:
		return faultSvcParams(rdata)
	case wire.TypeX25:
		// RFC 1183, section 3.1.
		if text := firstString(rdata); len(text) < 4 || !isNumber(text) {
			return "want an address of at least 4 decimal digits"
		}
	case wire.TypeGPOS:
		return faultGPOS(rdata)
	}
	return ""
}

// wrongLength tells of n octets that are as many as no hash of a type has.
func wrongLength(what string, kind byte, want, n int) string {
	if want == 0 || n == want {
		return ""
	}
	return fmt.Sprintf("%s of type %d has %d octets, not %d", what, kind, n, want)
}

// pick returns what belongs to type 1 or 2; 0 for others.
func pick(kind byte, one, two int) int {
	switch kind {
	case 1:
		return one
	case 2:
		return two
	}
	return 0
}

// faultSvcParams tells of no-default-alpn without alpn, for which clients reject the record (RFC 9460, section 7.1.1).
func faultSvcParams(rdata []byte) string {
	target, ok := dname.Parse(rdata[2:])
	if !ok {
		return ""
	}
	alpn := false
	for rest := rdata[2+len(target):]; len(rest) >= 4; {
		switch binary.BigEndian.Uint16(rest) {
		case 1:
			alpn = true
		case 2:
			if !alpn {
				return "no-default-alpn without alpn: clients reject the record"
			}
		}
		rest = rest[min(4+int(binary.BigEndian.Uint16(rest[2:])), len(rest)):]
	}
	return ""
}

// faultGPOS tells of a place that is not on the earth (RFC 1712, section 3).
func faultGPOS(rdata []byte) string {
	for _, c := range []struct {
		what  string
		limit float64 // either way; 0: none
	}{{"longitude", 180}, {"latitude", 90}, {"altitude", 0}} {
		text := firstString(rdata)
		rdata = rdata[min(1+len(text), len(rdata)):]
		n, err := strconv.ParseFloat(string(text), 64)
		if err != nil || !isDecimal(text) || c.limit > 0 && (n < -c.limit || n > c.limit) {
			return "no " + c.what + ": " + strconv.Quote(string(text))
		}
	}
	return ""
}

// firstString returns the character string that b begins with, "" if there is none.
func firstString(b []byte) []byte {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return nil
	}
	return b[1 : 1+int(b[0])]
}

// isDecimal reports whether text has nothing but what decimal numbers are written with.
func isDecimal(text []byte) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && c != '.' && c != '+' && c != '-' {
			return false
		}
	}
	return true
}

func isNumber(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) > 0
}
