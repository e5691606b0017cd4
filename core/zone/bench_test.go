package zone_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/wire"
	"heimdall/core/zone"
)

// generated writes a zone of n names with an address each.
func generated(n int) io.Reader {
	r, w := io.Pipe()
	go func() {
		buf := []byte("$ORIGIN bench.test.\n$TTL 3600\n@ SOA ns1 host 1 3600 600 86400 300\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n")
		for i := range n {
			buf = fmt.Appendf(buf, "n%d A 10.%d.%d.%d\n", i, i>>16&255, i>>8&255, i&255)
			if len(buf) > 1<<16 {
				w.Write(buf)
				buf = buf[:0]
			}
		}
		w.Write(buf)
		w.Close()
	}()
	return r
}

func BenchmarkAppendReply(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		z, problems := load(b, "bench.test.", generated(n), zone.Options{})
		if z == nil {
			b.Fatal(problems)
		}
		s := zone.NewSet([]*zone.Zone{z})
		buf := make([]byte, 0, 1232)
		for _, c := range []struct {
			label, form string
			do          bool
			rcode       wire.Rcode
		}{
			{"A", "n%d.bench.test.", false, wire.RcodeNoError},
			{"nxdomain", "x%d.bench.test.", false, wire.RcodeNXDomain},
		} {
			queries := make([]*wire.Query, 1<<16)
			for i := range queries {
				queries[i] = query(b, fmt.Sprintf(c.form, rand.N(n)), dns.TypeA, c.do)
			}
			b.Run(fmt.Sprintf("%s/%d", c.label, n), func(b *testing.B) {
				i := 0
				for b.Loop() {
					i++
					if _, rcode, ok := s.AppendReply(buf, queries[i&(len(queries)-1)], 1232, wire.FlagQR); !ok || rcode != c.rcode {
						b.Fatal(rcode)
					}
				}
			})
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				z, problems := load(b, "bench.test.", generated(n), zone.Options{})
				if z == nil {
					b.Fatal(problems)
				}
				b.ReportMetric(float64(z.Memory())/float64(z.Names()), "B/name")
				runtime.KeepAlive(z)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/name")
		})
	}
}
