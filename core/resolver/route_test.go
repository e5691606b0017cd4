package resolver

import (
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// split is a network with a forwarder for everything, one for corp.test., and a stub for lab.test. kind is that of
// corp.test.
func split(t *testing.T, kind GroupKind) *network {
	n := newNetwork(t, Options{Groups: []Group{
		{Zone: dnametest.Name("."), Servers: []netip.AddrPort{one}},
		{Zone: dnametest.Name("corp.test."), Kind: kind, Servers: []netip.AddrPort{two}},
		{Zone: dnametest.Name("lab.test."), Kind: Stub, Servers: []netip.AddrPort{three}},
	}, Memory: make([]byte, 1<<20), Recursion: true})
	n.servers[three] = answering(aa, "an: h.lab.test. 300 A 10.3.0.1")
	return n
}

// What a server says of the target of an alias counts only if the target's own route leads to it.
func TestAliasIsAskedWhereItBelongs(t *testing.T) {
	for _, c := range []struct {
		what    string
		records []string
		rcode   int
	}{
		{"bare", nil, 0},
		{"with an address", []string{"an: h.corp.test. 86400 A 203.0.113.66"}, 0},
		{"denied", []string{"ns: test. 3600 SOA ns. h. 1 2 3 4 3600"}, dns.RcodeNameError},
		{"denied without SOA", nil, dns.RcodeNameError},
		{"without data", []string{"ns: corp.test. 3600 SOA ns. h. 1 2 3 4 3600"}, 0},
		{"to somewhere else", []string{"an: h.corp.test. 86400 CNAME evil.example.", "an: evil.example. 86400 A 203.0.113.66"}, 0},
		{"with servers", []string{"ns: corp.test. 86400 NS ns.evil.example.", "ar: ns.evil.example. 86400 A 203.0.113.66"}, 0},
	} {
		for _, alias := range []string{"an: www.example. 300 CNAME h.corp.test.", "an: example. 300 DNAME corp.test."} {
			for _, kind := range []GroupKind{Forward, Stub} {
				n := split(t, kind)
				owner, link := "www.example.", "www.example. CNAME h.corp.test."
				if alias[4] == 'e' {
					owner, link = "h.example.", "example. DNAME corp.test.; h.example. CNAME h.corp.test."
				}
				n.servers[one] = answering(func(m *dns.Msg) { m.Rcode = c.rcode }, append([]string{alias}, c.records...)...)
				n.servers[two] = answering(aa, "an: h.corp.test. 300 A 10.2.0.1")
				for range 2 {
					if _, msg := n.resolve(question(owner, wire.TypeA)); lines(msg.Answer) != link+"; h.corp.test. A 10.2.0.1" || len(msg.Ns) != 0 || msg.Rcode != 0 {
						t.Errorf("%s, %s, %v: %v", alias, c.what, kind, msg)
					}
				}
				if _, msg := n.resolve(question("h.corp.test.", wire.TypeA)); lines(msg.Answer) != "h.corp.test. A 10.2.0.1" {
					t.Errorf("%s, %s, %v: asked for directly: %v", alias, c.what, kind, msg)
				}
				n.idle()
			}
		}
	}
}

// A forwarder for one zone has nothing to say about the rest of the world (MaginotDNS).
func TestForwarderSpeaksForItsZoneOnly(t *testing.T) {
	for _, lie := range [][]string{
		{"an: x.corp.test. 300 CNAME www.example.", "an: www.example. 86400 A 203.0.113.66"},
		{"an: x.corp.test. 300 CNAME www.example.", "an: www.example. 86400 CNAME evil.corp.test.", "an: evil.corp.test. 86400 A 203.0.113.66"},
		{"an: x.corp.test. 300 CNAME www.example.", "an: www.example. 86400 A 203.0.113.66", "ns: example. 86400 NS ns.evil.corp.test.", "ar: ns.evil.corp.test. 86400 A 203.0.113.66"},
		{"an: x.corp.test. 300 CNAME www.example.", "an: example. 86400 DNAME evil.corp.test.", "an: www.evil.corp.test. 86400 A 203.0.113.66"},
		{"an: test. 86400 DNAME evil.example.", "an: x.corp.test. 300 CNAME www.example."},
		{"an: . 86400 DNAME evil.example.", "an: x.corp.test. 300 CNAME www.example."},
		{"an: x.corp.test. 300 CNAME www.example.", "ns: example. 3600 SOA ns. h. 1 2 3 4 3600"},
	} {
		n := split(t, Forward)
		n.servers[two] = answering(nil, lie...)
		n.servers[one] = answering(nil, "an: www.example. 300 A 198.51.100.1")
		if _, msg := n.resolve(question("x.corp.test.", wire.TypeA)); lines(msg.Answer) != "x.corp.test. CNAME www.example.; www.example. A 198.51.100.1" {
			t.Errorf("%q: %v", lie, msg)
		}
		if _, msg := n.resolve(question("www.example.", wire.TypeA)); lines(msg.Answer) != "www.example. A 198.51.100.1" {
			t.Errorf("%q: asked for directly: %v", lie, msg)
		}
		for _, q := range n.log {
			if q.to == three || q.to.Addr() == netip.MustParseAddr("203.0.113.66") {
				t.Errorf("%q: %v was asked", lie, q.to)
			}
		}
		n.idle()
	}
}

// A chain that leaves a forwarder's zone and comes back is asked for link by link; one that stays is taken whole.
func TestChainAcrossRoutes(t *testing.T) {
	n := split(t, Forward)
	n.servers[one] = answering(nil, "an: a.example. 300 CNAME b.example.", "an: b.example. 300 CNAME c.corp.test.", "an: e.example. 300 CNAME h.lab.test.")
	n.servers[two] = answering(nil, "an: c.corp.test. 300 CNAME d.corp.test.", "an: d.corp.test. 300 CNAME e.example.", "an: e.example. 300 A 203.0.113.66")
	const want = "a.example. CNAME b.example.; b.example. CNAME c.corp.test.; c.corp.test. CNAME d.corp.test.; d.corp.test. CNAME e.example.; " +
		"e.example. CNAME h.lab.test.; h.lab.test. A 10.3.0.1"
	if _, msg := n.resolve(question("a.example.", wire.TypeA)); lines(msg.Answer) != want {
		t.Errorf("answer %v", msg)
	}
	var to []netip.AddrPort
	for _, q := range n.log {
		to = append(to, q.to)
	}
	if len(to) != 4 || to[0] != one || to[1] != two || to[2] != one || to[3] != three {
		t.Errorf("asked %v", to)
	}
	n.idle()
}

// Aliases that lead back and forth between routes end.
func TestAliasesBetweenRoutesEnd(t *testing.T) {
	n := split(t, Forward)
	n.servers[one] = answering(nil, "an: a.example. 300 CNAME b.corp.test.")
	n.servers[two] = answering(nil, "an: b.corp.test. 300 CNAME a.example.")
	if a, _ := n.resolve(question("a.example.", wire.TypeA)); !a.Failed {
		t.Errorf("%+v", a)
	}
	if len(n.log) > maxChain+1 {
		t.Errorf("%d queries", len(n.log))
	}
	n.idle()
}

// Addresses of servers are believed by the same rule: glue for a name with a route of its own is none.
func TestGlueOfAnotherRoute(t *testing.T) {
	n := newNetwork(t, Options{Recursion: true, RootHints: []Hint{{Name: dnametest.Name("a.root."), Addr: one.Addr()}}, PlainNames: true, NoIPv6: true, Groups: []Group{
		{Zone: dnametest.Name("corp.test."), Servers: []netip.AddrPort{two}},
	}})
	n.servers[one] = answering(aa, "ns: example.test. 3600 NS ns.corp.test.", "ar: ns.corp.test. 3600 A 203.0.113.66")
	n.servers[two] = answering(nil, "an: ns.corp.test. 300 A 192.0.2.3")
	n.servers[three] = answering(aa, "an: www.example.test. 300 A 198.51.100.1")
	if _, msg := n.resolve(question("www.example.test.", wire.TypeA)); lines(msg.Answer) != "www.example.test. A 198.51.100.1" {
		t.Errorf("answer %v", msg)
	}
	for _, q := range n.log {
		if q.to == addr("203.0.113.66") {
			t.Error("the address out of the parent's mouth was asked")
		}
	}
	n.idle()
}

// NS records beside an answer move no delegation, whoever sends them (the promiscuous NS records of 2025).
func TestNSBesideAnAnswerIsNoDelegation(t *testing.T) {
	evil := addr("203.0.113.66")
	n := newNetwork(t, Options{Recursion: true, RootHints: []Hint{{Name: dnametest.Name("a.root."), Addr: one.Addr()}}, PlainNames: true, NoIPv6: true, Groups: []Group{
		{Zone: dnametest.Name("corp.test."), Servers: []netip.AddrPort{three}},
	}})
	promiscuous := []string{"ns: example. 86400 NS ns.evil.", "ns: corp.test. 86400 NS ns.evil.", "ns: test. 86400 NS ns.evil.", "ar: ns.evil. 86400 A 203.0.113.66",
		"ar: ns.example. 86400 A 203.0.113.66"}
	n.servers[one] = answering(aa, "ns: example. 3600 NS ns.example.", "ar: ns.example. 3600 A 192.0.2.2")
	n.servers[two] = answering(aa, append([]string{"an: www.example. 300 A 198.51.100.1", "an: ftp.example. 300 A 198.51.100.2"}, promiscuous...)...)
	n.servers[three] = answering(nil, append([]string{"an: www.corp.test. 300 A 10.0.0.1", "an: ftp.corp.test. 300 A 10.0.0.2"}, promiscuous...)...)
	for _, c := range []struct{ name, want string }{
		{"www.example.", "198.51.100.1"}, {"www.corp.test.", "10.0.0.1"}, {"ftp.example.", "198.51.100.2"}, {"ftp.corp.test.", "10.0.0.2"},
	} {
		if _, msg := n.resolve(question(c.name, wire.TypeA)); lines(msg.Answer) != c.name+" A "+c.want || len(msg.Ns) != 0 {
			t.Errorf("%s: %v", c.name, msg)
		}
	}
	for _, q := range n.log {
		if q.to == evil {
			t.Error("the server that NS records beside an answer name was asked")
		}
	}
	n.idle()
}

// The DS records of a stub zone's apex are the parent's matter: that it knows no such name says nothing of the zone.
func TestParentDeniesStubZone(t *testing.T) {
	n := split(t, Stub)
	n.servers[one] = answering(func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }, "ns: . 3600 SOA a. h. 1 2 3 4 3600")
	n.servers[two] = answering(aa, "an: corp.test. 300 A 10.2.0.1")
	if _, msg := n.resolve(question("corp.test.", wire.TypeDS)); msg.Rcode != dns.RcodeNameError {
		t.Errorf("DS: %v", msg)
	}
	if _, msg := n.resolve(question("corp.test.", wire.TypeA)); lines(msg.Answer) != "corp.test. A 10.2.0.1" {
		t.Errorf("A: %v", msg)
	}
	// Nor the other way round.
	n = split(t, Stub)
	n.servers[two] = answering(func(m *dns.Msg) { aa(m); m.Rcode = dns.RcodeNameError }, "ns: corp.test. 3600 SOA a. h. 1 2 3 4 3600")
	n.servers[one] = answering(nil, "ns: test. 3600 SOA a. h. 1 2 3 4 3600")
	n.resolve(question("corp.test.", wire.TypeA))
	if _, msg := n.resolve(question("corp.test.", wire.TypeDS)); msg.Rcode != 0 || lines(msg.Ns) != "test. SOA a. h. 1 2 3 4 3600" {
		t.Errorf("DS: %v", msg)
	}
	n.idle()
}

// A response that comes after a reload from a server that its name's route does not lead to any more is not heeded.
func TestRouteChangesWhileAsking(t *testing.T) {
	for _, before := range []GroupKind{Forward, Stub} {
		n := newNetwork(t, Options{Groups: []Group{{Zone: dnametest.Name("corp.test."), Kind: before, Servers: []netip.AddrPort{one}}}, Recursion: true})
		slow := answering(aa, "an: www.corp.test. 300 A 203.0.113.66")
		n.servers[one] = func(q sent) []reply {
			r := slow(q)
			r[0].after = 100 * time.Millisecond
			return r
		}
		n.servers[two] = answering(aa, "an: www.corp.test. 300 A 10.2.0.1")
		n.begin(question("www.corp.test.", wire.TypeA), 7)
		n.m.Reconfigure([]Group{{Zone: dnametest.Name("corp.test."), Servers: []netip.AddrPort{two}}})
		n.run(4 * time.Second)
		msg := new(dns.Msg)
		if err := msg.Unpack(n.answers[7].Msg); err != nil || lines(msg.Answer) != "www.corp.test. A 10.2.0.1" {
			t.Errorf("%v: %v %v", before, err, msg)
		}
		if n.answers[7].Cacheable {
			t.Errorf("%v: an answer of before and after the reload is cached", before)
		}
		if _, msg := n.resolve(question("www.corp.test.", wire.TypeA)); lines(msg.Answer) != "www.corp.test. A 10.2.0.1" {
			t.Errorf("%v: from what is known: %v", before, msg)
		}
		n.idle()
	}
}

// What a server says now is not true beside what was known of the name before: of the two the older is forgotten.
func TestNewerKnowledgeWins(t *testing.T) {
	for _, c := range []struct {
		what          string
		before, after []string
		rcodes        [2]int
	}{
		{"denied, then not", []string{"ns: example. 300 SOA ns. h. 1 2 3 4 300"}, []string{"an: www.example. 300 A 192.0.2.9"}, [2]int{dns.RcodeNameError, 0}},
		{"there, then denied", []string{"an: www.example. 300 A 192.0.2.9"}, []string{"ns: example. 300 SOA ns. h. 1 2 3 4 300"}, [2]int{0, dns.RcodeNameError}},
		{"an address, then an alias", []string{"an: www.example. 300 A 192.0.2.9"}, []string{"an: www.example. 300 CNAME web.example.", "an: web.example. 300 A 192.0.2.8"}, [2]int{}},
		{"an alias, then an address", []string{"an: www.example. 300 CNAME web.example.", "an: web.example. 300 A 192.0.2.8"}, []string{"an: www.example. 300 A 192.0.2.9"}, [2]int{}},
		{"an alias, then nothing", []string{"an: www.example. 300 CNAME web.example.", "an: web.example. 300 A 192.0.2.8"}, []string{"ns: example. 300 SOA ns. h. 1 2 3 4 300"}, [2]int{}},
	} {
		n := newNetwork(t, Options{Groups: forwardTo("192.0.2.1").Groups, Recursion: true})
		n.servers[one] = answering(func(m *dns.Msg) { m.Rcode = c.rcodes[0] }, c.before...)
		n.resolve(question("www.example.", wire.TypeA))
		n.servers[one] = answering(func(m *dns.Msg) { m.Rcode = c.rcodes[1] }, c.after...)
		n.begin(question("www.example.", wire.TypeA), NoWaiter) // a refresh
		n.run(time.Second)
		sent := len(n.log)
		q := question("www.example.", wire.TypeA)
		q.CD = true // a client of another kind
		_, msg := n.resolve(q)
		want := ""
		for i, text := range c.after {
			if text[:2] == "an" {
				if i > 0 {
					want += "; "
				}
				want += lines([]dns.RR{mustRR(text[4:])})
			}
		}
		if lines(msg.Answer) != want || msg.Rcode != c.rcodes[1] || len(n.log) != sent {
			t.Errorf("%s: %v after %d more queries", c.what, msg, len(n.log)-sent)
		}
		n.idle()
	}
}

// Validation makes no difference to that: names that need no signature are the ones that can be forged.
func TestForwarderSpeaksForItsZoneWhileValidating(t *testing.T) {
	n := newSignedWorld(t, func(o *Options) {
		o.Anchors.Set(dnssec.Anchor{Zone: dnametest.Name("corp."), Negative: true})
		o.Groups = []Group{{Zone: dnametest.Name("corp."), Servers: []netip.AddrPort{addr("192.0.2.20")}}}
	})
	n.servers[addr("192.0.2.20")] = answering(nil, "an: x.corp. 300 CNAME www.plain.test.", "an: www.plain.test. 86400 A 203.0.113.66",
		"ns: plain.test. 86400 NS ns.evil.corp.", "ar: ns.plain.test. 86400 A 203.0.113.66", "ar: ns.evil.corp. 86400 A 203.0.113.66")
	for _, c := range []struct{ name, want string }{
		{"x.corp.", "x.corp. CNAME www.plain.test.; www.plain.test. A 198.51.100.3"},
		{"www.plain.test.", "www.plain.test. A 198.51.100.3"},
		{"enters.plain.test.", "enters.plain.test. CNAME www.example.test.; www.example.test. A 198.51.100.1"},
	} {
		if _, msg := n.resolve(question(c.name, wire.TypeA)); lines(msg.Answer) != c.want {
			t.Errorf("%s: %v", c.name, msg)
		}
	}
	for _, q := range n.log {
		if q.to == addr("203.0.113.66") {
			t.Error("a server out of the forwarder's mouth was asked")
		}
	}
	n.idle()
}

// The servers of a group below the apex of a signed zone may have another view of it: what they prove is good for the
// names of the group, and for no others.
func TestDenialOfAnotherView(t *testing.T) {
	inner := newZone(t, "example.test.", true, "example.test. 3600 NS ns1.example.test.", "ns1.example.test. 3600 A 192.0.2.3", "h.corp.example.test. 3600 A 10.0.0.1")
	n := newSignedWorld(t, func(o *Options) {
		o.Groups = []Group{{Zone: dnametest.Name("corp.example.test."), Servers: []netip.AddrPort{addr("192.0.2.20")}}}
	})
	n.servers[addr("192.0.2.20")] = func(q sent) []reply {
		r := inner.answer(q.msg)
		r.RecursionAvailable = true
		r.SetEdns0(1232, true)
		return []reply{{msg: r}}
	}
	if a, msg := n.resolve(question("zz.corp.example.test.", wire.TypeA)); !a.AD || msg.Rcode != dns.RcodeNameError {
		t.Fatalf("the inner view: %+v %v", a, msg)
	}
	// Between h.corp and the next name of the inner view there are names in the outer one.
	if _, msg := n.resolve(question("leaves.example.test.", wire.TypeA)); lines(msg.Answer) != "leaves.example.test. CNAME www.plain.test.; www.plain.test. A 198.51.100.3" {
		t.Errorf("the outer view: %v", msg)
	}
	n.idle()
}

// Glue that was believed before a name got a route of its own is not used any more.
func TestGlueOfBeforeTheRoute(t *testing.T) {
	old, new := addr("203.0.113.66"), three
	n := newNetwork(t, Options{Recursion: true, RootHints: []Hint{{Name: dnametest.Name("a.root."), Addr: one.Addr()}}, PlainNames: true, NoIPv6: true})
	n.servers[one] = answering(aa, "ns: example.test. 3600 NS ns.corp.test.", "ar: ns.corp.test. 3600 A 203.0.113.66")
	n.servers[two] = answering(nil, "an: ns.corp.test. 300 A 192.0.2.3")
	n.servers[old] = answering(aa, "an: www.example.test. 0 A 203.0.113.1", "an: ns.corp.test. 3600 A 203.0.113.66")
	n.servers[new] = answering(aa, "an: www.example.test. 0 A 198.51.100.1")
	for range 2 {
		n.resolve(question("www.example.test.", wire.TypeA))
		n.run(2 * time.Second)
	}
	n.m.Reconfigure([]Group{{Zone: dnametest.Name("corp.test."), Servers: []netip.AddrPort{two}}})
	before := len(n.log)
	if _, msg := n.resolve(question("www.example.test.", wire.TypeA)); lines(msg.Answer) != "www.example.test. A 198.51.100.1" {
		t.Errorf("answer %v", msg)
	}
	for _, q := range n.log[before:] {
		if q.to == old {
			t.Errorf("%v was asked", old)
		}
	}
	n.idle()
}
