package local

import (
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

func TestLookupAllocs(t *testing.T) {
	table := NewTable(Options{SpecialNames: true, MinimalANY: true, Version: "v", Zones: names("corp.test.")})
	queries := []*wire.Query{
		query(t, "www.example.com.", dns.TypeA, dns.ClassINET),
		query(t, "4.3.2.1.in-addr.arpa.", dns.TypePTR, dns.ClassINET),
		query(t, "www.localhost.", dns.TypeA, dns.ClassINET),
		query(t, "x.y.invalid.", dns.TypeA, dns.ClassINET),
		query(t, "version.bind.", dns.TypeTXT, dns.ClassCHAOS),
		query(t, "example.com.", dns.TypeANY, dns.ClassINET),
	}
	buf := make([]byte, 0, 512)
	if n := testing.AllocsPerRun(1000, func() {
		for _, q := range queries {
			if v := table.Lookup(q); v.Found() {
				buf = v.AppendReply(buf[:0], q, wire.FlagRA)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLookup(b *testing.B) {
	table := NewTable(Options{SpecialNames: true, MinimalANY: true, Version: "v"})
	for _, c := range []struct{ label, name string }{
		{"other", "www.example.com."},
		{"reverse", "4.3.2.1.in-addr.arpa."},
		{"localhost", "localhost."},
		{"invalid", "a.b.invalid."},
	} {
		q := query(b, c.name, dns.TypeA, dns.ClassINET)
		buf := make([]byte, 0, 512)
		b.Run(c.label, func(b *testing.B) {
			for b.Loop() {
				if v := table.Lookup(q); v.Found() {
					buf = v.AppendReply(buf[:0], q, wire.FlagRA)
				}
			}
		})
	}
}
