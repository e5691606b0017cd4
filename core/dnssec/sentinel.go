package dnssec

import "heimdall/core/dname"

// The labels of RFC 8509, section 2, before the key tag in five digits.
const (
	sentinelIs  = "root-key-sentinel-is-ta-"
	sentinelNot = "root-key-sentinel-not-ta-"
)

// SentinelFails reports whether a Secure answer for A or AAAA records of name is to be replaced by SERVFAIL, because
// the name's first label asks whether a key is trusted and the answer is no (RFC 8509, section 2). a is the root's trust
// anchor.
func (a *Anchor) SentinelFails(name dname.Name) bool {
	var buf [dname.MaxLabelLen]byte
	label := lowerLabel(buf[:0], name.Label())
	for _, prefix := range []string{sentinelIs, sentinelNot} {
		if len(label) != len(prefix)+5 || string(label[:len(prefix)]) != prefix {
			continue
		}
		tag, ok := parseTag(label[len(prefix):])
		return ok && a.trusts(tag) != (prefix == sentinelIs)
	}
	return false
}

// trusts reports whether one of the keys has the tag.
func (a *Anchor) trusts(tag uint16) bool {
	for i := range a.DS {
		if a.DS[i].KeyTag == tag {
			return true
		}
	}
	return false
}

func parseTag(digits []byte) (tag uint16, ok bool) {
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return uint16(n), n <= 0xffff
}

func lowerLabel(dst, label []byte) []byte {
	for _, c := range label {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
