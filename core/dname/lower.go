package dname

import "encoding/binary"

// AppendLower appends n with its ASCII letters in lower case to dst.
func AppendLower(dst []byte, n Name) []byte {
	// Length octets, at most 63, lie below 'A': lowering all octets of a name alike leaves them be.
	i := 0
	for ; len(n)-i >= 8; i += 8 {
		dst = binary.LittleEndian.AppendUint64(dst, lower8(binary.LittleEndian.Uint64(n[i:])))
	}
	for ; i < len(n); i++ {
		dst = append(dst, lower1(n[i]))
	}
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
