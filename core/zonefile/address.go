package zonefile

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
)

// word takes a token as it is written.
func (f *fields) word() string {
	t, _ := f.take()
	return string(t.text)
}

// apl reads the address prefixes of RFC 3123, section 5.
func (f *fields) apl() {
	for len(f.tokens) > 0 && f.err == nil {
		text, not := strings.CutPrefix(f.word(), "!")
		family, text, ok := strings.Cut(text, ":")
		address, length, cut := strings.Cut(text, "/")
		a, err := netip.ParseAddr(address)
		bits, lengthErr := strconv.ParseUint(length, 10, 8)
		if !ok || !cut || err != nil || lengthErr != nil || a.Zone() != "" || int(bits) > a.BitLen() ||
			!(family == "1" && a.Is4()) && !(family == "2" && a.Is6()) {
			f.fail(errPrefix)
			return
		}
		octets := bytes.TrimRight(a.AsSlice(), "\x00") // RFC 3123, section 4
		size := byte(len(octets))
		if not {
			size |= 0x80
		}
		f.out = append(f.out, 0, family[0]-'0', byte(bits), size)
		f.out = append(f.out, octets...)
	}
}

// gateway reads the address or name that kind says.
func (f *fields) gateway(kind byte) {
	switch kind {
	case 0:
		if f.word() != "." {
			f.fail(errGateway)
		}
	case 1:
		f.address4()
	case 2:
		f.address6()
	case 3:
		f.name()
	default:
		f.fail(errRange)
	}
}

// ipseckey reads an IPSECKEY record (RFC 4025, section 3): algorithm 0 has no key.
func (f *fields) ipseckey() {
	f.layout("111")
	if f.err != nil {
		return
	}
	kind, algorithm := f.out[f.start+1], f.out[f.start+2]
	f.gateway(kind)
	if algorithm != 0 || len(f.tokens) > 0 {
		f.base64()
	}
}

// amtrelay reads an AMTRELAY record (RFC 8777, section 4.3).
func (f *fields) amtrelay() {
	f.number(1)
	optional, _ := f.single(10, 1)
	kind, ok := f.single(10, 7)
	if !ok {
		return
	}
	f.out = append(f.out, byte(optional<<7|kind))
	f.gateway(byte(kind))
}

// a6 reads an A6 record (RFC 2874, section 3.2): the prefix's length, the rest of the address, and the name that
// has the prefix.
func (f *fields) a6() {
	f.number(1)
	if f.err != nil {
		return
	}
	prefix := int(f.out[f.start])
	if prefix > 128 {
		f.fail(errRange)
		return
	}
	if prefix < 128 {
		start := len(f.out)
		if f.address6(); f.err != nil {
			return
		}
		suffix := f.out[start+prefix/8:]
		suffix[0] &= 0xFF >> (prefix % 8)
		f.out = append(f.out[:start], suffix...)
	}
	if prefix > 0 {
		f.name()
	}
}

// protocols and services are the names that WKS records of old hold.
var (
	protocols = map[string]uint64{"icmp": 1, "tcp": 6, "udp": 17}
	services  = map[string]uint64{"echo": 7, "discard": 9, "daytime": 13, "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25,
		"time": 37, "domain": 53, "tftp": 69, "gopher": 70, "finger": 79, "http": 80, "pop3": 110, "sunrpc": 111,
		"nntp": 119, "ntp": 123, "imap": 143, "snmp": 161, "https": 443}
)

// named takes a number up to limit, or a name for one.
func (f *fields) named(names map[string]uint64, limit uint64) int {
	t, ok := f.take()
	if !ok {
		return 0
	}
	if n, ok := names[strings.ToLower(string(t.text))]; ok {
		return int(n)
	}
	n, err := parseNumber(t, limit)
	if err != nil {
		f.fail(err)
	}
	return int(n)
}

// wks reads a WKS record (RFC 1035, section 3.4.2): a bit for every port.
func (f *fields) wks() {
	f.address4()
	f.out = append(f.out, byte(f.named(protocols, 255)))
	start := len(f.out)
	for len(f.tokens) > 0 && f.err == nil {
		port := f.named(services, 1<<16-1)
		for len(f.out) <= start+port/8 {
			f.out = append(f.out, 0)
		}
		f.out[start+port/8] |= 0x80 >> (port % 8)
	}
}

// nsap reads an NSAP record (RFC 1706, section 7): 0x and hexadecimal digits, with dots between them at will.
func (f *fields) nsap() {
	text := f.word()
	if len(text) < 2 || text[0] != '0' || text[1]|0x20 != 'x' {
		f.fail(errNSAP)
		return
	}
	f.dotted(text[2:])
}

// dotted appends hexadecimal digits with dots among them.
func (f *fields) dotted(text string) {
	out, ok := appendHex(f.out, []token{{text: []byte(strings.ReplaceAll(text, ".", ""))}})
	if !ok || len(out) == len(f.out) {
		f.fail(errHex)
		return
	}
	f.out = out
}

// atma reads an ATMA record: + and an E.164 number, or an address in hexadecimal digits.
func (f *fields) atma() {
	text := f.word()
	if f.err != nil {
		return
	}
	number, ok := strings.CutPrefix(text, "+")
	if !ok {
		f.out = append(f.out, 0)
		f.dotted(text)
		return
	}
	number = strings.ReplaceAll(number, ".", "")
	if number == "" || strings.Trim(number, "0123456789") != "" {
		f.fail(errNumber)
	}
	f.out = append(append(f.out, 1), number...)
}

// hip reads a HIP record (RFC 8005, section 5).
func (f *fields) hip() {
	algorithm, _ := f.single(10, 8)
	tag, tagOK := f.take()
	key, keyOK := f.take()
	if !tagOK || !keyOK {
		return
	}
	f.out = append(f.out, 0, byte(algorithm), 0, 0)
	rest := f.tokens
	part := func(read func(), t token) int {
		start := len(f.out)
		f.tokens = []token{t}
		read()
		return len(f.out) - start
	}
	tagLen, keyLen := part(f.hex, tag), part(f.base64, key)
	if tagLen > 255 || keyLen > 1<<16-1 {
		f.fail(errRange)
	}
	head := f.out[f.start:]
	head[0], head[2], head[3] = byte(tagLen), byte(keyLen>>8), byte(keyLen)
	for f.tokens = rest; len(f.tokens) > 0 && f.err == nil; {
		f.name()
	}
}

// groups reads count groups of min to max hexadecimal digits, each as size octets.
func (f *fields) groups(separator string, count, min, max, size int) {
	parts := strings.Split(f.word(), separator)
	if len(parts) != count {
		f.fail(errGroups)
		return
	}
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 16, 8*size)
		if err != nil || len(p) < min || len(p) > max {
			f.fail(errGroups)
			return
		}
		f.putNumber(n, size)
	}
}

// eui reads an address of RFC 7043.
func (f *fields) eui(octets int) { f.groups("-", octets, 2, 2, 1) }

// locator reads 64 bits as RFC 6742, sections 2.1.2 and 2.3.2, write them.
func (f *fields) locator() { f.groups(":", 4, 1, 4, 2) }
