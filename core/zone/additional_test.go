package zone_test

import (
	"testing"

	"github.com/miekg/dns"
)

// A wildcard stands for a host without a node of its own, in referrals below the cut too, as Knot and NSD have
// it. An empty non-terminal has no addresses, nor has a host whose closest encloser has no wildcard.
func TestWildcardAddresses(t *testing.T) {
	s := set(t, `z. 60 IN SOA ns.z. host.z. 1 2 3 4 5
z. 60 NS ns.z.
*.w.z. 60 A 192.0.2.1
*.w.z. 60 AAAA 2001:db8::1
below.ent.w.z. 60 TXT "x"
mx.z. 60 MX 1 a.w.z.
mx.z. 60 MX 2 b.c.w.z.
mx.z. 60 MX 3 ent.w.z.
mx.z. 60 MX 4 a.ent.w.z.
cut.z. 60 NS ns.cut.z.
*.cut.z. 60 A 192.0.2.2
`)
	for _, c := range []struct {
		name  string
		qtype uint16
		want  string
	}{
		{"mx.z.", dns.TypeMX, "NOERROR aa | mx.z. MX 1 a.w.z.; mx.z. MX 2 b.c.w.z.; mx.z. MX 3 ent.w.z.; mx.z. MX 4 a.ent.w.z.; / " +
			"+ a.w.z. A 192.0.2.1; a.w.z. AAAA 2001:db8::1; b.c.w.z. A 192.0.2.1; b.c.w.z. AAAA 2001:db8::1;"},
		{"x.cut.z.", dns.TypeA, "NOERROR | / cut.z. NS ns.cut.z.; + ns.cut.z. A 192.0.2.2;"},
	} {
		if got := summary(ask(t, s, query(t, c.name, c.qtype, false), 1232)); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.name, dns.Type(c.qtype), got, c.want)
		}
	}
}
