package histogram

import "encoding/binary"

// encoding is the first octet of the binary form.
const encoding = 1

// AppendBinary appends h in a compact form for the administration protocol: the
// octet 1, the sum and the maximum, then for each bucket in use the number of
// empty ones before it and its count, all as unsigned varints.
func (h *Histogram) AppendBinary(dst []byte) []byte {
	dst = append(dst, encoding)
	dst = binary.AppendUvarint(dst, h.sum)
	dst = binary.AppendUvarint(dst, h.max)
	gap := uint64(0)
	for _, c := range h.n {
		if c == 0 {
			gap++
			continue
		}
		dst = binary.AppendUvarint(dst, gap)
		dst = binary.AppendUvarint(dst, c)
		gap = 0
	}
	return dst
}

// Parse replaces h with what AppendBinary wrote into b. It reports false, and
// leaves h empty, when b is anything else.
func (h *Histogram) Parse(b []byte) bool {
	h.Reset()
	if len(b) == 0 || b[0] != encoding || !h.parse(b[1:]) {
		h.Reset()
		return false
	}
	return true
}

func (h *Histogram) parse(b []byte) bool {
	next := func() (v uint64, ok bool) {
		v, n := binary.Uvarint(b)
		b = b[max(n, 0):]
		return v, n > 0
	}
	var ok bool
	if h.sum, ok = next(); !ok {
		return false
	}
	if h.max, ok = next(); !ok || h.max > MaxValue {
		return false
	}
	for at := uint64(0); len(b) > 0; at++ {
		gap, ok := next()
		if !ok || gap >= buckets || at+gap >= buckets {
			return false
		}
		at += gap
		c, ok := next()
		if !ok || c == 0 || h.count+c < c {
			return false
		}
		h.n[at] = c
		h.count += c
	}
	return true
}
