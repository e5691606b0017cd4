package dname

import (
	"strings"
	"testing"
)

func TestUnpack(t *testing.T) {
	label63 := "\x3f" + strings.Repeat("a", 63)
	for _, c := range []struct {
		name string
		msg  string
		off  int
		want string // in presentation form; empty: Unpack fails
		next int
	}{
		{"root", "\x00", 0, ".", 1},
		{"plain", "??\x03www\x07Example\x00!", 2, "www.Example.", 15},
		{"pointer", "\x03com\x00\x07example\xc0\x00!", 5, "example.com.", 15},
		{"two pointers", "\x03com\x00\x07example\xc0\x00\x03www\xc0\x05!", 15, "www.example.com.", 21},
		{"pointer to the root", "\x00\x03www\xc0\x00", 1, "www.", 7},
		{"pointer to itself", "\xc0\x00", 0, "", 0},
		{"pointer to its own labels", "\x00\x03www\xc0\x01", 1, "", 0},
		{"pointer into its own labels", "\x00\x03\x01a\x00\xc0\x02", 1, "", 0},
		{"pointers to each other", "\x01a\xc0\x04\x01b\xc0\x00", 4, "", 0},
		{"pointer ahead", "\x01a\xc0\x04\x00", 0, "", 0},
		{"pointer behind the end", "\x01a\xff\xff", 0, "", 0},
		{"half a pointer", "\x00\x01a\xc0", 1, "", 0},
		{"label type 01", "\x41a\x00", 0, "", 0},
		{"label type 10", "\x81a\x00", 0, "", 0},
		{"label that runs out", "\x05abc", 0, "", 0},
		{"no root", "\x03abc", 0, "", 0},
		{"empty", "", 0, "", 0},
		{"before the start", "\x00", -1, "", 0},
		{"behind the end", "\x00", 2, "", 0},
		{"255 octets", label63 + label63 + label63 + "\x3d" + strings.Repeat("b", 61) + "\x00", 0,
			strings.Repeat(label63[1:]+".", 3) + strings.Repeat("b", 61) + ".", 255},
		{"256 octets", label63 + label63 + label63 + "\x3e" + strings.Repeat("b", 62) + "\x00", 0, "", 0},
		{"256 octets by a pointer", label63 + label63 + label63 + "\x00\x3e" + strings.Repeat("b", 62) + "\xc0\x00", 193, "", 0},
	} {
		out, next, ok := Unpack([]byte("kept"), []byte(c.msg), c.off)
		if want := c.want != ""; ok != want || !ok && string(out) != "kept" {
			t.Errorf("%s: %x, %v", c.name, out, ok)
			continue
		}
		if ok && (string(out[:4]) != "kept" || Name(out[4:]).String() != c.want || next != c.next) {
			t.Errorf("%s: %s, %d; want %s, %d", c.name, Name(out[4:]), next, c.want, c.next)
		}
	}
}

// TestUnpackPointerChain: as many pointers as a name can have labels are followed, and no more.
func TestUnpackPointerChain(t *testing.T) {
	msg := []byte{0}
	for range maxPointers + 1 {
		target := max(len(msg)-2, 0)
		msg = append(msg, 0xC0|byte(target>>8), byte(target))
	}
	last := len(msg) - 2
	if n, next, ok := Unpack(nil, msg, last-2); !ok || !Name(n).IsRoot() || next != last {
		t.Errorf("%d pointers: %x, %d, %v", maxPointers, n, next, ok)
	}
	if n, _, ok := Unpack(nil, msg, last); ok {
		t.Errorf("%d pointers: %x", maxPointers+1, n)
	}
}
