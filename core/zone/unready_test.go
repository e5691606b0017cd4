package zone_test

import (
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// Names in a zone that is not ready get SERVFAIL, and nothing else: no AA, no referral from the zone above. A
// chain that leads into it ends there; all other names are answered.
func TestUnready(t *testing.T) {
	up := set(t, "up. 60 IN SOA ns.up. host.up. 1 2 3 4 5\nup. 60 NS ns.up.\nns.up. 60 A 192.0.2.1\ndown.up. 60 NS ns.down.up.\n"+
		"down.up. 60 DS 1 13 2 00\nns.down.up. 60 A 192.0.2.2\nalias.up. 60 CNAME www.down.up.\nd.up. 60 DNAME down.up.\n").Zones()[0]
	name := func(text string) []byte { return query(t, text, dns.TypeA, false).Name }
	down := zone.NewUnready(name("DOWN.up."))
	if down.Ready() || !up.Ready() || down.Origin().String() != "down.up." || down.Records() != 0 || down.Signed() {
		t.Errorf("%v", down)
	}
	if down.Names() != 0 || down.Questions(new(zone.Cursor), 1, func(owner dname.Name, _ wire.Type) { t.Error(owner) }) {
		t.Error("there is something to publish")
	}
	down.Each(func(r *zone.Record) bool { t.Error(r); return false })
	s := zone.NewSet([]*zone.Zone{up, down})
	for _, c := range []struct {
		name  string
		qtype uint16
		want  string
	}{
		{"down.up.", dns.TypeSOA, "SERVFAIL | / +"},
		{"www.down.up.", dns.TypeA, "SERVFAIL | / +"},
		{"a.b.Down.up.", dns.TypeANY, "SERVFAIL | / +"},
		{"www.down.up.", dns.TypeAXFR, "SERVFAIL | / +"},
		{"down.up.", dns.TypeDS, "NOERROR aa | down.up. DS 1 13 2 00; / +"},
		{"ns.up.", dns.TypeA, "NOERROR aa | ns.up. A 192.0.2.1; / +"},
		{"alias.up.", dns.TypeA, "NOERROR aa | alias.up. CNAME www.down.up.; / +"},
		{"x.d.up.", dns.TypeA, "NOERROR aa | d.up. DNAME down.up.; x.d.up. CNAME x.down.up.; / +"},
	} {
		for _, do := range []bool{false, true} {
			if got := summary(ask(t, s, query(t, c.name, c.qtype, do), 1232)); got != c.want {
				t.Errorf("%s %s: %s, want %s", c.name, dns.Type(c.qtype), got, c.want)
			}
		}
	}
	// For DS at the apex the zone above answers; alone it fails like the rest.
	q := query(t, "down.up.", dns.TypeDS, false)
	if _, rcode, ok := zone.NewSet([]*zone.Zone{down}).AppendReply(nil, q, 512, wire.FlagQR); !ok || rcode != wire.RcodeServFail {
		t.Errorf("DS: rcode %v, %v", rcode, ok)
	}
}
