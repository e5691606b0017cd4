package dname

import (
	"bytes"
	"testing"

	"github.com/miekg/dns"
)

// addMessages gives f octets with names in them: plain, compressed, looping, pointing ahead, too long, and
// with reserved label types.
func addMessages(f *testing.F) {
	long := bytes.Repeat([]byte("\x3faaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffgggggggghhhhhhh"), 4)
	for _, s := range []string{
		"\x00",
		"\x03www\x07Example\x03COM\x00",
		"\x03com\x00\x07example\xc0\x00\x03www\xc0\x05",
		"\xc0\x00", "\x01a\xc0\x00", "\xc0\x02\xc0\x00", "\x01a\xc0\x04\x00",
		"\x41a\x00", "\x80a\x00", "\xc0", "\x05abc",
		string(long[:192]) + "\x3d" + string(long[:61]) + "\x00",
		string(long[:192]) + "\x3e" + string(long[:62]) + "\x00",
		string(long) + "\x00",
	} {
		for off := range len(s) {
			f.Add([]byte(s), off)
		}
	}
}

// FuzzUnpack: Unpack finds what its slow twin finds, leaves dst alone when it finds nothing, reads nothing
// behind msg, and agrees with Skip and Parse.
func FuzzUnpack(f *testing.F) {
	addMessages(f)
	f.Fuzz(func(t *testing.T, msg []byte, off int) {
		if off < 0 || off > len(msg) {
			off = 0
		}
		msg = msg[:len(msg):len(msg)]
		want, wantNext, wantOK := slowUnpack(msg, off, maxPointers)
		dst := []byte("kept")
		got, next, ok := Unpack(dst, msg, off)
		if ok != wantOK || !bytes.HasPrefix(got, dst) {
			t.Fatalf("Unpack = %x, %v; want %x, %v", got, ok, want, wantOK)
		}
		skipped, skipOK := Skip(msg, off)
		parsed, parseOK := Parse(msg[off:])
		if !ok {
			if len(got) != len(dst) || parseOK {
				t.Fatalf("no name, but Unpack = %x and Parse = %x, %v", got, parsed, parseOK)
			}
			return
		}
		n := Name(got[len(dst):])
		if !bytes.Equal(n, want) || next != wantNext {
			t.Fatalf("Unpack = %x, %d; want %x, %d", n, next, want, wantNext)
		}
		if !skipOK || skipped != next {
			t.Fatalf("Skip = %d, %v; want %d", skipped, skipOK, next)
		}
		if again, ok := Parse(n); !ok || !bytes.Equal(again, n) {
			t.Fatalf("Parse(%x) = %x, %v", n, again, ok)
		}
		if parseOK != (next-off == len(n)) {
			t.Fatalf("Parse = %x, %v for a name of %d octets that takes %d", parsed, parseOK, len(n), next-off)
		}
	})
}

// FuzzParse: Parse finds what its slow twin finds, and the methods describe it.
func FuzzParse(f *testing.F) {
	addMessages(f)
	f.Fuzz(func(t *testing.T, b []byte, off int) {
		if off > 0 && off < len(b) {
			b = b[off:]
		}
		labels, size, wantOK := slowLabels(b)
		n, ok := Parse(b)
		if ok != wantOK || len(n) != size && ok || cap(n) != len(n) {
			t.Fatalf("Parse(%x) = %x, %v; want %d octets, %v", b, n, ok, size, wantOK)
		}
		if !ok {
			return
		}
		if n.Labels() != len(labels) {
			t.Fatalf("Labels(%x) = %d, want %d", n, n.Labels(), len(labels))
		}
		for i, m := 0, n; m != nil; i, m = i+1, m.Parent() {
			if !bytes.Equal(m, n.Suffix(len(labels)-i)) || !n.In(m) || i > 0 && m.In(n) {
				t.Fatalf("label %d of %x: %x is not its suffix", i, n, m)
			}
			if i < len(labels) && !bytes.Equal(m.Label(), labels[i]) {
				t.Fatalf("label %d of %x: %x, want %x", i, n, m.Label(), labels[i])
			}
		}
	})
}

// FuzzCompare: the fast functions agree with their slow twins, and with one another.
func FuzzCompare(f *testing.F) {
	for _, pair := range [][2]string{
		{"\x00", "\x00"},
		{"\x03www\x07Example\x03COM\x00", "\x03WWW\x07eXAMPLE\x03com\x00"},
		{"\x03ww[\x07Example\x03COM\x00", "\x03ww{\x07eXAMPLE\x03com\x00"},
		{"\x03www\x07Example\x03COM\x00", "\x07eXAMPLE\x03com\x00"},
		{"\x01z\x01a\x00", "\x02za\x00"},
		{"\x01\xc1\x01a\x00", "\x01\xe1\x01A\x00"},
	} {
		f.Add([]byte(pair[0]), []byte(pair[1]), uint64(1))
	}
	f.Fuzz(func(t *testing.T, x, y []byte, seed uint64) {
		a, ok1 := Parse(x)
		b, ok2 := Parse(y)
		if !ok1 || !ok2 {
			return
		}
		equal := Equal(a, b)
		if equal != slowEqual(a, b) {
			t.Fatalf("Equal(%x, %x) = %v", a, b, equal)
		}
		order := Compare(a, b)
		if order != slowCompare(a, b) || order != -Compare(b, a) || equal != (order == 0) {
			t.Fatalf("Compare(%x, %x) = %d, Equal = %v", a, b, order, equal)
		}
		common := CommonLabels(a, b)
		if common != slowCommon(a, b) || common != CommonLabels(b, a) {
			t.Fatalf("CommonLabels(%x, %x) = %d", a, b, common)
		}
		if a.In(b) != (common == b.Labels()) {
			t.Fatalf("%x In %x = %v", a, b, a.In(b))
		}
		lower := AppendLower(nil, a)
		if !bytes.Equal(lower, slowAppendLower(nil, a)) || !Equal(a, lower) {
			t.Fatalf("AppendLower(%x) = %x", a, lower)
		}
		hash := Hash(seed, a)
		if hash != slowHash(seed, a) || hash != Hash(seed, lower) {
			t.Fatalf("Hash(%d, %x) = %x", seed, a, hash)
		}
		if !equal && hash == Hash(seed, b) {
			t.Fatalf("Hash(%d, %x) and of %x are the same", seed, a, b)
		}
	})
}

// FuzzText: what AppendText writes ParseText reads, and an independent implementation reads it alike.
func FuzzText(f *testing.F) {
	for _, s := range []string{".", "a", "www.Example.com.", `a\.b\000\255.\@.`, `\`, `\1`, `\256`, "a..b", ".a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseText(nil, s)
		if err != nil {
			return
		}
		if parsed, ok := Parse(n); !ok || len(parsed) != len(n) {
			t.Fatalf("ParseText(%q) = %x, which is no name", s, n)
		}
		text := n.String()
		again, err := ParseText(make([]byte, 3, MaxLen), text)
		if err != nil || !bytes.Equal(again, n) {
			t.Fatalf("ParseText(%q) = %x, %v; want %x", text, again, err, n)
		}
		packed := make([]byte, MaxLen+1)
		end, err := dns.PackDomainName(text, packed, 0, nil, false)
		if err != nil || !bytes.Equal(packed[:end], n) {
			t.Fatalf("miekg/dns reads %q as %x, %v; want %x", text, packed[:end], err, n)
		}
	})
}
