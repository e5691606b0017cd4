package resolver

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// dropping is a server that answers all questions but some, to which it is silent.
func dropping(drops func(q dns.Question) bool) serve {
	return func(q sent) []reply {
		question := q.msg.Question[0]
		question.Name = asked(q)
		if drops(question) {
			return nil
		}
		return answersAll(q)
	}
}

func blocked(q dns.Question) bool {
	return strings.HasPrefix(q.Name, "blocked") || q.Qtype == dns.TypeHTTPS
}

// A server that is silent to some questions, asked again and again, is not down for others: neither a forwarder, be it
// the only one or not, nor the servers of a zone.
func TestSilenceForSomeQuestions(t *testing.T) {
	tree := "192.0.2.1 .\nzone. 3600 NS a.zone.\na.zone. 3600 A 198.51.100.1\n"
	for what, n := range map[string]*network{
		"one forwarder":  newNetwork(t, forwardTo("198.51.100.1")),
		"two forwarders": newNetwork(t, forwardTo("198.51.100.1", "198.51.100.2")),
		"one server":     world(t, Options{NoIPv6: true}, tree),
		"two servers":    world(t, Options{NoIPv6: true}, tree+"zone. 3600 NS b.zone.\nb.zone. 3600 A 198.51.100.2\n"),
	} {
		n.servers[addr("198.51.100.1")] = dropping(blocked)
		n.servers[addr("198.51.100.2")] = n.servers[addr("198.51.100.1")]
		for _, gap := range []int{2, 9, 90} { // seconds between questions that are answered
			for i := range 200 {
				q := question(fmt.Sprintf("blocked%d-%d.zone.", gap, i), wire.TypeA)
				if i%2 == 1 {
					q = question(fmt.Sprintf("www%d-%d.zone.", gap, i), wire.Type(dns.TypeHTTPS))
				}
				n.begin(q, NoWaiter)
				n.run(time.Second)
				if i%gap != gap-1 {
					continue
				}
				began := n.now
				if a, _ := n.resolve(question(fmt.Sprintf("good%d-%d.zone.", gap, i), wire.TypeA)); a.Failed || n.now-began > 100*time.Millisecond {
					t.Fatalf("%s, a good name every %d s: %q after %v", what, gap, a.EDEText, n.now-began)
				}
			}
		}
		n.idle()
	}
}

// A flood of names that the only forwarder drops takes neither the forwarder nor the room from other questions.
func TestFloodOfDroppedNames(t *testing.T) {
	for _, gap := range []int{1, 5, 30} { // seconds between questions that are answered
		o := forwardTo("192.0.2.1")
		o.MaxTasks = 512
		n := newNetwork(t, o)
		n.servers[one] = dropping(blocked)
		for i := range 60 {
			for j := range 300 {
				n.begin(question(fmt.Sprintf("blocked%d-%d.zone.", i, j), wire.TypeA), NoWaiter)
				n.run(time.Second / 300)
			}
			if i%gap != gap-1 {
				continue
			}
			began := n.now
			if a, _ := n.resolve(question(fmt.Sprintf("good%d.zone.", i), wire.TypeA)); a.Failed || n.now-began > 100*time.Millisecond {
				t.Fatalf("a good name every %d s, second %d: %q after %v, %+v", gap, i, a.EDEText, n.now-began, n.m.Stats())
			}
		}
		if full := n.m.Stats().Full; full > 0 {
			t.Errorf("a good name every %d s: %d questions found no room", gap, full)
		}
		n.idle()
	}
}

// Where one of two servers drops a name, the other one gives its answer, and neither is down for it.
func TestOneOfTwoServersDrops(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	n.servers[one] = dropping(blocked)
	n.servers[two] = dropping(func(q dns.Question) bool { return strings.HasPrefix(q.Name, "odd") })
	for i := range 200 {
		for _, label := range []string{"blocked", "odd", "good"} {
			began := n.now
			if a, _ := n.resolve(question(fmt.Sprintf("%s%d.zone.", label, i), wire.TypeA)); a.Failed || n.now-began > 2*time.Second {
				t.Fatalf("%s%d: %q after %v", label, i, a.EDEText, n.now-began)
			}
			n.run(300 * time.Millisecond)
		}
	}
	n.idle()
}

// A server that was dead is asked by the first question after it is back, and answers it.
func TestServerIsBack(t *testing.T) {
	for what, n := range map[string]*network{
		"forwarder":         newNetwork(t, forwardTo("198.51.100.1")),
		"server of a zone":  world(t, Options{NoIPv6: true}, "192.0.2.1 .\nzone. 3600 NS a.zone.\na.zone. 3600 A 198.51.100.1\n"),
		"server of a stub":  newNetwork(t, Options{Groups: []Group{{Zone: dnametest.Name("zone."), Kind: Stub, Servers: forwardTo("198.51.100.1").Groups[0].Servers}}}),
		"forwarder, of two": newNetwork(t, forwardTo("198.51.100.1", "198.51.100.9")),
	} {
		n.servers[addr("198.51.100.1")] = dropping(blocked)
		if a, _ := n.resolve(question("before.zone.", wire.TypeA)); a.Failed {
			t.Fatalf("%s: %s", what, a.EDEText)
		}
		n.servers[addr("198.51.100.1")] = nil
		for i := range 100 {
			n.begin(question(fmt.Sprintf("during%d.zone.", i), wire.TypeA), NoWaiter)
			n.run(700 * time.Millisecond)
		}
		n.servers[addr("198.51.100.1")] = dropping(blocked)
		began := n.now
		if a, _ := n.resolve(question("after.zone.", wire.TypeA)); a.Failed || n.now-began > 2500*time.Millisecond {
			t.Errorf("%s: %q after %v", what, a.EDEText, n.now-began)
		}
		n.idle()
	}
}

// Where three of ten datagrams are lost, most questions are answered after one window, and nearly all before the client
// gives up.
func TestLossyForwarders(t *testing.T) {
	for _, servers := range [][]string{{"192.0.2.1"}, {"192.0.2.1", "192.0.2.2"}} {
		n := newNetwork(t, forwardTo(servers...))
		r := rand.New(rand.NewPCG(3, 4))
		lossy := func(q sent) []reply {
			if r.IntN(10) < 3 {
				return nil
			}
			return forwardsAll(q)
		}
		n.servers[one], n.servers[two] = lossy, lossy
		const questions = 3000
		late, failed := 0, 0
		for i := range questions {
			began := n.now
			if a, _ := n.resolve(question(fmt.Sprintf("x%d.zone.", i), wire.TypeA)); a.Failed {
				failed++
			}
			if n.now-began > 150*time.Millisecond {
				late++
			}
			n.run(20 * time.Millisecond)
		}
		// 0.3^2 of them lose two datagrams, 0.3^5 five.
		if late > questions*12/100 || failed > questions/100 {
			t.Errorf("%d servers: %d of %d late, %d failed", len(servers), late, questions, failed)
		}
		n.idle()
	}
}
