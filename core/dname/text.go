package dname

import (
	"errors"
	"fmt"
)

var (
	errEmpty      = errors.New("name is empty")
	errEmptyLabel = errors.New("empty label")
	errLongLabel  = errors.New("label longer than 63 octets")
	errLongName   = errors.New("name longer than 255 octets")
	errEscape     = errors.New(`bad escape: want \DDD up to 255, or \ and one character`)
)

// ParseText converts a name from presentation form (RFC 1035, section 5.1), with the escapes \DDD and \X.
// A name without a final dot is taken as absolute. The name is appended to dst and returned alone: it
// uses dst's spare capacity if that suffices, and a new array if not.
func ParseText(dst []byte, s string) (Name, error) {
	n, err := appendParsed(dst, s)
	if err != nil {
		return nil, fmt.Errorf("parse name %q: %w", s, err)
	}
	return Name(n[len(dst):]), nil
}

func appendParsed(dst []byte, s string) ([]byte, error) {
	switch s {
	case "":
		return nil, errEmpty
	case ".":
		return append(dst, 0), nil
	}
	start := len(dst)
	length := len(dst) // index of the current label's length octet
	dst = append(dst, 0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '.':
			if len(dst) == length+1 {
				return nil, errEmptyLabel
			}
			length = len(dst)
			dst = append(dst, 0)
			continue
		case '\\':
			value, size, ok := parseEscape(s[i:])
			if !ok {
				return nil, errEscape
			}
			c = value
			i += size - 1
		}
		if len(dst)-length > MaxLabelLen {
			return nil, errLongLabel
		}
		dst = append(dst, c)
		dst[length]++
		if len(dst)-start >= MaxLen {
			return nil, errLongName
		}
	}
	if len(dst) > length+1 { // no final dot
		dst = append(dst, 0)
	}
	return dst, nil
}

// parseEscape reads the escape that s begins with and returns its value and its length in s.
func parseEscape(s string) (value byte, size int, ok bool) {
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

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// AppendText appends n in presentation form, with a final dot. Octets that master files treat specially
// are escaped with a backslash, those outside printable ASCII, and the space, as \DDD. It appends
// nothing for nil.
func (n Name) AppendText(dst []byte) []byte {
	if len(n) == 1 {
		return append(dst, '.')
	}
	for ; len(n) > 1; n = n.Parent() {
		for _, c := range n.Label() {
			switch {
			case c <= ' ' || c > '~':
				dst = append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
				continue
			case c == '.' || c == '\\' || c == '"' || c == '(' || c == ')' || c == ';' || c == '@' || c == '$':
				dst = append(dst, '\\')
			}
			dst = append(dst, c)
		}
		dst = append(dst, '.')
	}
	return dst
}

// String returns n in presentation form. It allocates.
func (n Name) String() string { return string(n.AppendText(nil)) }
