package dname

// maxPointers limits the compression pointers followed for one name. A name has at most 127 labels
// besides the root, and no sender gains by pointing from pointer to pointer; the limit keeps chains of
// bare pointers from costing thousands of steps a name.
const maxPointers = MaxLabels

// Unpack appends the name at msg[off:] to dst without compression and returns the offset of what follows
// it in msg. dst is returned unchanged when ok is false.
//
// RFC 1035, section 4.1.4: a pointer leads to a prior occurrence. Each must lead to before the labels it
// ends, which rules out loops; the reserved label types 01 and 10 and names longer than 255 octets fail.
func Unpack(dst, msg []byte, off int) (out []byte, next int, ok bool) {
	if off < 0 {
		return dst, 0, false
	}
	out = dst
	run := off          // where the labels being read began; pointers lead to before it
	room := MaxLen      // octets that the name may still take, run included
	left := maxPointers // pointers that may still be followed
	for off < len(msg) && off-run < room {
		c := int(msg[off])
		switch {
		case c == 0:
			off++
			if left == maxPointers {
				next = off
			}
			return append(out, msg[run:off]...), next, true
		case c <= MaxLabelLen:
			off += 1 + c
		case c >= pointerBits && off+1 < len(msg):
			if left == maxPointers {
				next = off + 2
			}
			target := c&^pointerBits<<8 | int(msg[off+1])
			left--
			if target >= run || left < 0 {
				return dst, 0, false
			}
			out = append(out, msg[run:off]...)
			room -= off - run
			off, run = target, target
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
	for run := off; off < len(msg) && off-run < MaxLen; {
		c := int(msg[off])
		switch {
		case c == 0:
			return off + 1, true
		case c <= MaxLabelLen:
			off += 1 + c
		case c >= pointerBits && off+1 < len(msg):
			return off + 2, true
		default:
			return 0, false
		}
	}
	return 0, false
}

// pointerBits mark the first octet of a compression pointer.
const pointerBits = 0xC0
