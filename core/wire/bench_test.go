package wire

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
)

// benchQueries are what clients send: without EDNS, with it, and with the cookie that dig adds.
func benchQueries(tb testing.TB) map[string][]byte {
	plain := AppendQuery(nil, 1, FlagRD, dnametest.Name("cdn-7.assets.example.com"), TypeA, ClassIN)
	edns := AppendOPT(append([]byte{}, plain...), OPT{UDPSize: 1232, DO: true})
	cookie := AppendOption(append([]byte{}, edns...), OptionCookie, []byte("01234567"))
	return map[string][]byte{"plain": plain, "edns": edns, "cookie": cookie}
}

func BenchmarkQueryParse(b *testing.B) {
	for name, msg := range benchQueries(b) {
		b.Run(name, func(b *testing.B) {
			var q Query
			for b.Loop() {
				if q.Parse(msg) != QueryOK {
					b.Fatal("not ok")
				}
			}
		})
	}
}

func BenchmarkAppendError(b *testing.B) {
	var q Query
	q.Parse(benchQueries(b)["edns"])
	buf := make([]byte, 0, 512)
	for b.Loop() {
		buf = AppendOPT(AppendError(buf[:0], &q, RcodeRefused, FlagRA), OPT{UDPSize: 1232})
	}
}

// BenchmarkQueryParseSlow is the readable twin of BenchmarkQueryParse.
func BenchmarkQueryParseSlow(b *testing.B) {
	for name, msg := range benchQueries(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, v := slowQuery(msg); v != QueryOK {
					b.Fatal("not ok")
				}
			}
		})
	}
}

// benchResponse is a CNAME to four addresses, two servers and their addresses.
func benchResponse(tb testing.TB) []byte {
	var records [3][]dns.RR
	for i, texts := range [3]string{
		"Example.com. 300 IN CNAME e.cdn.example.net.;e.cdn.example.net. 60 IN A 192.0.2.1;e.cdn.example.net. 60 IN A 192.0.2.2;" +
			"e.cdn.example.net. 60 IN A 192.0.2.3;e.cdn.example.net. 60 IN A 192.0.2.4",
		"example.net. 3600 IN NS ns1.example.net.;example.net. 3600 IN NS ns2.example.net.",
		"ns1.example.net. 3600 IN A 192.0.2.53;ns2.example.net. 3600 IN A 192.0.2.54",
	} {
		for text := range strings.SplitSeq(texts, ";") {
			records[i] = append(records[i], mustRR(tb, text))
		}
	}
	return mustPack(tb, records[0], records[1], records[2])
}

func BenchmarkAppendOPT(b *testing.B) {
	msg := append(make([]byte, 0, 1024), benchResponse(b)...)
	for b.Loop() {
		SetCount(msg, Additional, 2)
		AppendOPT(msg, OPT{UDPSize: 1232, DO: true})
	}
}

// BenchmarkAppendOption finds the OPT behind nine records and adds a cookie.
func BenchmarkAppendOption(b *testing.B) {
	msg := AppendOPT(append(make([]byte, 0, 1024), benchResponse(b)...), OPT{UDPSize: 1232})
	cookie := make([]byte, 24)
	for b.Loop() {
		binary.BigEndian.PutUint16(msg[len(msg)-2:], 0)
		AppendOption(msg, OptionCookie, cookie)
	}
}

// BenchmarkReader reads nine records.
func BenchmarkReader(b *testing.B) {
	msg := benchResponse(b)
	var r Reader
	var rr RR
	for b.Loop() {
		r.Reset(msg)
		n := 0
		for _, ok := r.Next(&rr); ok; _, ok = r.Next(&rr) {
			n++
		}
		if n != 9 || r.Err() {
			b.Fatal(n, r.Err())
		}
	}
}

// BenchmarkUnpackRData unpacks the RDATA of nine records.
func BenchmarkUnpackRData(b *testing.B) {
	msg := benchResponse(b)
	buf := make([]byte, 0, 1024)
	var r Reader
	var rr RR
	for b.Loop() {
		r.Reset(msg)
		for _, ok := r.Next(&rr); ok; _, ok = r.Next(&rr) {
			if _, ok := UnpackRData(buf, msg, &rr); !ok {
				b.Fatal("bad record")
			}
		}
	}
}

// BenchmarkBuilder builds a response of nine records.
func BenchmarkBuilder(b *testing.B) {
	msg := benchResponse(b)
	type record struct {
		slowRecord
		owner, rdata []byte
	}
	var records []record
	all, _, _, _ := slowRecords(msg)
	for _, r := range all {
		owner, _, _ := dname.Unpack(nil, msg, r.Owner)
		rdata, _ := UnpackRData(nil, msg, &r.RR)
		records = append(records, record{r, owner, rdata})
	}
	buf := make([]byte, 1232)
	zone := dnametest.Name("example.com.")
	var builder Builder
	for b.Loop() {
		builder.Reset(buf, len(buf))
		builder.Header(1, FlagQR)
		builder.Question(zone, TypeA, ClassIN)
		for i := range records {
			r := &records[i]
			if !builder.RR(r.section, r.owner, r.Type, r.Class, r.TTL, r.rdata) {
				b.Fatal("does not fit")
			}
		}
		if len(builder.Finish()) > len(msg) {
			b.Fatal("longer than from miekg/dns")
		}
	}
}

// BenchmarkTruncate cuts the four addresses.
func BenchmarkTruncate(b *testing.B) {
	msg := benchResponse(b)
	buf := make([]byte, 0, 1024)
	for b.Loop() {
		if out := Truncate(append(buf, msg...), 120); Count(out, Answer) != 1 {
			b.Fatal("answers left:", Count(out, Answer))
		}
	}
}
