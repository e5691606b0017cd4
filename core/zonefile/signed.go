package zonefile

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"slices"
	"time"

	"heimdall/core/wire"
)

// rrsig reads the RDATA of an RRSIG record (RFC 4034, section 3.2).
func (f *fields) rrsig() {
	t, ok := f.take()
	if !ok {
		return
	}
	covered, err := parseType(t)
	if err != nil {
		f.fail(err)
		return
	}
	f.out = put16(f.out, uint16(covered))
	f.algorithm()
	f.number(1)
	f.number(4) // without units, unlike other times
	f.time()
	f.time()
	f.number(2)
	f.name()
	f.base64()
}

func parseType(t token) (wire.Type, error) {
	if t.quoted {
		return 0, errTypeName
	}
	if c := commonType(t.text); c != 0 {
		return c, nil
	}
	parsed, err := wire.ParseType(string(t.text))
	if err != nil {
		return 0, errTypeName
	}
	return parsed, nil
}

// time reads a point in time (RFC 4034, section 3.2).
func (f *fields) time() {
	t, ok := f.take()
	if !ok {
		return
	}
	if len(t.text) != 14 {
		n, err := parseNumber(t, 1<<32-1)
		if err != nil {
			f.fail(errTime)
			return
		}
		f.putNumber(n, 4)
		return
	}
	var n [7]int // year in two parts, month, day, hour, minute, second
	for i := range n {
		high, low := t.text[2*i], t.text[2*i+1]
		if !isDigit(high) || !isDigit(low) {
			f.fail(errTime)
			return
		}
		n[i] = int(high-'0')*10 + int(low-'0')
	}
	when := time.Date(n[0]*100+n[1], time.Month(n[2]), n[3], n[4], n[5], n[6], 0, time.UTC)
	seconds := when.Unix()
	if when.Month() != time.Month(n[2]) || when.Day() != n[3] || n[4] > 23 || n[5] > 59 || n[6] > 59 || seconds < 0 {
		f.fail(errTime)
		return
	}
	f.putNumber(uint64(seconds)&(1<<32-1), 4) // RFC 4034, section 3.1.5: times are modulo 2^32
}

// types reads the types of a bitmap, up to the end.
func (f *fields) types() {
	var buf [32]uint16
	list := buf[:0]
	for len(f.tokens) > 0 && f.err == nil {
		t, _ := f.take()
		parsed, err := parseType(t)
		if err != nil {
			f.fail(err)
			return
		}
		list = append(list, uint16(parsed))
	}
	if f.err == nil {
		slices.Sort(list)
		f.out = putTypeBitmap(f.out, list)
	}
}

// salt reads an NSEC3 salt, - if it is empty.
func (f *fields) salt() {
	t, ok := f.take()
	if !ok {
		return
	}
	if string(t.text) == "-" {
		f.out = append(f.out, 0)
		return
	}
	length := len(f.out)
	out, ok := appendHex(append(f.out, 0), []token{t})
	size := len(out) - length - 1
	if !ok || size == 0 || size > 255 {
		f.fail(errHex)
		return
	}
	out[length] = byte(size)
	f.out = out
}

// nextHash reads the next hashed owner name of an NSEC3 record.
func (f *fields) nextHash() {
	t, ok := f.take()
	if !ok {
		return
	}
	f.r.text = f.r.text[:0]
	for _, c := range t.text {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		f.r.text = append(f.r.text, c)
	}
	length := len(f.out)
	encoding := base32.HexEncoding.WithPadding(base32.NoPadding)
	out, err := encoding.AppendDecode(append(f.out, 0), f.r.text)
	size := len(out) - length - 1
	// What is left over of the last digit is zero; the decoder does not look.
	if err != nil || size == 0 || size > 255 || !bytes.Equal(encoding.AppendEncode(nil, out[length+1:]), f.r.text) {
		f.fail(errBase32)
		return
	}
	out[length] = byte(size)
	f.out = out
}

// putTypeBitmap appends the type bitmap (RFC 4034, section 4.1.2) of types in ascending order.
func putTypeBitmap(dst []byte, types []uint16) []byte {
	for len(types) > 0 {
		window := types[0] >> 8
		var bits [32]byte
		size := 0
		for len(types) > 0 && types[0]>>8 == window {
			low := types[0] & 0xFF
			bits[low/8] |= 0x80 >> (low % 8)
			size = int(low/8) + 1
			types = types[1:]
		}
		dst = append(append(dst, byte(window), byte(size)), bits[:size]...)
	}
	return dst
}

// put16 appends a 16-bit number.
func put16(dst []byte, n uint16) []byte { return binary.BigEndian.AppendUint16(dst, n) }
