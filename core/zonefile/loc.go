package zonefile

import (
	"strconv"
	"strings"
)

// loc reads a LOC record (RFC 1876, section 3).
func (f *fields) loc() {
	latitude := f.angle("N", "S", 90)
	longitude := f.angle("E", "W", 180)
	altitude, ok := centimetres(f.word(), true)
	// RFC 1876, section 2: from 100 km below the reference.
	if altitude += 100_000_00; !ok || altitude < 0 || altitude > 1<<32-1 {
		f.fail(errLOC)
	}
	precisions := [3]byte{0x12, 0x16, 0x13} // 1 m, 10 km, 10 m
	for i := range precisions {
		if len(f.tokens) == 0 || f.err != nil {
			break
		}
		n, ok := centimetres(f.word(), false)
		if !ok || n > 90_000_000_00 {
			f.fail(errLOC)
		}
		exponent := byte(0)
		for ; n >= 10; n /= 10 {
			exponent++
		}
		precisions[i] = byte(n)<<4 | exponent
	}
	f.out = append(append(f.out, 0), precisions[:]...)
	f.putNumber(uint64(latitude), 4)
	f.putNumber(uint64(longitude), 4)
	f.putNumber(uint64(altitude), 4)
}

// angle reads degrees, perhaps minutes and seconds, and a direction, in thousandths of a second from 2^31.
func (f *fields) angle(positive, negative string, limit int64) int64 {
	total, unit := int64(0), int64(3600_000)
	for i := 0; f.err == nil; i++ {
		text := f.word()
		if i > 0 && (strings.EqualFold(text, positive) || strings.EqualFold(text, negative)) {
			if strings.EqualFold(text, negative) {
				total = -total
			}
			return 1<<31 + total
		}
		if f.err != nil {
			return 0
		}
		digits, most := 0, int64(59_000)
		if i == 0 {
			most = limit * 1000
		}
		if i == 2 {
			digits, most = 3, 59_999
		}
		n, ok := decimal(text, digits, 1000)
		if i > 2 || !ok || n > most {
			f.fail(errLOC)
			return 0
		}
		if total += n * unit / 1000; total > limit*3600_000 {
			f.fail(errLOC)
		}
		unit /= 60
	}
	return 0
}

// centimetres reads a length in metres.
func centimetres(text string, signed bool) (int64, bool) {
	if len(text) > 1 && text[len(text)-1]|0x20 == 'm' {
		text = text[:len(text)-1]
	}
	minus := false
	if signed {
		if text, minus = strings.CutPrefix(text, "-"); !minus {
			text = strings.TrimPrefix(text, "+")
		}
	}
	n, ok := decimal(text, 2, 100)
	if minus {
		n = -n
	}
	return n, ok
}

// decimal reads a number with up to so many digits behind the point, perhaps none, times unit.
func decimal(text string, digits int, unit int64) (int64, bool) {
	whole, part, point := strings.Cut(text, ".")
	n, err := strconv.ParseUint(whole, 10, 32)
	if err != nil || point && digits == 0 || len(part) > digits {
		return 0, false
	}
	total, step := int64(n)*unit, unit
	for _, c := range []byte(part) {
		if !isDigit(c) {
			return 0, false
		}
		step /= 10
		total += int64(c-'0') * step
	}
	return total, true
}
