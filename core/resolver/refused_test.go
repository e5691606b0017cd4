package resolver

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// nobody is an address where nobody listens, as ICMP says.
func nobody(q sent) []reply { return []reply{{err: errRefused}} }

// A forwarder that is not running is known to be dead at once, by each question, and is not down: the first question
// after its start is answered.
func TestRefusedAtOnce(t *testing.T) {
	tree := "192.0.2.9 .\nzone. 3600 NS a.zone.\na.zone. 3600 A 192.0.2.1\n"
	for what, n := range map[string]*network{
		"one forwarder":  newNetwork(t, forwardTo("192.0.2.1")),
		"two forwarders": newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2")),
		"one server":     world(t, Options{NoIPv6: true}, tree),
		"two servers":    world(t, Options{NoIPv6: true}, tree+"zone. 3600 NS b.zone.\nb.zone. 3600 A 192.0.2.2\n"),
	} {
		n.servers[one], n.servers[two] = nobody, nobody
		for i := range 100 {
			began := n.now
			a, _ := n.resolve(question(fmt.Sprintf("x%d.zone.", i), wire.TypeA))
			if took := n.now - began; !a.Failed || a.EDE != wire.EDENetworkError || took > 20*time.Millisecond {
				t.Fatalf("%s: question %d: %+v after %v", what, i, a, took)
			}
		}
		for _, u := range n.m.Upstreams() {
			if u.State == "down" {
				t.Errorf("%s: %+v", what, u)
			}
		}
		n.servers[one] = answersAll
		began := n.now
		if a, _ := n.resolve(question("back.zone.", wire.TypeA)); a.Failed || n.now-began > 20*time.Millisecond {
			t.Errorf("%s: it is back: %q after %v", what, a.EDEText, n.now-began)
		}
		n.idle()
	}
}

// Where one of two servers is not running, the other one answers, and is asked first by most questions.
func TestRefusedByOneOfTwo(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	refused := 0
	n.servers[one] = func(q sent) []reply { refused++; return nobody(q) }
	n.servers[two] = func(q sent) []reply {
		r := forwardsAll(q)
		r[0].after = 30 * time.Millisecond
		return r
	}
	const questions = 200
	for i := range questions {
		began := n.now
		if a, _ := n.resolve(question(fmt.Sprintf("x%d.zone.", i), wire.TypeA)); a.Failed || n.now-began > 40*time.Millisecond {
			t.Fatalf("question %d: %q after %v", i, a.EDEText, n.now-began)
		}
	}
	if refused == 0 || refused > questions/4 {
		t.Errorf("%d of %d questions went to the dead server", refused, questions)
	}
	n.idle()
}

// Anybody who guesses a port can say that nobody listens there: only the query that left from it ends.
func TestForgedRefusal(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = func(q sent) []reply {
		r := forwardsAll(q)
		r[0].after = 10 * time.Millisecond
		if asked(q) == "hit.zone." {
			r = append([]reply{{err: errRefused}}, r...)
		}
		return r
	}
	n.begin(question("hit.zone.", wire.TypeA), 1)
	n.begin(question("other.zone.", wire.TypeA), 2)
	n.run(time.Second)
	if !n.answers[1].Failed || n.answers[2].Failed {
		t.Errorf("%+v", n.answers)
	}
	if a, _ := n.resolve(question("next.zone.", wire.TypeA)); a.Failed {
		t.Errorf("the next question: %s", a.EDEText)
	}
	n.m.Refused(int64(n.now), 0)     // of a query that has ended
	n.m.Refused(int64(n.now), 1<<63) // of none
	n.idle()
}

// A query needs no port of its own when the server has returned our cookie, and the query carries it; nor when it goes by
// stream. After a loss it does, to hear from ICMP what became of the server.
func TestPortsOfQueries(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = baking(nil)
	for i, shared := range []bool{false, true, true} {
		n.resolve(question("www.example.", wire.TypeA))
		if n.log[i].shared != shared {
			t.Errorf("query %d: shared %v", i, !shared)
		}
	}
	before := len(n.log)
	n.servers[one] = func(q sent) []reply {
		if q.shared {
			return nil // Nobody listens, and the socket does not hear of it.
		}
		return nobody(q)
	}
	began := n.now
	if a, _ := n.resolve(question("dead.example.", wire.TypeA)); !a.Failed || n.now-began > time.Second {
		t.Errorf("%+v after %v", a, n.now-began)
	}
	if q := n.log[before:]; len(q) != 2 || !q[0].shared || q[1].shared {
		t.Errorf("%+v", q)
	}
	began = n.now
	if a, _ := n.resolve(question("still-dead.example.", wire.TypeA)); !a.Failed || n.now-began > 20*time.Millisecond {
		t.Errorf("%+v after %v", a, n.now-began)
	}
	n.idle()

	for name, o := range map[string]Options{"cookies off": {NoCookies: true}, "a server without": {}} {
		o.Groups = forwardTo("192.0.2.1").Groups
		n := newNetwork(t, o)
		n.servers[one] = answering(nil, good)
		for range 5 {
			n.resolve(question("www.example.", wire.TypeA))
		}
		for i, q := range n.log {
			if q.shared {
				t.Errorf("%s: query %d: from a shared port", name, i)
			}
		}
	}
}

// A query that may leave from a shared port leaves from one of its own where there is no shared one: whoever sends it hears
// when it has ended, however it ends, or the port would stay open.
func TestSharedQueriesAreReleased(t *testing.T) {
	for how, last := range map[string]serve{"answered": baking(nil), "refused": rcode(dns.RcodeRefused), "silent": nil} {
		n := newNetwork(t, forwardTo("192.0.2.1"))
		n.servers[one] = baking(nil)
		n.resolve(question("www.example.", wire.TypeA)) // The server is known to return cookies from here on.
		n.servers[one] = last
		n.resolve(question("www.example.", wire.TypeA))
		if !n.log[1].shared {
			t.Errorf("%s: not from a shared port", how)
		}
		if len(n.ports) != 0 {
			t.Errorf("%s: %d of %d queries have not given up their sockets", how, len(n.ports), len(n.log))
		}
	}
}
