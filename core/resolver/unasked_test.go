package resolver

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

func prefixes(list ...string) (out []netip.Prefix) {
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// A zone of a stranger cannot have us ask servers of the networks around us, however it writes their addresses.
func TestStrangersNameNoPrivateServers(t *testing.T) {
	list := prefixes("10.0.0.0/8", "fc00::/7", "::/96")
	for _, glue := range []string{
		"A 10.0.0.53", "AAAA fd00::53", "AAAA ::10.0.0.53", "AAAA 64:ff9b::10.0.0.53", "AAAA 2002:a00:35::1", "AAAA ::ffff:10.0.0.53", "AAAA ::ffff:192.0.2.53",
		"A 127.0.0.1", "AAAA ::1", "AAAA 64:ff9b::127.0.0.1", "A 0.0.0.0", "A 0.1.2.3", "A 255.255.255.255", "A 224.0.0.251", "AAAA ff02::fb", "AAAA ::",
	} {
		for _, from := range []string{"ns.zone. 3600 " + glue, "provider. 3600 NS a.provider.\na.provider. 3600 A 192.0.2.4"} {
			n := world(t, Options{DoNotQuery: list}, "192.0.2.1 .\nzone. 3600 NS ns.zone.\n"+from+"\n")
			if from[0] == 'p' {
				n = world(t, Options{DoNotQuery: list}, "192.0.2.1 .\nzone. 3600 NS ns.provider.\n"+from+"\n192.0.2.4 provider.\nns.provider. 600 "+glue+"\n")
			}
			n.fallback = func(q sent) []reply {
				t.Errorf("%s: asked %v", glue, q.to)
				return nil
			}
			if a, _ := n.resolve(question("www.zone.", wire.TypeA)); !a.Failed {
				t.Errorf("%s: %+v", glue, a)
			}
			n.idle()
		}
	}
}

// Private networks that have a name space of their own work: from private hints or a stub on, and beside a public server.
func TestPrivateNameSpace(t *testing.T) {
	list := prefixes("10.0.0.0/8")
	tree := "10.0.0.1 .\ntest. 3600 NS ns.test.\nns.test. 3600 A 10.0.0.2\n10.0.0.2 test.\ntest. 3600 NS ns.test.\nns.test. 3600 A 10.0.0.2\nzone.test. 3600 NS ns.zone.test.\nns.zone.test. 3600 A 10.0.0.3\n"
	n := world(t, Options{NoIPv6: true, DoNotQuery: list}, tree)
	n.m.options.RootHints[0].Addr = netip.MustParseAddr("10.0.0.1")
	n.servers[addr("10.0.0.3")] = answersAll
	for i := range 3 {
		resolves(t, n, fmt.Sprintf("x%d.zone.test.", i), "private hints")
	}
	n.idle()

	n = world(t, Options{NoIPv6: true, DoNotQuery: list}, "192.0.2.1 .\nzone. 3600 NS ns.zone.\nns.zone. 3600 A 10.0.0.3\n")
	n.m.options.RootHints = append(n.m.options.RootHints, Hint{dnametest.Name("b.root."), netip.MustParseAddr("10.0.0.9")})
	n.servers[addr("10.0.0.9")], n.servers[addr("10.0.0.3")] = n.servers[addr("192.0.2.1")], answersAll
	for i := range 8 {
		n.m.Flush(dnametest.Name("."), true)
		resolves(t, n, fmt.Sprintf("x%d.zone.", i), "one private hint of two")
	}
	n.idle()

	for _, at := range []string{"10.0.0.2", "192.0.2.7"} {
		n = world(t, Options{NoIPv6: true, DoNotQuery: list, Groups: []Group{{Zone: dnametest.Name("test."), Kind: Stub, Servers: []netip.AddrPort{addr(at)}}}}, tree)
		n.servers[addr(at)], n.servers[addr("10.0.0.3")] = n.servers[addr("10.0.0.2")], answersAll
		for i := range 3 {
			resolves(t, n, fmt.Sprintf("x%d.zone.test.", i), "stub at "+at)
		}
		n.idle()
	}

	n = world(t, Options{NoIPv6: true, DoNotQuery: list}, "192.0.2.1 .\nzone. 3600 NS a.zone.\nzone. 3600 NS b.zone.\na.zone. 3600 A 10.0.0.3\nb.zone. 3600 A 192.0.2.3\n")
	n.servers[addr("192.0.2.3")] = answersAll
	n.servers[addr("10.0.0.3")] = func(q sent) []reply { t.Errorf("asked %v", q.to); return nil }
	resolves(t, n, "www.zone.", "one public server of two")
	n.idle()

	n = world(t, Options{NoIPv6: true, DoNotQuery: list}, "192.0.2.1 .\nzone. 3600 NS a.zone.\na.zone. 3600 A 10.0.0.3\n")
	if a, _ := n.resolve(question("www.zone.", wire.TypeA)); a.EDEText != "all servers for the name have addresses that recursion.do_not_query forbids" || a.Rcode != dns.RcodeServerFailure {
		t.Errorf("%+v", a)
	}
	n.idle()
}
