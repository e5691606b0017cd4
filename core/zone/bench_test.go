package zone_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
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

// benchBatch is the number of queries that are answered together.
const benchBatch = 32

// BenchmarkAppendReply answers batches of queries for random names, which are parsed into the same buffers each
// time, as a shard does it: "each" one by one, "batch" with Prefetch. "hot" asks for 64 names only. The figures
// include making and parsing the queries, about 100 ns.
func BenchmarkAppendReply(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		z, problems := load(b, "bench.test.", generated(n), zone.Options{})
		if z == nil {
			b.Fatal(problems)
		}
		s := zone.NewSet([]*zone.Zone{z})
		benchNames(b, s, fmt.Sprintf("%d/hot", n), "n", 64, n, wire.RcodeNoError)
		benchNames(b, s, fmt.Sprintf("%d/random", n), "n", 1<<17, n, wire.RcodeNoError)
		benchNames(b, s, fmt.Sprintf("%d/nxdomain", n), "x", 1<<17, n, wire.RcodeNXDomain)
	}
}

func benchNames(b *testing.B, s *zone.Set, label, prefix string, many, n int, rcode wire.Rcode) {
	template := query(b, "bench.test.", dns.TypeA, false).Msg
	numbers := make([]uint32, many)
	for i := range numbers {
		numbers[i] = uint32(rand.N(n))
	}
	var bufs [benchBatch][]byte
	var queries [benchBatch]wire.Query
	var refs [benchBatch]zone.Ref
	out := make([]byte, 0, 1232)
	for _, staged := range []bool{false, true} {
		b.Run(label+map[bool]string{false: "/each", true: "/batch"}[staged], func(b *testing.B) {
			i := 0
			for b.Loop() {
				slot := i % benchBatch
				bufs[slot] = appendBenchQuery(bufs[slot][:0], template, prefix, numbers[i&(many-1)])
				if queries[slot].Parse(bufs[slot]) != wire.QueryOK {
					b.Fatal("query")
				}
				if i++; slot < benchBatch-1 {
					continue
				}
				for k := range queries {
					refs[k] = s.Locate(&queries[k])
				}
				if staged {
					zone.Prefetch(refs[:])
				}
				for k := range queries {
					if _, got, ok := s.AppendReplyAt(&refs[k], out, &queries[k], 1232, wire.FlagQR); !ok || got != rcode {
						b.Fatal(got)
					}
				}
			}
		})
	}
}

// appendBenchQuery appends template with a label in front of its qname.
func appendBenchQuery(dst, template []byte, prefix string, number uint32) []byte {
	dst = append(dst, template[:wire.HeaderLen]...)
	dst = append(append(dst, 0), prefix...)
	dst = fmt.Append(dst, number)
	dst[wire.HeaderLen] = byte(len(dst) - wire.HeaderLen - 1)
	return append(dst, template[wire.HeaderLen:]...)
}

func BenchmarkSigned(b *testing.B) {
	for _, file := range []string{"testdata/nsec.zone", "testdata/optout.zone"} {
		text, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		z, problems := load(b, "example.test.", strings.NewReader(string(text)), zone.Options{})
		if z == nil {
			b.Fatal(problems)
		}
		s := zone.NewSet([]*zone.Zone{z})
		out := make([]byte, 0, 4096)
		for _, name := range []string{"mail.", "nowhere.", "x.wild.", "host.insecure."} {
			q := query(b, name+"example.test.", dns.TypeA, true)
			b.Run(file[9:]+"/"+name, func(b *testing.B) {
				for b.Loop() {
					s.AppendReply(out, q, 4096, wire.FlagQR)
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
