package dname

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// The functions here are the readable twins of the fast ones: one octet a step, no tricks. The tests hold
// the two against each other.

// slowLower returns c in lower case.
func slowLower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c - 'A' + 'a'
	}
	return c
}

func slowAppendLower(dst []byte, n Name) []byte {
	for _, c := range n {
		dst = append(dst, slowLower(c))
	}
	return dst
}

func slowEqual(a, b Name) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if slowLower(a[i]) != slowLower(b[i]) {
			return false
		}
	}
	return true
}

// slowHash lowers first and then does as Hash says, a step at a time.
func slowHash(seed uint64, n Name) uint64 {
	multiply := func(x, y uint64) uint64 {
		hi, lo := bits.Mul64(x, y)
		return hi ^ lo
	}
	lower := slowAppendLower(nil, n)
	size := uint64(len(lower))
	mask, h := seed^mul0, bits.RotateLeft64(seed, 32)^mul1
	for len(lower) > 16 {
		h = multiply(binary.LittleEndian.Uint64(lower)^mask, binary.LittleEndian.Uint64(lower[8:])^h)
		lower = lower[16:]
	}
	var x, y uint64
	switch l := len(lower); {
	case l >= 8:
		x, y = binary.LittleEndian.Uint64(lower), binary.LittleEndian.Uint64(lower[l-8:])
	case l >= 4:
		x, y = uint64(binary.LittleEndian.Uint32(lower)), uint64(binary.LittleEndian.Uint32(lower[l-4:]))
	case l > 0:
		x, y = uint64(lower[0])+256*uint64(lower[l/2]), uint64(lower[l-1])
	}
	h = multiply(x^mask, y^h)
	return multiply(h^size, mask^mul1)
}

// slowLabels splits an uncompressed name at the start of b into its labels, the root's not among them.
func slowLabels(b []byte) (labels [][]byte, size int, ok bool) {
	for {
		if size >= len(b) {
			return nil, 0, false
		}
		length := int(b[size])
		size++
		if length == 0 {
			return labels, size, size <= MaxLen
		}
		if length > MaxLabelLen || size+length > len(b) {
			return nil, 0, false
		}
		labels = append(labels, b[size:size+length])
		size += length
	}
}

// slowUnpack decompresses by recursion: the labels up to a pointer, then the name that it leads to.
func slowUnpack(msg []byte, off, pointers int) (name []byte, next int, ok bool) {
	start := off
	for off < len(msg) {
		c := int(msg[off])
		switch c >> 6 {
		case 0:
			if off+1+c > len(msg) {
				return nil, 0, false
			}
			name = append(name, msg[off:off+1+c]...)
			off += 1 + c
			if len(name) > MaxLen {
				return nil, 0, false
			}
			if c == 0 {
				return name, off, true
			}
		case 3:
			if off+2 > len(msg) || pointers == 0 {
				return nil, 0, false
			}
			target := int(binary.BigEndian.Uint16(msg[off:])) - 0xC000
			if target >= start {
				return nil, 0, false
			}
			rest, _, ok := slowUnpack(msg, target, pointers-1)
			name = append(name, rest...)
			return name, off + 2, ok && len(name) <= MaxLen
		default:
			return nil, 0, false
		}
	}
	return nil, 0, false
}

// slowCompare sorts by the definition of RFC 4034, section 6.1.
func slowCompare(a, b Name) int {
	x, _, _ := slowLabels(slowAppendLower(nil, a))
	y, _, _ := slowLabels(slowAppendLower(nil, b))
	for len(x) > 0 && len(y) > 0 {
		if c := bytes.Compare(x[len(x)-1], y[len(y)-1]); c != 0 {
			return c
		}
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	switch {
	case len(x) < len(y):
		return -1
	case len(x) > len(y):
		return +1
	}
	return 0
}

// slowCommon counts the labels shared from the right.
func slowCommon(a, b Name) int {
	x, _, _ := slowLabels(a)
	y, _, _ := slowLabels(b)
	n := 0
	for n < len(x) && n < len(y) && bytes.Equal(slowAppendLower(nil, x[len(x)-1-n]), slowAppendLower(nil, y[len(y)-1-n])) {
		n++
	}
	return n
}
