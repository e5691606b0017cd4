package zonefile

import (
	"bytes"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// commonType returns the type that text names if it is one of the common ones; 0 if not.
func commonType(text []byte) wire.Type {
	switch len(text) {
	case 1:
		if text[0]|0x20 == 'a' {
			return wire.TypeA
		}
	case 2:
		switch string([]byte{text[0] | 0x20, text[1] | 0x20}) {
		case "ns":
			return wire.TypeNS
		case "mx":
			return wire.TypeMX
		case "ds":
			return wire.TypeDS
		}
	case 3:
		switch string([]byte{text[0] | 0x20, text[1] | 0x20, text[2] | 0x20}) {
		case "txt":
			return wire.TypeTXT
		case "soa":
			return wire.TypeSOA
		case "ptr":
			return wire.TypePTR
		case "srv":
			return wire.TypeSRV
		}
	case 4, 5:
		var buf [5]byte
		for i, c := range text {
			if c > '9' { // the digit of NSEC3 has no case
				c |= 0x20
			}
			buf[i] = c
		}
		switch string(buf[:len(text)]) {
		case "aaaa":
			return wire.TypeAAAA
		case "nsec":
			return wire.TypeNSEC
		case "cname":
			return wire.TypeCNAME
		case "rrsig":
			return wire.TypeRRSIG
		case "nsec3":
			return wire.TypeNSEC3
		case "dname":
			return wire.TypeDNAME
		}
	}
	return 0
}

// isClass reports whether text names a class, and stores it.
func isClass(text []byte, c *wire.Class) bool {
	if len(text) == 2 && text[0]|0x20 == 'i' && text[1]|0x20 == 'n' {
		*c = wire.ClassIN
		return true
	}
	if len(text) != 2 && (len(text) < 6 || !bytes.EqualFold(text[:5], []byte("CLASS"))) && !bytes.EqualFold(text, []byte("CSNET")) {
		return false
	}
	parsed, err := wire.ParseClass(string(text))
	if err != nil || parsed == wire.ClassANY || parsed == wire.ClassNONE {
		return false
	}
	*c = parsed
	return true
}

// parseTTL reads seconds, or numbers with units such as 1h30m, as BIND introduced them.
func parseTTL(text []byte) (uint32, error) {
	total, number, digits := uint64(0), uint64(0), false
	for _, c := range text {
		if isDigit(c) {
			number = number*10 + uint64(c-'0')
			if digits = true; number > 1<<32 {
				return 0, errRange
			}
			continue
		}
		unit := uint64(0)
		switch c | 0x20 {
		case 's':
			unit = 1
		case 'm':
			unit = 60
		case 'h':
			unit = 3600
		case 'd':
			unit = 86400
		case 'w':
			unit = 7 * 86400
		}
		if unit == 0 || !digits {
			return 0, errNumber
		}
		total += number * unit
		number, digits = 0, false
		if total > 1<<32 {
			return 0, errRange
		}
	}
	if total += number; total > 1<<32-1 {
		return 0, errRange
	}
	return uint32(total), nil
}

// parseNumber reads a decimal number up to limit.
func parseNumber(t token, limit uint64) (uint64, error) {
	if len(t.text) == 0 || len(t.text) > 10 || t.quoted {
		return 0, errNumber
	}
	n := uint64(0)
	for _, c := range t.text {
		if !isDigit(c) {
			return 0, errNumber
		}
		n = n*10 + uint64(c-'0')
	}
	if n > limit {
		return 0, errRange
	}
	return n, nil
}

// name appends the name that a token holds to dst and returns it alone, relative to the origin if it has no
// final dot. dst has room for it.
func (r *reader) name(dst []byte, t token) (dname.Name, error) {
	text := t.text
	switch {
	case len(text) == 0:
		return nil, errEmptyName
	case len(text) == 1 && text[0] == '@' && !t.quoted:
		return append(dst, r.origin...), nil
	case len(text) == 1 && text[0] == '.':
		return append(dst, 0), nil
	}
	base := len(dst)
	if t.escape {
		return r.escapedName(dst, text)
	}
	for {
		size := bytes.IndexByte(text, '.')
		if size < 0 {
			size = len(text)
		}
		if size == 0 {
			return nil, errEmptyLabel
		}
		if size > dname.MaxLabelLen {
			return nil, errLongLabel
		}
		if len(dst)-base+size+2 > dname.MaxLen {
			return nil, errLongName
		}
		dst = append(append(dst, byte(size)), text[:size]...)
		if size == len(text) {
			return r.relative(dst, base)
		}
		if text = text[size+1:]; len(text) == 0 {
			return append(dst, 0)[base:], nil
		}
	}
}

// relative ends the name dst[base:] with the origin.
func (r *reader) relative(dst []byte, base int) (dname.Name, error) {
	if len(dst)-base+len(r.origin) > dname.MaxLen {
		return nil, errLongName
	}
	return append(dst, r.origin...)[base:], nil
}

// escapedName is name for text with escapes.
func (r *reader) escapedName(dst, text []byte) (dname.Name, error) {
	base := len(dst)
	length := len(dst) // index of the current label's length octet
	dst = append(dst, 0)
	absolute := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		absolute = false
		switch c {
		case '.':
			if dst[length] == 0 {
				return nil, errEmptyLabel
			}
			length = len(dst)
			dst = append(dst, 0)
			absolute = true
			continue
		case '\\':
			value, size, ok := parseEscape(text[i:])
			if !ok {
				return nil, errEscape
			}
			c = value
			i += size - 1
		}
		if dst[length] == dname.MaxLabelLen {
			return nil, errLongLabel
		}
		dst = append(dst, c)
		dst[length]++
		if len(dst)-base >= dname.MaxLen {
			return nil, errLongName
		}
	}
	if absolute {
		return dst[base:], nil
	}
	return r.relative(dst, base)
}

// parseEscape reads the escape that s begins with and returns its value and its length in s.
func parseEscape(s []byte) (value byte, size int, ok bool) {
	if len(s) < 2 {
		return 0, 0, false
	}
	if !isDigit(s[1]) {
		return s[1], 2, true
	}
	if len(s) < 4 || !isDigit(s[2]) || !isDigit(s[3]) {
		return 0, 0, false
	}
	v := int(s[1]-'0')*100 + int(s[2]-'0')*10 + int(s[3]-'0')
	return byte(v), 4, v <= 255
}
