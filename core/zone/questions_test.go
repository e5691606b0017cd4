package zone_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// Every question is asked once, whatever the size of the steps, and has the answer that it names.
func TestQuestions(t *testing.T) {
	s := set(t, `example. 300 IN SOA ns host 1 2 3 4 5
example. 300 IN NS ns.example.
example. 300 IN NSEC alias.example. SOA NS NSEC
alias.example. 300 IN CNAME www.example.
*.wild.example. 300 IN A 192.0.2.9
sub.example. 300 IN NS ns.sub.example.
ns.sub.example. 300 IN A 192.0.2.3
tree.example. 300 IN DNAME www.example.
a.tree.example. 300 IN A 192.0.2.4
ns.example. 300 IN A 192.0.2.1
www.example. 300 IN A 192.0.2.2
www.example. 300 IN A 192.0.2.5
www.example. 300 IN AAAA 2001:db8::1
a.b.c.example. 300 IN TXT "x"
`)
	z := s.Zones()[0]
	want := []string{
		"a.b.c.example. TXT", "alias.example. CNAME", "example. NS", "example. SOA", "ns.example. A", "www.example. A", "www.example. AAAA",
	}
	for _, step := range []int{1, 2, 3, 100} {
		var got []string
		var c zone.Cursor
		for more := true; more; {
			before := len(got)
			more = z.Questions(&c, step, func(owner dname.Name, typ wire.Type) {
				text := owner.String()
				got = append(got, fmt.Sprintf("%s %s", text, typ))
				m := ask(t, s, query(t, text, uint16(typ), false), 512)
				if m.Rcode != dns.RcodeSuccess || !m.Authoritative || len(m.Answer) == 0 || m.Answer[0].Header().Rrtype != uint16(typ) {
					t.Errorf("%s %s: %v", text, typ, m)
				}
			})
			// A step ends behind a node, which has two types here at most.
			if n := len(got) - before; n > step+1 || more && n < step {
				t.Errorf("a step of %d asked %d questions", step, n)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("steps of %d:\n got %q\nwant %q", step, got, want)
		}
	}
}
