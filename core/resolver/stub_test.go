package resolver

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

func stubAndForward() Options {
	return Options{Groups: []Group{
		{Zone: dnametest.Name("corp.example."), Kind: Stub, Servers: []netip.AddrPort{one, two}},
		{Zone: dnametest.Name("."), Kind: Forward, Servers: []netip.AddrPort{three}},
	}}
}

var three = addr("192.0.2.3")

func aa(m *dns.Msg) { m.Authoritative, m.RecursionAvailable = true, false }

func TestStubChasesAliasThroughItsGroup(t *testing.T) {
	n := newNetwork(t, stubAndForward())
	n.servers[one] = answering(aa, "an: www.corp.example. 300 CNAME www.example.org.", "an: www.example.org. 300 A 203.0.113.66")
	n.servers[two] = n.servers[one]
	n.servers[three] = answering(nil, "an: www.example.org. 300 A 198.51.100.1")
	_, msg := n.resolve(question("www.corp.example.", wire.TypeA))
	if got := lines(msg.Answer); got != "www.corp.example. CNAME www.example.org.; www.example.org. A 198.51.100.1" {
		t.Errorf("answer %s", got)
	}
	if q := n.log[1]; q.to != three || !q.msg.RecursionDesired {
		t.Errorf("second query to %v", q.to)
	}
	n.idle()
}

func TestStubAliasWithinTheZone(t *testing.T) {
	n := newNetwork(t, stubAndForward())
	n.servers[one] = func(q sent) []reply {
		if strings.EqualFold(q.msg.Question[0].Name, "web.corp.example.") {
			return answering(aa, "an: web.corp.example. 300 A 198.51.100.1")(q)
		}
		return answering(aa, "an: www.corp.example. 300 CNAME web.corp.example.", "an: web.corp.example. 300 A 203.0.113.66")(q)
	}
	n.servers[two] = n.servers[one]
	_, msg := n.resolve(question("www.corp.example.", wire.TypeA))
	if got := lines(msg.Answer); got != "www.corp.example. CNAME web.corp.example.; web.corp.example. A 198.51.100.1" || len(n.log) != 2 {
		t.Errorf("answer %s after %d queries", got, len(n.log))
	}
}

func TestStubAnswersOnlyForItsZone(t *testing.T) {
	n := newNetwork(t, stubAndForward())
	n.servers[one] = answering(aa, "ns: . 300 SOA a. b. 1 2 3 4 5", "ns: corp.example. 300 SOA a. b. 1 2 3 4 5")
	n.servers[two] = n.servers[one]
	_, msg := n.resolve(question("www.corp.example.", wire.TypeA))
	if got := lines(msg.Ns); got != "corp.example. SOA a. b. 1 2 3 4 5" {
		t.Errorf("authority %s", got)
	}
}

func TestLameStubServerIsLeft(t *testing.T) {
	plain := func(m *dns.Msg) { m.RecursionAvailable = false }
	for what, lame := range map[string]serve{
		"itself":    answering(plain, "ns: corp.example. 300 NS ns.corp.example."),
		"upwards":   answering(plain, "ns: . 300 NS a.root."),
		"recursive": answering(nil, "an: www.corp.example. 300 A 203.0.113.66"),
	} {
		n := newNetwork(t, stubAndForward())
		n.servers[one] = lame
		n.servers[two] = answering(aa, "an: www.corp.example. 300 A 198.51.100.1")
		for range 5 {
			_, msg := n.resolve(question("www.corp.example.", wire.TypeA))
			if got := lines(msg.Answer); got != "www.corp.example. A 198.51.100.1" {
				t.Errorf("%s: answer %s", what, got)
			}
		}
		n.idle()
	}
}

func TestLameStubFails(t *testing.T) {
	n := newNetwork(t, stubAndForward())
	n.servers[one] = answering(func(m *dns.Msg) { m.RecursionAvailable = false }, "ns: corp.example. 300 NS ns.corp.example.")
	n.servers[two] = n.servers[one]
	a, _ := n.resolve(question("www.corp.example.", wire.TypeA))
	if !a.Failed || a.EDE != wire.EDENoReachableAuthority || len(n.log) != 2 {
		t.Errorf("%+v", a)
	}
	n.idle()
}
