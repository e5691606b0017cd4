package resolver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// answersAll is a server with authority over whatever it is asked for, with an address for each name.
func answersAll(q sent) []reply {
	return answering(aa, "an: "+asked(q)+" 60 A 203.0.113.1")(q)
}

// forwardsAll is a forwarder that has an address for each name.
func forwardsAll(q sent) []reply {
	return answering(nil, "an: "+asked(q)+" 60 A 203.0.113.1")(q)
}

// provider is a zone in which the servers of other zones are named, with the given address for its server's name. It is
// served at 192.0.2.3, where its parent says that the name is.
func provider(t *testing.T, o Options, itself string, parent string) *network {
	n := world(t, o, "192.0.2.1 .\nprovider. 3600 NS a.provider.\na.provider. 3600 A 192.0.2.3\n"+parent)
	own := authority("provider.", &[]dns.RR{mustRR("a.provider. 600 A " + itself)})
	n.servers[addr("192.0.2.3")] = func(q sent) []reply {
		if dns.IsSubDomain("provider.", asked(q)) {
			return own(q)
		}
		return answersAll(q)
	}
	return n
}

func resolves(t *testing.T, n *network, qname, what string) {
	t.Helper()
	began := n.now
	if a, msg := n.resolve(question(qname, wire.TypeA)); a.Failed || lines(msg.Answer) != qname+" A 203.0.113.1" {
		t.Errorf("%s: %s after %v: %s", what, a.EDEText, n.now-began, lines(msg.Answer))
	}
}

// What a zone says of its servers is wrong, what its parent says is right.
func TestChildsAddressIsDead(t *testing.T) {
	n := provider(t, Options{NoIPv6: true}, "192.0.2.66", "customer. 3600 NS a.provider.\n")
	resolves(t, n, "www.customer.", "silent address")
	n.idle()

	n = provider(t, Options{NoIPv6: true}, "192.0.2.66", "customer. 3600 NS a.provider.\n")
	n.servers[addr("192.0.2.66")] = rcode(dns.RcodeRefused)
	resolves(t, n, "www.customer.", "address of a server that refuses")
	n.idle()

	// The parent gives the address beside the names of the zone's servers.
	n = world(t, Options{NoIPv6: true}, `
192.0.2.1 .
test. 3600 NS ns.test.
ns.test. 3600 A 192.0.2.2
192.0.2.2 test.
one.test. 600 NS ns1.two.test.
one.test. 600 NS ns2.two.test.
two.test. 600 NS ns1.two.test.
two.test. 600 NS ns2.two.test.
ns1.two.test. 600 A 192.0.2.3
ns2.two.test. 600 A 192.0.2.4
`)
	own := authority("two.test.", &[]dns.RR{mustRR("ns1.two.test. 600 A 192.0.2.66"), mustRR("ns2.two.test. 600 A 192.0.2.67")})
	n.servers[addr("192.0.2.3")] = func(q sent) []reply {
		if dns.IsSubDomain("two.test.", asked(q)) {
			return own(q)
		}
		return answersAll(q)
	}
	n.servers[addr("192.0.2.4")] = n.servers[addr("192.0.2.3")]
	resolves(t, n, "www.one.test.", "glue beside it")
	n.idle()
}

// What the parent says of a zone's servers has become wrong, and what the zone said meanwhile is right: of the address
// of a name, and of the names. What it said before its parent's last word does not count.
func TestParentsAddressIsDead(t *testing.T) {
	for _, early := range []bool{false, true} {
		n := world(t, Options{NoIPv6: true}, "192.0.2.1 .\nzone. 60 NS ns1.zone.\nns1.zone. 60 A 192.0.2.3\n")
		own := authority("zone.", &[]dns.RR{
			mustRR("zone. 600 NS ns9.zone."), mustRR("ns1.zone. 600 A 192.0.2.4"), mustRR("ns9.zone. 600 A 192.0.2.5"), mustRR("www.zone. 60 A 203.0.113.1"),
			mustRR("next.zone. 60 A 203.0.113.1"), mustRR("last.zone. 60 A 203.0.113.1"),
		})
		n.servers[addr("192.0.2.3")] = own
		n.resolve(question("zone.", wire.TypeNS))
		n.resolve(question("ns1.zone.", wire.TypeA))
		n.resolve(question("ns9.zone.", wire.TypeA))
		if early {
			n.run(2 * time.Minute) // The parent's word is out of date and will be asked for again.
		}
		n.servers[addr("192.0.2.3")], n.servers[addr("192.0.2.4")] = nil, own
		if early {
			if a, _ := n.resolve(question("www.zone.", wire.TypeA)); !a.Failed {
				t.Error("the zone's servers have gone, as far as its parent is concerned")
			}
			continue
		}
		resolves(t, n, "www.zone.", "the address that the name has by itself")
		n.servers[addr("192.0.2.4")], n.servers[addr("192.0.2.5")] = nil, own
		n.run(time.Second)
		resolves(t, n, "next.zone.", "the server that the zone names")
		n.idle()
	}
}

// A zone names other servers than its parent, which have died: those of the zone are asked if it was asked for them, also
// when the parent has repeated its word, but not when it has named others, nor if they stood beside another answer.
func TestServersTheZoneNames(t *testing.T) {
	for _, c := range []struct {
		asked, repeated, changed, beside bool
	}{{asked: true}, {asked: true, repeated: true}, {asked: true, changed: true}, {beside: true}} {
		delegate := func(at string) string {
			return "192.0.2.1 .\nzone. 3600 NS ns1.zone.\nns1.zone. 3600 A " + at + "\n"
		}
		n := world(t, Options{NoIPv6: true}, delegate("192.0.2.3"))
		n.servers[addr("192.0.2.3")] = func(q sent) []reply {
			switch {
			case q.msg.Question[0].Qtype == dns.TypeNS:
				return answering(aa, "an: zone. 600 NS ns9.zone.", "ar: ns9.zone. 600 A 192.0.2.9")(q)
			case c.beside:
				return answering(aa, "an: "+asked(q)+" 60 A 203.0.113.1", "ns: zone. 600 NS ns9.zone.", "ar: ns9.zone. 600 A 192.0.2.9")(q)
			}
			return answersAll(q)
		}
		n.servers[addr("192.0.2.9")] = answersAll
		resolves(t, n, "before.zone.", "before")
		if c.asked {
			n.resolve(question("zone.", wire.TypeNS))
		}
		n.servers[addr("192.0.2.3")] = nil
		n.run(time.Minute)
		if c.repeated || c.changed {
			next := delegate("192.0.2.3")
			if c.changed {
				next = delegate("192.0.2.4")
			}
			n.servers[addr("192.0.2.1")] = world(t, Options{}, next).servers[addr("192.0.2.1")]
			n.servers[addr("192.0.2.9")] = nil
			for i := range 4 {
				n.resolve(question(fmt.Sprintf("during%d.zone.", i), wire.TypeA))
			}
			n.servers[addr("192.0.2.9")] = answersAll
		}
		if want := c.asked && !c.changed; want {
			resolves(t, n, "after.zone.", fmt.Sprintf("%+v", c))
		} else if a, _ := n.resolve(question("after.zone.", wire.TypeA)); !a.Failed {
			t.Errorf("%+v: answered", c)
		}
		n.idle()
	}
}

// A zone has moved: the servers known for it are dead, be they few or many, and its parent knows the new ones.
func TestMovedZoneWithDeadServers(t *testing.T) {
	for _, servers := range []int{1, 2, 4, 13} {
		set := func(base int) string {
			var s strings.Builder
			for i := range servers {
				fmt.Fprintf(&s, "zone. 3600 NS ns%d-%d.zone.\nns%d-%d.zone. 3600 A 198.51.100.%d\n", base, i, base, i, base+i)
			}
			return s.String()
		}
		n := world(t, Options{NoIPv6: true}, "192.0.2.1 .\n"+set(10))
		for i := range servers {
			n.servers[addr(fmt.Sprintf("198.51.100.%d", 10+i))] = answersAll
		}
		resolves(t, n, "before.zone.", "before")
		next := world(t, Options{NoIPv6: true}, "192.0.2.1 .\n"+set(100))
		n.servers[addr("192.0.2.1")] = next.servers[addr("192.0.2.1")]
		for i := range servers {
			n.servers[addr(fmt.Sprintf("198.51.100.%d", 10+i))] = nil
			n.servers[addr(fmt.Sprintf("198.51.100.%d", 100+i))] = answersAll
		}
		n.run(time.Minute)
		resolves(t, n, "after.zone.", fmt.Sprintf("%d servers", servers))
		n.idle()
	}
}

// Some of a zone's servers are named in zones that do not answer: those of the others are looked for meanwhile.
func TestServersNamedInDeadZones(t *testing.T) {
	for dead := range 6 {
		var tree strings.Builder
		tree.WriteString("192.0.2.1 .\n")
		for i := range dead {
			fmt.Fprintf(&tree, "zone. 3600 NS a.dead%d.\ndead%d. 3600 NS ns.dead%d.\nns.dead%d. 3600 A 198.51.100.%d\n", i, i, i, i, i+1)
		}
		tree.WriteString("zone. 3600 NS a.provider.\nprovider. 3600 NS a.provider.\na.provider. 3600 A 192.0.2.3\n")
		n := world(t, Options{}, tree.String())
		n.servers[addr("192.0.2.3")] = func(q sent) []reply {
			if asked(q) == "a.provider." && q.msg.Question[0].Qtype == dns.TypeA {
				return answering(aa, "an: a.provider. 60 A 192.0.2.3")(q)
			}
			return answersAll(q)
		}
		resolves(t, n, "www.zone.", fmt.Sprintf("%d dead zones", dead))
		n.idle()
	}
}

// The servers of a zone and of its parent are out of reach; those of the zone come back first.
func TestChildIsBackBeforeItsParent(t *testing.T) {
	n := world(t, Options{NoIPv6: true}, "192.0.2.1 .\nzone. 3600 NS ns.zone.\nns.zone. 3600 A 192.0.2.3\n")
	n.servers[addr("192.0.2.3")] = answersAll
	resolves(t, n, "before.zone.", "before")
	root := n.servers[addr("192.0.2.1")]
	n.servers[addr("192.0.2.1")], n.servers[addr("192.0.2.3")] = nil, nil
	for i := range 30 {
		n.resolve(question(fmt.Sprintf("x%d.zone.", i), wire.TypeA))
		n.run(time.Second)
	}
	n.servers[addr("192.0.2.3")] = answersAll
	resolves(t, n, "child.zone.", "the parent is still out of reach")
	n.servers[addr("192.0.2.1")] = root
	resolves(t, n, "parent.zone.", "both are back")
	n.idle()
}

// A server is known by an address of a family that cannot be used: its other address is looked for, at the parent for a
// name within the zone, and wherever it is for others.
func TestAddressOfUnusableFamily(t *testing.T) {
	for what, parent := range map[string]string{
		"in the zone":     "zone. 3600 NS ns.zone.\nns.zone. 3600 AAAA 2001:db8::3\n",
		"in another zone": "zone. 3600 NS ns.provider.\nprovider. 3600 NS a.provider.\na.provider. 3600 A 192.0.2.4\n",
		"glue from above": "zone. 3600 NS ns.provider.\nns.provider. 3600 AAAA 2001:db8::3\nprovider. 3600 NS a.provider.\na.provider. 3600 A 192.0.2.4\n",
	} {
		for _, o := range []Options{{NoIPv6: true}, {}, {NoIPv6: true, AnyGlue: true}} {
			n := world(t, o, "192.0.2.1 .\n"+parent)
			root := n.servers[addr("192.0.2.1")]
			n.servers[addr("192.0.2.1")] = func(q sent) []reply {
				if asked(q) == "ns.zone." && q.msg.Question[0].Qtype == dns.TypeA { // It has that address too.
					return answering(aa, "an: ns.zone. 3600 A 192.0.2.3")(q)
				}
				return root(q)
			}
			n.servers[addr("192.0.2.3")] = answersAll
			n.servers[addr("192.0.2.4")] = authority("provider.", &[]dns.RR{mustRR("ns.provider. 600 A 192.0.2.3"), mustRR("ns.provider. 600 AAAA 2001:db8::3")})
			n.unsent = func(a Action) Obstacle {
				if a.Server.Addr().Is6() {
					return NoRoute
				}
				return NoObstacle
			}
			resolves(t, n, "www.zone.", fmt.Sprintf("%s, %+v", what, o))
			n.idle()
		}
	}
}

// A zone none of whose servers has an address costs its parent one query for as long as failures are remembered, however
// many of its names are asked for.
func TestServersWithoutAddresses(t *testing.T) {
	n := world(t, Options{NoIPv6: true}, "192.0.2.1 .\nzone. 3600 NS ns1.other.\nzone. 3600 NS ns2.zone.\nother. 3600 NS ns.other.\nns.other. 3600 A 192.0.2.2\n"+
		"192.0.2.2 other.\nother. 60 SOA ns.other. h.other. 1 2 3 4 60\n")
	const questions, seconds = 300, 30
	for i := range questions {
		if a, _ := n.resolve(question(fmt.Sprintf("x%d.zone.", i), wire.TypeA)); !a.Failed {
			t.Fatalf("question %d: %+v", i, a)
		}
		n.run(seconds * time.Second / questions)
	}
	parent := 0
	for _, q := range n.log {
		if q.to == addr("192.0.2.1") && strings.HasSuffix(asked(q), "zone.") {
			parent++
		}
	}
	if most := 2 * seconds / int(n.m.failing.most); parent > most {
		t.Errorf("the parent was asked %d times in %d s by %d questions", parent, seconds, questions)
	}
	n.idle()
}

// The only server of a zone is known to the parent by an alias, and by the name that this leads to.
func TestAddressOfAServerBehindAnAlias(t *testing.T) {
	n := world(t, Options{NoIPv6: true}, "192.0.2.1 .\nzone. 3600 NS ns.zone.\n")
	parent := n.servers[addr("192.0.2.1")]
	n.servers[addr("192.0.2.1")] = func(q sent) []reply {
		switch asked(q) {
		case "ns.zone.":
			return answering(aa, "an: ns.zone. 3600 CNAME ns2.zone.")(q)
		case "ns2.zone.":
			return answering(aa, "an: ns2.zone. 3600 A 192.0.2.2")(q)
		}
		return parent(q)
	}
	n.servers[addr("192.0.2.2")] = answersAll
	resolves(t, n, "www.zone.", "a server behind an alias")
	n.idle()
}
