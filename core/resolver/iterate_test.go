package resolver

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

func TestIteration(t *testing.T) {
	n := withGlueless(world(t, Options{NoIPv6: true}, internet))
	_, msg := n.resolve(question("www.example.test.", wire.TypeA))
	if got := lines(msg.Answer); got != "www.example.test. A 198.51.100.1" {
		t.Fatal(got)
	}
	want := ". NS @192.0.2.1, test. A @192.0.2.1, example.test. A @192.0.2.2, www.example.test. A @192.0.2.4"
	if got := strings.Join(n.asked(), ", "); got != want {
		t.Errorf("asked %s\nwant  %s", got, want)
	}
	for i, c := range []struct {
		name, want string
		typ        wire.Type
	}{
		{"www.glueless.test.", "www.glueless.test. A 198.51.100.2", wire.TypeA},
		{"alias.example.test.", "alias.example.test. CNAME www.glueless.test.; www.glueless.test. A 198.51.100.2", wire.TypeA},
		{"nothing.example.test.", "", wire.TypeA},
		{"www.example.test.", "", wire.TypeTXT},
		{"www.nowhere.", "", wire.TypeA},
		{"a.b.c.d.e.f.g.h.i.j.k.l.m.n.example.test.", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.example.test. A 198.51.100.3", wire.TypeA},
		{"example.test.", "example.test. NS ns1.example.test.", wire.TypeNS},
	} {
		a, msg := n.resolve(question(c.name, c.typ))
		if got := lines(msg.Answer); a.Failed || got != c.want {
			t.Errorf("%d: %s: %q, %+v", i, c.name, got, a)
		}
		if nx := strings.HasPrefix(c.name, "no") || strings.HasPrefix(c.name, "www.no"); nx != (a.Rcode == wire.RcodeNXDomain) || (c.want == "") != (soaOwner(msg.Ns) != "") {
			t.Errorf("%d: %s: %v", i, c.name, msg)
		}
	}
	// All of that again asks nobody, nor does another name below the missing top-level domain.
	before := len(n.log)
	for _, name := range []string{"www.glueless.test.", "alias.example.test.", "nothing.example.test.", "other.nowhere."} {
		n.resolve(question(name, wire.TypeA))
	}
	if len(n.log) != before {
		t.Errorf("asked again: %v", n.asked()[before:])
	}
	n.idle()
}

func TestMinimisationIsBounded(t *testing.T) {
	n := world(t, Options{NoIPv6: true}, internet)
	n.resolve(question(strings.Repeat("x.", 100)+"example.test.", wire.TypeA))
	if len(n.log) > maxMinimised+6 {
		t.Errorf("%d queries: %v", len(n.log), n.asked())
	}
	n.idle()
}

func TestAliasLoopThroughZones(t *testing.T) {
	n := withGlueless(world(t, Options{NoIPv6: true}, internet))
	a, _ := n.resolve(question("loop.example.test.", wire.TypeA))
	if !a.Failed || len(n.log) > maxQueries {
		t.Errorf("%+v after %d queries", a, len(n.log))
	}
	n.idle()
}

func TestRefreshAsksAgain(t *testing.T) {
	n := world(t, Options{NoIPv6: true}, internet)
	n.resolve(question("www.example.test.", wire.TypeA))
	before := len(n.log)
	n.begin(question("www.example.test.", wire.TypeA), NoWaiter)
	n.run(time.Second)
	if len(n.log) != before+1 {
		t.Errorf("%v", n.asked()[before:])
	}
	n.idle()
}

// A server answers beside the point; nothing of it may be served or used later.
func TestPoison(t *testing.T) {
	for what, extra := range map[string][]string{
		"answer":        {"an: www.victim.test. 600 A 203.0.113.66"},
		"additional":    {"ar: www.victim.test. 600 A 203.0.113.66"},
		"NS of sibling": {"ns: victim.test. 600 NS ns.evil.test.", "ar: ns.evil.test. 600 A 203.0.113.66"},
		"NS of parent":  {"ns: test. 600 NS ns.evil.test.", "ar: ns.evil.test. 600 A 203.0.113.66"},
		"NS of root":    {"ns: . 600 NS ns.evil.test.", "ar: ns.evil.test. 600 A 203.0.113.66"},
		"glue":          {"ns: sub.evil.test. 600 NS ns.victim.test.", "ar: ns.victim.test. 600 A 203.0.113.66"},
		"alias":         {"an: x.evil.test. 600 CNAME www.victim.test.", "an: www.victim.test. 600 A 203.0.113.66"},
		"SOA":           {"ns: test. 600 SOA a. b. 1 2 3 4 600"},
	} {
		n := world(t, Options{NoIPv6: true}, `
192.0.2.1 .
test. 3600 NS ns.test.
ns.test. 3600 A 192.0.2.2
192.0.2.2 test.
test. 3600 NS ns.test.
evil.test. 600 NS ns.evil.test.
ns.evil.test. 600 A 192.0.2.4
victim.test. 600 NS ns.victim.test.
ns.victim.test. 600 A 192.0.2.5
192.0.2.5 victim.test.
ns.victim.test. 600 A 192.0.2.5
www.victim.test. 600 A 198.51.100.1
`)
		asked := false
		n.servers[addr("203.0.113.66")] = func(q sent) []reply { asked = true; return nil }
		n.servers[addr("192.0.2.4")] = func(q sent) []reply {
			m := answering(aa, extra...)(q)
			m[0].msg.RecursionAvailable = false
			if strings.HasPrefix(what, "NS") || what == "glue" {
				m[0].msg.Authoritative = false
			}
			return m
		}
		n.resolve(question("x.evil.test.", wire.TypeA))
		n.resolve(question("x.sub.evil.test.", wire.TypeA))
		_, msg := n.resolve(question("www.victim.test.", wire.TypeA))
		if got := lines(msg.Answer); got != "www.victim.test. A 198.51.100.1" || asked {
			t.Errorf("%s: %s, attacker asked: %v", what, got, asked)
		}
		n.idle()
	}
}

// NXNSAttack: a referral to many names of the victim, none with an address.
func TestManyServerNames(t *testing.T) {
	n := world(t, Options{}, `
192.0.2.1 .
test. 3600 NS ns.test.
ns.test. 3600 A 192.0.2.2
victim. 3600 NS ns.victim.
ns.victim. 3600 A 192.0.2.3
192.0.2.2 test.
test. 3600 NS ns.test.
192.0.2.3 victim.
ns.victim. 3600 A 192.0.2.3
`)
	n.servers[addr("192.0.2.2")] = func(q sent) []reply {
		var list []string
		for i := range 200 {
			list = append(list, fmt.Sprintf("ns: evil.test. 1 NS x%d.victim.", i))
		}
		return answering(func(m *dns.Msg) { m.RecursionAvailable = false }, list...)(q)
	}
	for range 3 {
		before := len(n.log)
		a, _ := n.resolve(question("www.evil.test.", wire.TypeA))
		victim := 0
		for _, q := range n.log[before:] {
			if q.to == addr("192.0.2.3") {
				victim++
			}
		}
		if !a.Failed || victim > maxSpawned {
			t.Errorf("%+v after %d queries, %d of them to the victim", a, len(n.log)-before, victim)
		}
	}
	n.idle()
}

// Zones whose servers are named in each other, without glue, cannot be resolved: that must end soon.
func TestServersNamedInEachOther(t *testing.T) {
	n := world(t, Options{}, `
192.0.2.1 .
a. 3600 NS ns.b.
b. 3600 NS ns.c.
c. 3600 NS ns.a.
d. 3600 NS ns.d.
`)
	for _, name := range []string{"www.a.", "www.b.", "www.d."} {
		before := n.now
		a, _ := n.resolve(question(name, wire.TypeA))
		if !a.Failed || n.now-before > time.Second {
			t.Errorf("%s: %+v after %v", name, a, n.now-before)
		}
	}
	if len(n.log) > 3*maxTotal/2 {
		t.Errorf("%d queries", len(n.log))
	}
	n.idle()
}

// Each zone of a chain leads to servers named in the next: the bound for one question holds over all.
func TestLongDependencies(t *testing.T) {
	n := world(t, Options{}, "192.0.2.1 .\n")
	n.servers[addr("192.0.2.1")] = func(q sent) []reply {
		labels := dns.SplitDomainName(strings.ToLower(q.msg.Question[0].Name))
		if len(labels) == 0 {
			return nil
		}
		tld := labels[len(labels)-1]
		var list []string
		for i := range 10 {
			list = append(list, fmt.Sprintf("ns: %s. 1 NS ns.%s%d.", tld, tld, i))
		}
		return answering(func(m *dns.Msg) { m.RecursionAvailable = false }, list...)(q)
	}
	a, _ := n.resolve(question("www.t.", wire.TypeA))
	n.idle() // Sub-tasks must not go on without the question that they were for.
	if !a.Failed || len(n.log) > maxTotal+servers.MaxPerServer {
		t.Errorf("%+v after %d queries", a, len(n.log))
	}
}

func TestReferralsThatDoNotLeadDown(t *testing.T) {
	for what, ns := range map[string]string{"itself": "test.", "up": ".", "aside": "other.", "below the name": "x.www.test."} {
		n := world(t, Options{NoIPv6: true}, internet)
		n.servers[addr("192.0.2.2")] = answering(func(m *dns.Msg) { m.RecursionAvailable = false }, "ns: "+ns+" 600 NS ns.test.", "ar: ns.test. 600 A 192.0.2.2")
		a, _ := n.resolve(question("www.test.", wire.TypeA))
		if !a.Failed || len(n.log) > 8 {
			t.Errorf("%s: %+v after %v", what, a, n.asked())
		}
		n.idle()
	}
}

func TestForbiddenAddresses(t *testing.T) {
	n := world(t, Options{NoIPv6: true}, `
192.0.2.1 .
test. 3600 NS ns.test.
ns.test. 3600 A 127.0.0.1
ns.test. 3600 A 0.0.0.0
ns.test. 3600 A 255.255.255.255
ns.test. 3600 A 224.0.0.1
ns.test. 3600 AAAA 2001:db8::1
`)
	a, _ := n.resolve(question("www.test.", wire.TypeA))
	for _, q := range n.log {
		if q.to != addr("192.0.2.1") {
			t.Errorf("asked %v", q.to)
		}
	}
	if !a.Failed {
		t.Errorf("%+v", a)
	}
	n.idle()
}

func TestStaleDelegationIsRenewed(t *testing.T) {
	n := world(t, Options{NoIPv6: true}, internet)
	n.resolve(question("www.example.test.", wire.TypeA))
	// The zone moves; its old server refuses.
	n.run(time.Duration(n.m.failing.most) * time.Second)
	n.servers[addr("192.0.2.9")] = authority("example.test.", &[]dns.RR{mustRR("new.example.test. 60 A 198.51.100.9")})
	n.servers[addr("192.0.2.4")] = rcode(dns.RcodeRefused)
	n.servers[addr("192.0.2.2")] = authority("test.", &[]dns.RR{mustRR("example.test. 60 NS ns9.example.test."), mustRR("ns9.example.test. 60 A 192.0.2.9")})
	if a, _ := n.resolve(question("new.example.test.", wire.TypeA)); a.Failed {
		t.Errorf("%+v: %v", a, n.asked())
	}
	n.idle()
}

func TestStubInsideTheTree(t *testing.T) {
	n := world(t, Options{NoIPv6: true, Groups: []Group{{Zone: dnametest.Name("corp.test."), Kind: Stub, Servers: []netip.AddrPort{addr("192.0.2.8")}}}}, internet+`
192.0.2.8 corp.test.
www.corp.test. 60 CNAME www.example.test.
deep.corp.test. 60 NS ns.deep.corp.test.
ns.deep.corp.test. 60 A 192.0.2.9
192.0.2.9 deep.corp.test.
www.deep.corp.test. 60 A 198.51.100.8
`)
	for name, want := range map[string]string{
		"www.corp.test.":      "www.corp.test. CNAME www.example.test.; www.example.test. A 198.51.100.1",
		"www.deep.corp.test.": "www.deep.corp.test. A 198.51.100.8",
	} {
		if _, msg := n.resolve(question(name, wire.TypeA)); lines(msg.Answer) != want {
			t.Errorf("%s: %s\n%v", name, lines(msg.Answer), n.asked())
		}
	}
	n.idle()
}

func TestSnoop(t *testing.T) {
	n := withGlueless(world(t, Options{NoIPv6: true}, internet))
	n.resolve(question("alias.example.test.", wire.TypeA))
	before := len(n.log)
	for name, want := range map[string]string{
		"alias.example.test.": "alias.example.test. CNAME www.glueless.test.; www.glueless.test. A 198.51.100.2",
		"other.example.test.": "",
	} {
		a, ok := n.m.Snoop(int64(n.now), question(name, wire.TypeA))
		msg := new(dns.Msg)
		if err := msg.Unpack(a.Msg); err != nil || !ok {
			t.Fatal(err, ok)
		}
		if lines(msg.Answer) != want || want == "" && lines(msg.Ns) != "example.test. NS ns1.example.test." {
			t.Errorf("%s: %v", name, msg)
		}
	}
	if len(n.log) != before {
		t.Error("it asked")
	}
}
