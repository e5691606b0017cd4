package dname

import "testing"

// benchNames are of the lengths that traffic has: 15, 24 and 61 octets.
var benchNames = []string{"example.net.au", "Cdn-7.Assets.Example.com", "a1b2c3d4e5f6.prod.eu-central-1.elb.amazonaws.example.co.uk"}

// eachName runs fn as a benchmark for every name of benchNames.
func eachName(b *testing.B, fn func(b *testing.B, n Name)) {
	for _, s := range benchNames {
		n, err := ParseText(nil, s)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(s[:min(len(s), 12)], func(b *testing.B) { fn(b, n) })
	}
}

var sink uint64 // keeps results alive

func BenchmarkParse(b *testing.B) {
	eachName(b, func(b *testing.B, n Name) {
		for b.Loop() {
			m, _ := Parse(n)
			sink += uint64(len(m))
		}
	})
}

func BenchmarkHash(b *testing.B) {
	eachName(b, func(b *testing.B, n Name) {
		for b.Loop() {
			sink += Hash(sink, n)
		}
	})
}

func BenchmarkHashSlow(b *testing.B) {
	eachName(b, func(b *testing.B, n Name) {
		for b.Loop() {
			sink += slowHash(sink, n)
		}
	})
}

func BenchmarkAppendLower(b *testing.B) {
	buf := make([]byte, 0, MaxLen)
	eachName(b, func(b *testing.B, n Name) {
		for b.Loop() {
			buf = AppendLower(buf[:0], n)
		}
	})
}

func BenchmarkAppendLowerSlow(b *testing.B) {
	buf := make([]byte, 0, MaxLen)
	eachName(b, func(b *testing.B, n Name) {
		for b.Loop() {
			buf = slowAppendLower(buf[:0], n)
		}
	})
}

func BenchmarkEqual(b *testing.B) {
	eachName(b, func(b *testing.B, n Name) {
		lower := Name(AppendLower(nil, n))
		for b.Loop() {
			if !Equal(n, lower) {
				b.Fatal("not equal")
			}
		}
	})
}

func BenchmarkEqualSlow(b *testing.B) {
	eachName(b, func(b *testing.B, n Name) {
		lower := Name(AppendLower(nil, n))
		for b.Loop() {
			if !slowEqual(n, lower) {
				b.Fatal("not equal")
			}
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	eachName(b, func(b *testing.B, n Name) {
		lower := Name(AppendLower(nil, n))
		for b.Loop() {
			if Compare(n, lower) != 0 {
				b.Fatal("not equal")
			}
		}
	})
}

func BenchmarkUnpack(b *testing.B) {
	buf := make([]byte, 0, MaxLen)
	eachName(b, func(b *testing.B, n Name) {
		msg := append(make([]byte, 12), n...)
		msg = append(msg, 0xC0, 12)
		for b.Loop() {
			out, _, ok := Unpack(buf, msg, 12+len(n))
			if !ok {
				b.Fatal("bad name")
			}
			sink += uint64(len(out))
		}
	})
}
