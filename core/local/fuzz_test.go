package local

import (
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// FuzzLookup: whatever parses as a query gets nothing or a response that can be read, fits into 512 octets
// and answers that question; and the same in another letter case.
func FuzzLookup(f *testing.F) {
	table := NewTable(Options{SpecialNames: true, MinimalANY: true, Version: "v", Identity: "i", Hostname: "h",
		Zones: names("corp.test.", "3.10.in-addr.arpa.")})
	for _, name := range append(unboundZones()[:10], "a.corp.test.", "x.localhost.", "version.bind.", ".", "example.com.") {
		f.Add([]byte(query(f, name, dns.TypeA, dns.ClassINET).Msg))
		f.Add([]byte(query(f, name, dns.TypeANY, dns.ClassCHAOS).Msg))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		var q wire.Query
		if q.Parse(msg) != wire.QueryOK {
			return
		}
		v := table.Lookup(&q)
		if v.Found() {
			reply(t, v, &q)
		}
		other := append([]byte(nil), msg...)
		for i := wire.HeaderLen; i < q.End-4; i++ {
			if c := other[i] | 0x20; 'a' <= c && c <= 'z' {
				other[i] ^= 0x20
			}
		}
		var p wire.Query
		if p.Parse(other) != wire.QueryOK {
			t.Fatal("letter case changes how the query parses")
		}
		w := table.Lookup(&p)
		if w.Found() != v.Found() || w.rcode != v.rcode || w.owner != v.owner || string(w.record) != string(v.record) {
			t.Fatalf("letter case changes the answer: %+v, %+v", v, w)
		}
	})
}
