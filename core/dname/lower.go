package dname

import (
	"encoding/binary"
	"slices"
)

// AppendLower appends n with its ASCII letters in lower case to dst, which may be n[:0].
func AppendLower(dst []byte, n Name) []byte {
	start, end := len(dst), len(dst)+len(n)
	dst = slices.Grow(dst, len(n))[:end]
	if len(n) < 8 {
		for i, c := range n {
			dst[start+i] = lower1(c)
		}
		return dst
	}
	// Length octets, at most 63, lie below 'A': lowering all octets of a name alike leaves them be. The
	// last eight octets may overlap those before. They are read from n even so: loads from where
	// narrower stores are under way stall.
	last := lower8(binary.LittleEndian.Uint64(n[len(n)-8:]))
	for to := dst[start:]; len(n) > 8 && len(to) > 8; n, to = n[8:], to[8:] {
		binary.LittleEndian.PutUint64(to, lower8(binary.LittleEndian.Uint64(n)))
	}
	binary.LittleEndian.PutUint64(dst[end-8:], last)
	return dst
}

// lower1 returns c in lower case if it is an upper-case ASCII letter (RFC 4343, section 3).
func lower1(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// lower8 is lower1 on each of the eight octets of w.
func lower8(w uint64) uint64 {
	low7 := w &^ highs
	fromA := low7 + ones*(0x80-'A')        // high bit: 'A' or above, by the low seven bits
	aboveZ := low7 + ones*(0x80-'Z'-1)     // high bit: above 'Z'
	upper := (fromA ^ aboveZ) &^ w & highs // high bit: an upper-case ASCII letter
	return w | upper>>2                    // 0x80>>2 is 'a'-'A'
}
