package zone_test

import (
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// Names that others are asked about are none of the set's, unless one of its zones begins there or in between; and
// the end of a chain tells whether it is.
func TestElsewhere(t *testing.T) {
	name := func(text string) dname.Name { return query(t, text, dns.TypeA, false).Name }
	up := set(t, "up. 60 IN SOA ns.up. host.up. 1 2 3 4 5\nup. 60 NS ns.up.\nns.up. 60 A 192.0.2.1\nwww.away.up. 60 A 192.0.2.2\nin.up. 60 CNAME ns.up.\n"+
		"to.up. 60 CNAME www.away.up.\nout.up. 60 CNAME www.example.\nlost.up. 60 CNAME nothing.up.\nloop.up. 60 CNAME loop.up.\ndeep.up. 60 CNAME ns.here.away.up.\n").Zones()[0]
	here := set(t, "here.away.up. 60 IN SOA ns.up. host.up. 1 2 3 4 5\nhere.away.up. 60 NS ns.up.\nns.here.away.up. 60 A 192.0.2.3\n").Zones()[0]
	s := zone.NewSet([]*zone.Zone{up, here}, name("AWAY.up."), name("."), name("other."), name("here.away.up."), name("a.away.up."))
	if n := len(s.Zones()); n != 2 {
		t.Errorf("%d zones", n)
	}
	for _, c := range []struct {
		name  string
		typ   wire.Type
		found *zone.Zone
		away  bool
	}{
		{"ns.up.", wire.TypeA, up, false}, {"in.up.", wire.TypeA, up, false}, {"to.up.", wire.TypeA, up, true}, {"out.up.", wire.TypeA, up, true},
		{"to.up.", wire.TypeCNAME, up, false}, {"out.up.", wire.TypeANY, up, false}, {"lost.up.", wire.TypeA, up, false}, {"loop.up.", wire.TypeA, up, false},
		{"deep.up.", wire.TypeA, up, false}, {"www.away.up.", wire.TypeA, nil, false}, {"away.up.", wire.TypeA, nil, false}, {"away.up.", wire.TypeDS, up, false},
		{"x.a.away.up.", wire.TypeA, nil, false}, {"ns.here.away.up.", wire.TypeA, here, false}, {"x.other.", wire.TypeA, nil, false},
	} {
		q := query(t, c.name, uint16(c.typ), false)
		ref := s.Locate(q)
		if ref.Zone() != c.found || s.Find(q.Name, c.typ) != c.found {
			t.Errorf("%s %v is in %v", c.name, c.typ, ref.Zone())
		}
		if s.AppendReplyAt(&ref, nil, q, wire.MaxLen, wire.FlagQR); ref.Away() != c.away {
			t.Errorf("%s %v: away %v", c.name, c.typ, ref.Away())
		}
	}
	again := zone.NewSet([]*zone.Zone{here, zone.NewUnready(name("up."))}, name("away.up."))
	var none *zone.Set
	for what, same := range map[string]bool{
		"other versions":  s.SameNames(again) && again.SameNames(s),
		"one zone less":   !s.SameNames(zone.NewSet([]*zone.Zone{up}, name("away.up."))),
		"nobody else":     !s.SameNames(zone.NewSet([]*zone.Zone{up, here})) && !zone.NewSet([]*zone.Zone{up, here}).SameNames(s),
		"another zone":    !s.SameNames(zone.NewSet([]*zone.Zone{up, zone.NewUnready(name("b.away.up."))}, name("away.up."))),
		"no zones at all": none.SameNames(zone.NewSet(nil)) && zone.NewSet(nil).SameNames(none) && !none.SameNames(s) && !s.SameNames(none),
	} {
		if !same {
			t.Errorf("SameNames is wrong about %s", what)
		}
	}
}
