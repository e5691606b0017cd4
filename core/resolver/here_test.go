package resolver

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// local is a Here of records in presentation form; names below one of cuts are delegated to ns.CUT at an address.
type local struct {
	t       testing.TB
	zone    string
	records []string
	cuts    map[string]string
}

func (l *local) Look(dst []byte, q *Question) ([]byte, Place) {
	text := q.Name.String()
	if !dns.IsSubDomain(l.zone, text) {
		return dst, Elsewhere
	}
	m := new(dns.Msg).SetQuestion(text, uint16(q.Type))
	m.Response, m.Authoritative = true, true
	place := Answered
	for cut, address := range l.cuts {
		if dns.IsSubDomain(cut, text) && !(q.Type == wire.TypeDS && cut == text) {
			m.Authoritative, place = false, Delegated
			m.Ns = append(m.Ns, mustRR(cut+" 60 NS ns."+cut))
			m.Extra = append(m.Extra, mustRR("ns."+cut+" 60 A "+address))
		}
	}
	for _, record := range l.records {
		if rr := mustRR(record); place == Answered && rr.Header().Name == text && (rr.Header().Rrtype == uint16(q.Type) || rr.Header().Rrtype == dns.TypeCNAME) {
			m.Answer = append(m.Answer, rr)
		}
	}
	if place == Answered && len(m.Answer) == 0 {
		m.Ns = append(m.Ns, mustRR(l.zone+" 60 SOA ns."+l.zone+" h."+l.zone+" 1 2 3 4 5"))
	}
	raw, err := m.Pack()
	if err != nil {
		l.t.Fatal(err)
	}
	return append(dst, raw...), place
}

// The addresses of servers come from here, too, if their names are of a zone that is served here.
func TestServersWithNamesHere(t *testing.T) {
	n := newNetwork(t, Options{Recursion: true, RootHints: []Hint{{Name: dnametest.Name("a.root."), Addr: one.Addr()}}, PlainNames: true, NoIPv6: true})
	n.m.SetHere(&local{t: t, zone: "own.test.", records: []string{"ns.own.test. 60 A 192.0.2.2"}})
	n.servers[one] = answering(func(m *dns.Msg) {
		aa(m)
		if dns.IsSubDomain("own.test.", m.Question[0].Name) {
			t.Errorf("the world is asked for %v", m.Question[0])
		}
	}, "ns: example. 3600 NS ns.own.test.", "ar: ns.own.test. 3600 A 203.0.113.66")
	n.servers[two] = answering(aa, "an: www.example. 300 A 198.51.100.1")
	if _, msg := n.resolve(question("www.example.", wire.TypeA)); lines(msg.Answer) != "www.example. A 198.51.100.1" {
		t.Errorf("answer %v", msg)
	}
	for _, q := range n.log {
		if q.to == addr("203.0.113.66") {
			t.Error("the address that the parent gives was asked")
		}
	}
	n.idle()
}

// An alias that leads below a delegation of a zone that is served here is asked of the servers which that names, whatever
// other servers are configured above.
func TestDelegatedFromHere(t *testing.T) {
	n := split(t, Forward)
	n.m.SetHere(&local{t: t, zone: "own.test.", cuts: map[string]string{"kid.own.test.": "192.0.2.9"}})
	n.servers[one] = answering(nil, "an: www.example. 300 CNAME h.kid.own.test.", "an: h.kid.own.test. 300 A 203.0.113.66")
	n.servers[addr("192.0.2.9")] = answering(aa, "an: h.kid.own.test. 300 A 10.0.0.9")
	for range 2 {
		if _, msg := n.resolve(question("www.example.", wire.TypeA)); lines(msg.Answer) != "www.example. CNAME h.kid.own.test.; h.kid.own.test. A 10.0.0.9" {
			t.Errorf("answer %v", msg)
		}
	}
	n.idle()
}

// What is known here is told to nobody who validates as if it were proven, and spoils no proof.
func TestAliasesThroughHereWhileValidating(t *testing.T) {
	n := newSignedWorld(t, nil)
	h := &local{t: t, zone: "own.", records: []string{"in.own. 60 CNAME www.example.test.", "host.own. 60 A 10.0.0.1", "no.own. 60 CNAME nothing.example.test."}}
	n.m.SetHere(h)
	for _, c := range []struct {
		name, want string
		rcode      int
	}{
		{"in.own.", "in.own. CNAME www.example.test.; www.example.test. A", 0},
		{"no.own.", "no.own. CNAME nothing.example.test.", dns.RcodeNameError},
	} {
		a, msg := n.resolve(question(c.name, wire.TypeA))
		if got := lines(msg.Answer); len(got) < len(c.want) || got[:len(c.want)] != c.want || msg.Rcode != c.rcode || a.AD || a.Failed {
			t.Errorf("%s: %+v %v", c.name, a, msg)
		}
	}
	n.idle()
}

// A task that is under way when a zone comes answers from it.
func TestZoneComesWhileAsking(t *testing.T) {
	n := newNetwork(t, Options{Groups: []Group{{Zone: dnametest.Name("."), Servers: []netip.AddrPort{one}}}})
	n.servers[one] = answering(nil, "an: www.own.test. 300 A 203.0.113.66")
	n.begin(question("www.own.test.", wire.TypeA), 7)
	n.m.SetHere(&local{t: t, zone: "own.test.", records: []string{"www.own.test. 60 A 10.0.0.1"}})
	n.m.ZonesChanged(true)
	n.run(1e9)
	msg := new(dns.Msg)
	if err := msg.Unpack(n.answers[7].Msg); err != nil || lines(msg.Answer) != "www.own.test. A 10.0.0.1" || n.answers[7].Cacheable {
		t.Errorf("%v %v", err, msg)
	}
	n.idle()
}

// What was learned of a name before a zone has it is not used any more, an alias out of what is known included.
func TestZoneComesAfterItsNamesAreKnown(t *testing.T) {
	n := split(t, Forward)
	n.servers[one] = answering(nil, "an: www.example. 300 CNAME h.own.test.", "an: h.own.test. 300 A 203.0.113.66")
	n.resolve(question("www.example.", wire.TypeA))
	n.m.SetHere(&local{t: t, zone: "own.test.", records: []string{"h.own.test. 60 A 10.0.0.1"}, cuts: map[string]string{"kid.own.test.": "192.0.2.9"}})
	n.m.ZonesChanged(true)
	if _, msg := n.resolve(question("www.example.", wire.TypeA)); lines(msg.Answer) != "www.example. CNAME h.own.test.; h.own.test. A 10.0.0.1" {
		t.Errorf("answer %v", msg)
	}
	n.idle()
}

// Below a zone that is served here others may be asked, while names are validated: what the world's signed zones say of
// such names does not count.
func TestForwardBelowHereWhileValidating(t *testing.T) {
	n := newSignedWorld(t, func(o *Options) {
		o.Groups = []Group{{Zone: dnametest.Name("cloud.own.test."), Servers: []netip.AddrPort{addr("192.0.2.20")}}}
	})
	h := &local{t: t, zone: "own.test.", records: []string{"in.own.test. 60 CNAME db.cloud.own.test."}}
	elsewhere := &besides{h, "cloud.own.test."}
	n.m.SetHere(elsewhere)
	n.servers[addr("192.0.2.20")] = answering(nil, "an: db.cloud.own.test. 300 A 10.0.0.5")
	for _, c := range []struct{ name, want string }{
		{"db.cloud.own.test.", "db.cloud.own.test. A 10.0.0.5"},
		{"in.own.test.", "in.own.test. CNAME db.cloud.own.test.; db.cloud.own.test. A 10.0.0.5"},
	} {
		if a, msg := n.resolve(question(c.name, wire.TypeA)); lines(msg.Answer) != c.want || a.AD {
			t.Errorf("%s: %+v %v", c.name, a, msg)
		}
	}
	// Without the zone the world's word counts.
	h.zone = "nothing.invalid."
	n.m.ZonesChanged(true)
	if a, msg := n.resolve(question("db.cloud.own.test.", wire.TypeA)); !a.Failed {
		t.Errorf("without the zone: %+v %v", a, msg)
	}
	n.idle()
}

// besides is a Here that does not know the names below one.
type besides struct {
	Here
	zone string
}

func (b *besides) Look(dst []byte, q *Question) ([]byte, Place) {
	if dns.IsSubDomain(b.zone, q.Name.String()) {
		return dst, Elsewhere
	}
	return b.Here.Look(dst, q)
}
