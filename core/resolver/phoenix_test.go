package resolver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// A zone that its parent has withdrawn is gone with the parent's TTL, with all that is below it: its servers cannot prolong
// their life by delegations, neither of their own name nor of ever longer ones (ghost and phoenix domains).
func TestWithdrawnZoneDoesNotLiveOn(t *testing.T) {
	n := newNetwork(t, Options{Recursion: true, RootHints: []Hint{{Name: dnametest.Name("a.root."), Addr: one.Addr()}}, NoIPv6: true, PlainNames: true})
	began := n.now
	n.servers[one] = func(q sent) []reply {
		if n.now-began > 20*time.Second {
			return answering(func(m *dns.Msg) { aa(m); m.Rcode = dns.RcodeNameError }, "ns: . 60 SOA a. h. 1 2 3 4 60")(q)
		}
		return answering(nil, "ns: ghost. 100 NS ns.ghost.", "ar: ns.ghost. 100 A 192.0.2.2")(q)
	}
	// The server of all zones below delegates each of them once, for a day, and then answers for it.
	delegated := map[string]bool{"ghost.": true}
	n.servers[two] = func(q sent) []reply {
		text := strings.ToLower(q.msg.Question[0].Name)
		zone := text[strings.Index(text, ".")+1:]
		if !delegated[zone] {
			delegated[zone] = true
			return answering(func(m *dns.Msg) { m.RecursionAvailable = false }, fmt.Sprintf("ns: %s 86400 NS ns.%s", zone, zone), fmt.Sprintf("ar: ns.%s 86400 A 192.0.2.2", zone))(q)
		}
		return answering(aa, "an: "+text+" 1 A 203.0.113.66", fmt.Sprintf("ns: %s 86400 NS ns.%s", zone, zone), fmt.Sprintf("ar: ns.%s 86400 A 192.0.2.2", zone))(q)
	}
	zone := "ghost."
	alive := 0
	for i := range 40 {
		_, msg := n.resolve(question(fmt.Sprintf("www%d.%s", i, zone), wire.TypeA))
		age := n.now - began
		switch {
		case len(msg.Answer) > 0 && age > 101*time.Second:
			t.Fatalf("after %v: %v", age, msg)
		case len(msg.Answer) > 0:
			alive++
		case age > 101*time.Second && msg.Rcode != dns.RcodeNameError:
			t.Fatalf("after %v: %v", age, msg)
		}
		if i%4 == 3 && i < 24 {
			zone = fmt.Sprintf("z%d.%s", i, zone)
		}
		n.run(5 * time.Second)
	}
	if alive < 10 {
		t.Fatalf("%d answers while the zone was delegated: the script is wrong", alive)
	}
	n.idle()
}
