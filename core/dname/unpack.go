package dname

// maxPointers limits the compression pointers followed for one name. A name has at most 127 labels
// besides the root, and no sender gains by pointing from pointer to pointer; the limit keeps chains of
// bare pointers from costing thousands of steps a name.
const maxPointers = 127

// Unpack appends the name at msg[off:] to dst without compression and returns the offset of what follows
// it in msg. dst is returned unchanged when ok is false.
//
// RFC 1035, section 4.1.4: a pointer leads to a prior occurrence. Each must lead to before the labels it
// ends, which rules out loops; the reserved label types 01 and 10 and names longer than 255 octets fail.
func Unpack(dst, msg []byte, off int) (out []byte, next int, ok bool) {
	start := len(dst) // where the name begins in out
	out = dst
	runStart := off // where the labels being read began; pointers lead to before it
	pointers := 0
	if off < 0 {
		return dst, 0, false
	}
	for off < len(msg) {
		c := int(msg[off])
		switch {
		case c == 0:
			out = append(out, 0)
			if pointers == 0 {
				next = off + 1
			}
			return out, next, true
		case c <= MaxLabelLen:
			end := off + 1 + c
			// The root label still needs an octet.
			if end > len(msg) || len(out)-start+1+c >= MaxLen {
				return dst, 0, false
			}
			out = append(out, msg[off:end]...)
			off = end
		case c >= 0xC0:
			if off+1 >= len(msg) {
				return dst, 0, false
			}
			if pointers == 0 {
				next = off + 2
			}
			target := c&0x3F<<8 | int(msg[off+1])
			pointers++
			if target >= runStart || pointers > maxPointers {
				return dst, 0, false
			}
			off, runStart = target, target
		default:
			return dst, 0, false
		}
	}
	return dst, 0, false
}

// Skip returns the offset of what follows the name at msg[off:]. It does not follow a pointer, so that
// success does not mean that Unpack will succeed.
func Skip(msg []byte, off int) (next int, ok bool) {
	if off < 0 {
		return 0, false
	}
	for last := off + MaxLen - 1; off < len(msg) && off <= last; {
		c := int(msg[off])
		switch {
		case c == 0:
			return off + 1, true
		case c <= MaxLabelLen:
			off += 1 + c
		case c >= 0xC0 && off+1 < len(msg):
			return off + 2, true
		default:
			return 0, false
		}
	}
	return 0, false
}
