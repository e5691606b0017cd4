package dname

import (
	"bytes"
	"encoding/binary"
)

// Equal reports whether a and b are the same name; ASCII letters match in either case (RFC 4343).
func Equal(a, b Name) bool {
	if len(a) != len(b) {
		return false
	}
	// Length octets, at most 63, lie below 'A': lowering all octets of a name alike leaves them be.
	if len(a) < 8 {
		for i, c := range a {
			if lower1(c) != lower1(b[i]) {
				return false
			}
		}
		return true
	}
	// The last eight octets may overlap those before.
	x, y := binary.LittleEndian.Uint64(a[len(a)-8:]), binary.LittleEndian.Uint64(b[len(b)-8:])
	for x == y || lower8(x) == lower8(y) {
		if len(a) < 8 || len(b) < 8 {
			return true
		}
		x, y = binary.LittleEndian.Uint64(a), binary.LittleEndian.Uint64(b)
		a, b = a[8:], b[8:]
	}
	return false
}

// In reports whether n is zone or lies below it. Every name lies in the root; no name lies in nil.
func (n Name) In(zone Name) bool {
	if len(zone) == 0 {
		return false
	}
	for len(n) > len(zone) {
		n = n[1+int(n[0]):]
	}
	return Equal(n, zone)
}

// CommonLabels counts the labels that a and b share, from the right, the root's not among them.
func CommonLabels(a, b Name) int {
	common := 0
	for a, b = align(a, b); len(a) > 1; a, b = a.Parent(), b.Parent() {
		if compareLabels(a.Label(), b.Label()) == 0 {
			common++
		} else {
			common = 0
		}
	}
	return common
}

// Compare returns -1, 0 or +1 as a sorts before, with or after b in the canonical order of DNSSEC
// (RFC 4034, section 6.1): label by label from the right, each as a lower-case octet string.
func Compare(a, b Name) int {
	order := 0
	// Walking forward, the rightmost label that differs is the one met last, and it decides.
	for x, y := align(a, b); len(x) > 1; x, y = x.Parent(), y.Parent() {
		if c := compareLabels(x.Label(), y.Label()); c != 0 {
			order = c
		}
	}
	if order != 0 {
		return order
	}
	// One is the other's ancestor (or they are equal): it has fewer octets and sorts first.
	switch {
	case len(a) < len(b):
		return -1
	case len(a) > len(b):
		return +1
	}
	return 0
}

// align drops leading labels from the name that has more, until both have the same number.
func align(a, b Name) (Name, Name) {
	la, lb := a.Labels(), b.Labels()
	return a.Suffix(min(la, lb)), b.Suffix(min(la, lb))
}

// compareLabels orders two labels as lower-case octet strings.
func compareLabels(a, b []byte) int {
	if bytes.Equal(a, b) {
		return 0
	}
	for i := 0; i < len(a) && i < len(b); i++ {
		if x, y := lower1(a[i]), lower1(b[i]); x != y {
			if x < y {
				return -1
			}
			return +1
		}
	}
	switch {
	case len(a) < len(b):
		return -1
	case len(a) > len(b):
		return +1
	}
	return 0
}
