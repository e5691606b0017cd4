package dnssec

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
)

// BenchmarkVerify is one RRset with one signature, canonical form included. RSA keys have 2048 bits, as in use.
func BenchmarkVerify(b *testing.B) {
	for _, a := range algorithms {
		b.Run(a.String(), func(b *testing.B) {
			s := newSigner(b, "example.org.", a, 256)
			if a == RSASHA256 || a == RSASHA512 || a == RSASHA1 || a == RSASHA1NSEC3SHA1 {
				s.regenerate(b, 2048)
			}
			keys, v := s.link(b).Keys, testValidator()
			set := s.set(b, "www.example.org. 300 IN A 192.0.2.1\nwww.example.org. 300 IN A 192.0.2.2\n")
			b.ReportAllocs()
			for b.Loop() {
				v.Budget.Signatures, v.Budget.Micros = 1, keys.keys[0].public.cost()
				set.Result = Result{}
				if r := v.Verify(set, keys); r.Status != Secure {
					b.Fatal(r)
				}
			}
			b.ReportMetric(float64(keys.keys[0].public.cost()), "budgeted-µs")
		})
	}
}

// BenchmarkRSACost compares what the budget takes for an RSA signature, "budgeted-µs", with the time that it takes.
func BenchmarkRSACost(b *testing.B) {
	costs := func(name string, key publicKey, signature int) {
		b.Run(name, func(b *testing.B) {
			data, sig := make([]byte, 100), bytes.Repeat([]byte{1}, signature)
			for b.Loop() {
				key.verify(data, sig)
			}
			b.ReportMetric(float64(key.cost()), "budgeted-µs")
		})
	}
	for _, bits := range []int{1024, 2048, 4096} {
		for name, e := range map[string][]byte{"65537": {3, 1, 0, 1}, "2^32+1": {5, 1, 0, 0, 0, 1}} {
			modulus := make([]byte, bits/8)
			for i := range modulus {
				modulus[i] = byte(i*7) | 0x81
			}
			costs(fmt.Sprintf("RSA %d exponent %s", bits, name), parsePublicKey(RSASHA256, append(e, modulus...)), bits/8)
		}
	}
}

// BenchmarkVerifyRemembered is the same with the outcome in the memo.
func BenchmarkVerifyRemembered(b *testing.B) {
	s := newSigner(b, "example.org.", ECDSAP256SHA256, 256)
	keys, v := s.link(b).Keys, testValidator()
	v.Memo = &countingMemo{known: map[MemoKey]bool{}}
	set := s.set(b, "www.example.org. 300 IN A 192.0.2.1\nwww.example.org. 300 IN A 192.0.2.2\n")
	b.ReportAllocs()
	for b.Loop() {
		set.Result = Result{}
		if r := v.Verify(set, keys); r.Status != Secure {
			b.Fatal(r)
		}
	}
}

func BenchmarkNSEC3Hash(b *testing.B) {
	n := dnametest.Name("www.example.org.")
	for _, c := range []struct {
		name       string
		iterations uint16
		salt       []byte
	}{{"0 iterations", 0, nil}, {"10 iterations, salt of 8", 10, make([]byte, 8)}, {"50 iterations", 50, nil}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				hashName(n, c.iterations, c.salt)
			}
		})
	}
}

// BenchmarkNXDOMAIN is a whole response of which nothing is verified yet: SOA and two NSEC records.
func BenchmarkNXDOMAIN(b *testing.B) {
	s := newSigner(b, "example.org.", ECDSAP256SHA256, 256)
	m := new(dns.Msg)
	m.SetQuestion("nx.example.org.", dns.TypeA)
	m.Rcode, m.Response = dns.RcodeNameError, true
	m.Ns = s.signed(b, `example.org. SOA ns.example.org. h.example.org. 1 1 1 1 300
example.org. NSEC m.example.org. SOA NS RRSIG NSEC
m.example.org. NSEC example.org. A RRSIG NSEC`)
	msg, err := m.Pack()
	if err != nil {
		b.Fatal(err)
	}
	zones := []*Zone{s.link(b)}
	b.Run("read and plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, ok := readResponse(msg)
			if !ok || len(Plan(r)) != 1 {
				b.Fatal("not read")
			}
		}
	})
	for _, memo := range []Memo{nil, &countingMemo{known: map[MemoKey]bool{}}} {
		b.Run(map[bool]string{true: "validate", false: "validate remembered"}[memo == nil], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, _ := readResponse(msg)
				v := testValidator()
				v.Memo = memo
				if verdict := v.Validate(r, Plan(r), zones); verdict.Status != Secure {
					b.Fatal(verdict)
				}
			}
		})
	}
}

func BenchmarkSynthesize(b *testing.B) {
	s := NewSpans(dnametest.Name("example.org."), 10, 1<<20)
	for _, set := range secure(b, "example.org.", "example.org. NSEC m.example.org. SOA NS RRSIG NSEC\nm.example.org. NSEC example.org. A RRSIG NSEC") {
		s.Put(set, 0)
	}
	n, v := dnametest.Name("nx.example.org."), testValidator()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.Synthesize(v, n, 1, 1); !ok {
			b.Fatal("no answer")
		}
	}
}
