package resolver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// CAMP (USENIX Security '24) multiplies bounds with each other: each alias leads to a zone of its own, each zone has many
// servers without addresses, and the names of these are aliases again. What bounds one client's question holds over all
// of it.
func TestComposedAmplificationIsBounded(t *testing.T) {
	n := world(t, Options{}, "192.0.2.1 .\n")
	n.servers[addr("192.0.2.1")] = func(q sent) []reply {
		qname := strings.ToLower(q.msg.Question[0].Name)
		labels := dns.SplitDomainName(qname)
		switch len(labels) {
		case 0:
			return nil
		case 1, 2:
			tld := labels[len(labels)-1]
			authoritative := func(m *dns.Msg) { m.Authoritative, m.RecursionAvailable = true, false }
			switch {
			case labels[0] != "ns":
				var list []string
				for i := range 12 {
					list = append(list, fmt.Sprintf("ns: %s. 1 NS ns.%s%c.", tld, tld, 'a'+i))
				}
				return answering(func(m *dns.Msg) { m.RecursionAvailable = false }, list...)(q)
			case q.msg.Question[0].Qtype == dns.TypeA && strings.HasSuffix(tld, "l"): // the last of the names
				return answering(authoritative, "an: "+qname+" 1 A 192.0.2.2")(q)
			}
			return answering(authoritative, "an: "+qname+" 1 CNAME www."+tld+"x.")(q)
		}
		return nil
	}
	n.servers[addr("192.0.2.2")] = func(q sent) []reply {
		qname := strings.ToLower(q.msg.Question[0].Name)
		return answering(func(m *dns.Msg) { m.Authoritative, m.RecursionAvailable = true, false }, fmt.Sprintf("an: %s 1 CNAME www.c%d.", qname, len(n.log)))(q)
	}
	a, _ := n.resolve(question("www.t.", wire.TypeA))
	n.idle()
	if !a.Failed || len(n.log) < maxQueries || len(n.log) > maxTotal+servers.MaxPerServer {
		t.Errorf("%+v after %d queries", a, len(n.log))
	}
}

// A phantom domain has many servers and none that answers: a question for it costs no more than the queries of a task,
// ends in time, and questions for other names go on meanwhile.
func TestPhantomDomain(t *testing.T) {
	var zone strings.Builder
	for i := range maxNS {
		fmt.Fprintf(&zone, "phantom. 3600 NS ns%d.phantom.\nns%d.phantom. 3600 A 198.51.100.%d\n", i, i, i+1)
	}
	n := world(t, Options{NoIPv6: true}, "192.0.2.1 .\nalive. 3600 NS ns.alive.\nns.alive. 3600 A 192.0.2.2\n"+zone.String()+"192.0.2.2 alive.\nwww.alive. 3600 A 203.0.113.1\n")
	const phantoms = 50
	for i := range phantoms {
		n.begin(question(fmt.Sprintf("x%d.phantom.", i), wire.TypeA), uint32(i))
	}
	before := n.now
	if a, _ := n.resolve(question("www.alive.", wire.TypeA)); a.Failed || n.now-before > time.Second {
		t.Errorf("beside it: %+v after %v", a, n.now-before)
	}
	n.run(time.Duration(n.m.options.Timeout))
	for i := range phantoms {
		if a, done := n.answers[uint32(i)]; !done || !a.Failed || a.TTL == 0 {
			t.Fatalf("question %d: done %v, %+v", i, done, a)
		}
	}
	// Waiting for each at least servers.InitialRTO, a question tries no more than 12 servers before its deadline.
	if limit := phantoms*12 + 10; len(n.log) > limit {
		t.Errorf("%d queries, want %d at most", len(n.log), limit)
	}
	// By now the servers are known to be down: the next question waits for none of them.
	asked, before := len(n.log), n.now
	a, _ := n.resolve(question("y.phantom.", wire.TypeA))
	if !a.Failed || len(n.log)-asked > maxNS {
		t.Errorf("%+v after %v and %d queries", a, n.now-before, len(n.log)-asked)
	}
	n.idle()
}

// DNSBomb (IEEE S&P '24) lets many questions wait for one slow answer, to have all responses sent at once. Who waits for
// one question is bounded, and so is how long.
func TestBombIsBounded(t *testing.T) {
	n := world(t, Options{NoIPv6: true, MaxTasks: 16, MaxWaiters: 64}, internet)
	for a := range n.servers {
		n.servers[a] = func(q sent) []reply { return nil }
	}
	q := question("www.test.", wire.TypeA)
	if s := n.begin(q, 0); s != Started {
		t.Fatal(s)
	}
	joined := 1
	for id := uint32(1); id < 1000; id++ {
		switch s := n.begin(q, id); s {
		case Joined:
			joined++
		case Full:
		default:
			t.Fatal(s)
		}
	}
	n.run(time.Duration(n.m.options.Timeout))
	if joined != 64 || len(n.answers) != joined {
		t.Errorf("%d wait, %d answers in time; want 64", joined, len(n.answers))
	}
	n.idle()
}
