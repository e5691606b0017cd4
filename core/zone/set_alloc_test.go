package zone_test

import (
	"os"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// fill adds a zone of n names with an address each, besides three others, to b.
func fill(t testing.TB, b *zone.Builder, n int) {
	t.Helper()
	if err := readInto(b, generated(n)); err != nil {
		t.Fatal(err)
	}
}

func TestAppendReplyAllocs(t *testing.T) {
	for _, file := range []string{"testdata/nsec.zone", "testdata/nsec3.zone", "testdata/optout.zone"} {
		text, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		z, problems := load(t, "example.test.", text, zone.Options{})
		text.Close()
		if z == nil {
			t.Fatal(problems)
		}
		s := zone.NewSet([]*zone.Zone{z})
		var queries []*wire.Query
		for _, name := range []string{"", "www.", "nowhere.", "a.b.nowhere.", "chain1.", "x.wild.", "x.wchain.", "towild.", "a.dn.", "ent.",
			"host.secure.", "host.insecure.", "x.insdeep.", "mail.", "loop1.", "a.dnloop.", "secure."} {
			for _, qtype := range []uint16{dns.TypeA, dns.TypeMX, dns.TypeNS, dns.TypeDS, dns.TypeANY, dns.TypeDNSKEY} {
				queries = append(queries, query(t, name+"example.test.", qtype, false), query(t, name+"example.test.", qtype, true))
			}
		}
		buf := make([]byte, 0, 4096)
		refs := make([]zone.Ref, len(queries))
		for _, limit := range []int{512, 4096} {
			if n := testing.AllocsPerRun(10, func() {
				for i, q := range queries {
					s.AppendReply(buf, q, limit, wire.FlagQR)
					refs[i] = s.Locate(q)
				}
				zone.Prefetch(refs)
				for i, q := range queries {
					s.AppendReplyAt(&refs[i], buf, q, limit, wire.FlagQR)
				}
			}); n != 0 {
				t.Errorf("%s: %v allocations", file, n)
			}
		}
	}
	s := set(t, "t. 60 SOA a. b. 1 2 3 4 5\nt. 60 NS a.\n")
	name := dname.Name("\x01x\x01t\x00")
	if n := testing.AllocsPerRun(100, func() { s.Find(name, wire.TypeA) }); n != 0 {
		t.Errorf("Find: %v allocations", n)
	}
}
