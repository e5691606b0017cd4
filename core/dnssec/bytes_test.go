package dnssec

import (
	"fmt"
	"runtime"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// What zones, delegations and denials say that they take is what the heap grows by, but for a quarter.
func TestBytes(t *testing.T) {
	const many = 2000
	p := DefaultPolicy()
	grow := func(what string, build func(i int) (kept any, bytes int)) {
		kept, said := make([]any, many), 0
		before := heap()
		for i := range many {
			var n int
			kept[i], n = build(i)
			said += n
		}
		grown := int(heap() - before)
		t.Logf("%s: %d bytes each, said are %d", what, grown/many, said/many)
		if grown > said*5/4 || grown < said/2 {
			t.Errorf("%s: the heap has grown by %d bytes for each, said are %d", what, grown/many, said/many)
		}
		runtime.KeepAlive(kept)
	}
	for _, c := range []struct {
		what      string
		algorithm Algorithm
		key       []byte
	}{
		{"two keys of P-256", ECDSAP256SHA256, p256Generator()},
		{"two keys of RSA with 2048 bits", RSASHA256, append([]byte{3, 1, 0, 1}, oddBytes(256)...)},
		{"two keys of RSA with 4096 bits", RSASHA512, append([]byte{3, 1, 0, 1}, oddBytes(512)...)},
		{"two keys that are none", RSASHA256, oddBytes(2)},
	} {
		grow(c.what, func(i int) (any, int) {
			zone := dnametest.Name(fmt.Sprintf("zone%d.example.", i))
			set := &RRset{Owner: zone, Type: wire.TypeDNSKEY}
			for _, flags := range [2]byte{0, 1} {
				set.Data = append(set.Data, append([]byte{1, flags, 3, byte(c.algorithm)}, c.key...))
			}
			z := &Zone{Name: dname.AppendLower(nil, zone), Keys: p.newKeySet(zone, set)}
			return z, z.Bytes()
		})
	}
	grow("a delegation with a DS record", func(i int) (any, int) {
		d := &Delegation{Name: dnametest.Name(fmt.Sprintf("zone%d.example.", i)), DS: []DS{{Digest: make([]byte, 32)}}}
		return d, d.Bytes()
	})
	apex := dnametest.Name("example.")
	grow("an NSEC record", func(i int) (any, int) {
		s := NewSpans(apex, 10, 1<<20)
		next := append(dnametest.Name(fmt.Sprintf("b%d.example.", i)), 0, 6, 0x40, 0, 0, 0, 0, 3)
		s.Put(&RRset{
			Owner: dnametest.Name(fmt.Sprintf("a%d.example.", i)), Type: wire.TypeNSEC, TTL: 300, Data: [][]byte{next}, Sigs: [][]byte{make([]byte, 100)},
			Result: Result{Status: Secure}, Signer: apex,
		}, 0)
		if s.Len() != 1 {
			t.Fatal("not kept")
		}
		return s, s.Bytes() + 150 // the Spans themselves
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func oddBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 0xff
	}
	return b
}

// p256Generator is a point on the curve: G of FIPS 186-4, D.1.2.3.
func p256Generator() []byte {
	return []byte{
		0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
		0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
		0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
		0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
	}
}
