package resolver

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// Servers that are not responsible for the zone that they were asked about.
var lameServers = map[string]serve{
	"refuses":               rcode(dns.RcodeRefused),
	"fails":                 rcode(dns.RcodeServerFailure),
	"says nothing":          answering(func(m *dns.Msg) { m.RecursionAvailable = false }),
	"recursion, nothing":    answering(nil),
	"denies by hearsay":     answering(func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }),
	"up":                    answering(func(m *dns.Msg) { m.RecursionAvailable = false }, "ns: . 600 NS a.root.", "ar: a.root. 600 A 192.0.2.1"),
	"up, with authority":    answering(aa, "ns: . 600 NS a.root."),
	"up, recursion":         answering(nil, "ns: . 600 NS a.root."),
	"sideways":              answering(func(m *dns.Msg) { m.RecursionAvailable = false }, "ns: other. 600 NS ns.other."),
	"sideways, authority":   answering(aa, "ns: other. 600 NS ns.other."),
	"to itself":             answering(func(m *dns.Msg) { m.RecursionAvailable = false }, "ns: zone. 600 NS ns1.zone."),
	"to itself, recursion":  answering(nil, "ns: zone. 600 NS ns1.zone."),
	"SOA of another":        answering(aa, "ns: other. 600 SOA a. b. 1 2 3 4 5"),
	"denies with SOA above": answering(func(m *dns.Msg) { m.Rcode = dns.RcodeNameError; aa(m) }, "ns: . 600 SOA a. b. 1 2 3 4 5"),
}

// A name whose only servers are lame has no answer: it is not denied. A server that is lame for one zone serves others,
// and where one of several is lame, the answer is that of another.
func TestLameServers(t *testing.T) {
	for what, lame := range lameServers {
		for _, zones := range []string{
			"zone. 3600 NS ns1.zone.\nns1.zone. 3600 A 192.0.2.3\n",
			"zone. 3600 NS ns1.zone.\nzone. 3600 NS ns2.zone.\nns1.zone. 3600 A 192.0.2.3\nns2.zone. 3600 A 192.0.2.4\n",
			"zone. 3600 NS ns1.zone.\nzone. 3600 NS ns.good.\nns1.zone. 3600 A 192.0.2.3\n",
		} {
			n := world(t, Options{NoIPv6: true}, "192.0.2.1 .\ngood. 3600 NS ns.good.\nns.good. 3600 A 192.0.2.3\n"+zones)
			for _, at := range []string{"192.0.2.3", "192.0.2.4"} {
				n.servers[addr(at)] = func(q sent) []reply {
					switch {
					case asked(q) == "ns.good.":
						return answering(aa, "an: ns.good. 60 A 192.0.2.4")(q)
					case dns.IsSubDomain("good.", asked(q)):
						return answersAll(q)
					}
					return lame(q)
				}
			}
			if a, msg := n.resolve(question("www.zone.", wire.TypeA)); !a.Failed {
				t.Errorf("%s: %v from\n%s", what, msg, zones)
			}
			resolves(t, n, "www.good.", "another zone of a server that "+what)
			n.servers[addr("192.0.2.4")] = answersAll
			n.run(10 * time.Second)
			for i := range 10 {
				if len(zones) > 80 { // It has two servers.
					resolves(t, n, fmt.Sprintf("w%d.zone.", i), "beside a server that "+what+"\n"+zones)
				}
			}
			n.idle()
		}
	}
}

// A forwarder that refers elsewhere, and does not claim to do recursion, has not denied the name.
func TestLameForwarder(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = lameServers["up"]
	if a, msg := n.resolve(question("www.zone.", wire.TypeA)); !a.Failed {
		t.Error(msg)
	}
	n.idle()
}

// The answer with authority wins over the one without, which comes from somebody's cache, and over a denial without. It
// is taken where there is no other.
func TestAuthorityWins(t *testing.T) {
	hearsay := answering(nil, "an: www.zone. 600 A 203.0.113.66")
	for what, lame := range map[string]serve{
		"recursion": hearsay,
		"no flag":   answering(func(m *dns.Msg) { m.RecursionAvailable = false }, "an: www.zone. 600 A 203.0.113.66"),
		"denial":    answering(nil, "ns: zone. 600 SOA a. b. 1 2 3 4 5"),
		"no name":   answering(func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }, "ns: zone. 600 SOA a. b. 1 2 3 4 5"),
	} {
		for range 8 {
			n := world(t, Options{NoIPv6: true}, "192.0.2.1 .\nzone. 3600 NS ns1.zone.\nzone. 3600 NS ns2.zone.\nns1.zone. 3600 A 192.0.2.3\nns2.zone. 3600 A 192.0.2.4\n")
			n.servers[addr("192.0.2.3")], n.servers[addr("192.0.2.4")] = lame, answersAll
			resolves(t, n, "www.zone.", what)
			n.idle()
		}
	}
	for what, other := range map[string]serve{"silent": nil, "refuses": rcode(dns.RcodeRefused), "likewise": hearsay} {
		n := world(t, Options{NoIPv6: true}, "192.0.2.1 .\nzone. 3600 NS ns1.zone.\nzone. 3600 NS ns2.zone.\nns1.zone. 3600 A 192.0.2.3\nns2.zone. 3600 A 192.0.2.4\n")
		n.servers[addr("192.0.2.3")], n.servers[addr("192.0.2.4")] = hearsay, other
		if a, msg := n.resolve(question("www.zone.", wire.TypeA)); a.Failed || lines(msg.Answer) != "www.zone. A 203.0.113.66" {
			t.Errorf("the other server is %s: %s %v", what, a.EDEText, msg)
		}
		n.idle()
	}
}
