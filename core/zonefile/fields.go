package zonefile

import (
	"encoding/base64"
	"net/netip"

	"heimdall/core/dname"
)

// fields takes RDATA fields off the tokens of an entry. The first error stays, and all that follows it does
// nothing.
type fields struct {
	r      *reader
	tokens []token
	out    []byte
	start  int // where RDATA begins in out
	err    error
}

// take returns the next token, which must not be quoted: only text may be.
func (f *fields) take() (token, bool) {
	t, ok := f.text()
	if t.quoted {
		f.fail(errQuoted)
		return token{}, false
	}
	return t, ok
}

// text returns the next token, quoted or not.
func (f *fields) text() (token, bool) {
	if f.err == nil && len(f.tokens) == 0 {
		f.err = errFew
	}
	if f.err != nil {
		return token{}, false
	}
	t := f.tokens[0]
	f.tokens = f.tokens[1:]
	return t, true
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// number reads a number of size octets.
func (f *fields) number(size int) {
	t, ok := f.take()
	if !ok {
		return
	}
	n, err := parseNumber(t, 1<<(8*size)-1)
	if err != nil {
		f.fail(err)
		return
	}
	f.putNumber(n, size)
}

func (f *fields) putNumber(n uint64, size int) {
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		f.out = append(f.out, byte(n>>shift))
	}
}

// period reads a number of seconds, perhaps with units.
func (f *fields) period() {
	t, ok := f.take()
	if !ok {
		return
	}
	if len(t.text) == 0 {
		f.fail(errNumber)
		return
	}
	n, err := parseTTL(t.text)
	if err != nil {
		f.fail(err)
		return
	}
	f.putNumber(uint64(n), 4)
}

func (f *fields) name() {
	t, ok := f.text() // others take names in quotes as well
	if !ok {
		return
	}
	var buf [dname.MaxLen + 1]byte
	n, err := f.r.name(buf[:0], t)
	if err != nil {
		f.fail(err)
		return
	}
	f.out = append(f.out, n...)
}

func (f *fields) address4() {
	t, ok := f.take()
	if !ok {
		return
	}
	if a, ok := parseIPv4(t.text); ok {
		f.out = append(f.out, a[:]...)
	} else {
		f.fail(errAddress4)
	}
}

// parseIPv4 reads four decimal numbers, without leading zeros as netip has it.
func parseIPv4(text []byte) (a [4]byte, ok bool) {
	part, value, digits := 0, 0, 0
	for _, c := range text {
		switch {
		case isDigit(c):
			if digits > 0 && value == 0 {
				return a, false
			}
			value = value*10 + int(c-'0')
			if digits++; value > 255 {
				return a, false
			}
		case c == '.' && digits > 0 && part < 3:
			a[part] = byte(value)
			part++
			value, digits = 0, 0
		default:
			return a, false
		}
	}
	a[part] = byte(value)
	return a, part == 3 && digits > 0
}

func (f *fields) address6() {
	t, ok := f.take()
	if !ok {
		return
	}
	a, err := netip.ParseAddr(string(t.text))
	if err != nil || !a.Is6() || a.Zone() != "" {
		f.fail(errAddress6)
		return
	}
	b := a.As16()
	f.out = append(f.out, b[:]...)
}

// strings reads character strings up to the end, at least one.
func (f *fields) strings() {
	if len(f.tokens) == 0 {
		f.fail(errFew)
	}
	for len(f.tokens) > 0 && f.err == nil {
		t, _ := f.text()
		f.string(t)
	}
}

func (f *fields) string(t token) {
	length := len(f.out)
	f.out = append(f.out, 0)
	if !t.escape {
		f.out = append(f.out, t.text...)
	} else {
		for i := 0; i < len(t.text); i++ {
			c := t.text[i]
			if c == '\\' {
				value, size, ok := parseEscape(t.text[i:])
				if !ok {
					f.fail(errEscape)
					return
				}
				c = value
				i += size - 1
			}
			f.out = append(f.out, c)
		}
	}
	size := len(f.out) - length - 1
	if size > 255 {
		f.fail(errLongString)
		return
	}
	f.out[length] = byte(size)
}

// hex reads hexadecimal digits up to the end; white space may be anywhere between them.
func (f *fields) hex() {
	out, ok := appendHex(f.out, f.tokens)
	if !ok || len(out) == len(f.out) {
		f.fail(errHex)
		return
	}
	f.out, f.tokens = out, nil
}

// appendHex appends what the tokens together are in hexadecimal.
func appendHex(dst []byte, tokens []token) ([]byte, bool) {
	half, high := false, byte(0)
	for _, t := range tokens {
		if t.quoted {
			return dst, false
		}
		for _, c := range t.text {
			switch {
			case isDigit(c):
				c -= '0'
			case 'a' <= c|0x20 && c|0x20 <= 'f':
				c = c | 0x20 - 'a' + 10
			default:
				return dst, false
			}
			if half = !half; half {
				high = c << 4
			} else {
				dst = append(dst, high|c)
			}
		}
	}
	return dst, !half
}

// base64 reads Base64 up to the end; white space may be anywhere in it.
func (f *fields) base64() {
	if f.err != nil {
		return
	}
	f.r.text = f.r.text[:0]
	for _, t := range f.tokens {
		if t.quoted {
			f.fail(errQuoted)
			return
		}
		f.r.text = append(f.r.text, t.text...)
	}
	out, err := base64.StdEncoding.Strict().AppendDecode(f.out, f.r.text)
	if err != nil || len(out) == len(f.out) {
		f.fail(errBase64)
		return
	}
	f.out, f.tokens = out, nil
}
