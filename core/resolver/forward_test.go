package resolver

import (
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

var (
	one = addr("192.0.2.1")
	two = addr("192.0.2.2")
)

func forwardTo(servers ...string) Options {
	g := Group{Zone: dnametest.Name("."), Kind: Forward}
	for _, s := range servers {
		g.Servers = append(g.Servers, addr(s))
	}
	return Options{Groups: []Group{g}}
}

func TestForwardAnswers(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = answering(nil, "an: www.example. 300 A 198.51.100.1", "ns: example. NS ns.example.", "ar: ns.example. A 198.51.100.2")
	a, msg := n.resolve(question("www.example.", wire.TypeA))
	if a.Rcode != wire.RcodeNoError || a.Failed || !a.Cacheable || lines(msg.Answer) != "www.example. A 198.51.100.1" || len(msg.Ns)+len(msg.Extra) != 0 {
		t.Errorf("answer %+v\n%v", a, msg)
	}
	q := n.log[0]
	if o := q.msg.IsEdns0(); !q.msg.RecursionDesired || q.msg.CheckingDisabled || o == nil || o.UDPSize() != 1232 || o.Do() {
		t.Errorf("query %v", q.msg)
	}
	n.idle()
}

func TestForwardPassesDOAndCD(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	sig := "RRSIG A 8 2 300 20300101000000 20200101000000 1 example. c2ln"
	n.servers[one] = answering(nil, "an: www.example. 300 A 198.51.100.1", "an: www.example. 300 "+sig, "an: other.example. 300 "+sig)
	q := question("www.example.", wire.TypeA)
	q.DO, q.CD = true, true
	_, msg := n.resolve(q)
	if len(msg.Answer) != 2 || msg.Answer[1].Header().Rrtype != dns.TypeRRSIG {
		t.Errorf("answer %v", msg)
	}
	if up := n.log[0].msg; !up.CheckingDisabled || !up.IsEdns0().Do() {
		t.Errorf("query %v", up)
	}
}

func TestNegativeAnswers(t *testing.T) {
	for _, code := range []int{dns.RcodeSuccess, dns.RcodeNameError} {
		n := newNetwork(t, forwardTo("192.0.2.1"))
		n.servers[one] = answering(func(m *dns.Msg) { m.Rcode = code },
			"ns: example. 60 SOA ns.example. h.example. 1 2 3 4 5", "ns: elsewhere. 60 SOA ns. h. 1 2 3 4 5", "ns: example. 60 NS ns.example.")
		a, msg := n.resolve(question("www.example.", wire.TypeA))
		if int(a.Rcode) != code || msg.Rcode != code || lines(msg.Ns) != "example. SOA ns.example. h.example. 1 2 3 4 5" || len(msg.Answer) != 0 {
			t.Errorf("rcode %d: %+v\n%v", code, a, msg)
		}
		n.idle()
	}
}

func TestUnrelatedRecordsAreDropped(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = answering(nil, "an: bank.example. 300 A 203.0.113.66", "an: www.example. 300 CNAME web.example.",
		"an: www.example. 300 AAAA 2001:db8::1", "an: web.example. 300 A 198.51.100.1", "an: web.example. 300 TXT x", "ar: bank.example. 300 A 203.0.113.66")
	_, msg := n.resolve(question("www.example.", wire.TypeA))
	if got := lines(msg.Answer); got != "www.example. CNAME web.example.; web.example. A 198.51.100.1" || len(msg.Extra) != 0 {
		t.Errorf("answer %s", got)
	}
}

func TestDNAMEMakesItsCNAME(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = answering(nil, "an: example. 300 DNAME other.test.", "an: www.example. 300 CNAME evil.test.",
		"an: evil.test. 300 A 203.0.113.66", "an: www.other.test. 300 A 198.51.100.1")
	_, msg := n.resolve(question("www.example.", wire.TypeA))
	if got := lines(msg.Answer); got != "example. DNAME other.test.; www.example. CNAME www.other.test.; www.other.test. A 198.51.100.1" {
		t.Errorf("answer %s", got)
	}
}

func TestSameQuestionIsAskedOnce(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = answering(nil, "an: www.example. 300 A 198.51.100.1")
	if s := n.begin(question("www.example.", wire.TypeA), 1); s != Started {
		t.Fatal(s)
	}
	for w := uint32(2); w < 10; w++ {
		if s := n.begin(question("www.example.", wire.TypeA), w); s != Joined {
			t.Fatal(s)
		}
	}
	other := question("www.example.", wire.TypeA)
	other.DO = true
	if s := n.begin(other, 10); s != Started {
		t.Fatal(s)
	}
	n.run(time.Second)
	if len(n.answers) != 10 || len(n.log) != 2 {
		t.Errorf("%d answers after %d queries", len(n.answers), len(n.log))
	}
	n.idle()
}

func TestPoolsRefuse(t *testing.T) {
	o := forwardTo("192.0.2.1")
	o.MaxTasks, o.MaxWaiters = 2, 3
	n := newNetwork(t, o)
	for i, want := range []Status{Started, Started, Full} {
		if got := n.begin(question(string(rune('a'+i))+".example.", wire.TypeA), uint32(i)); got != want {
			t.Errorf("task %d: %v, want %v", i, got, want)
		}
	}
	for i, want := range []Status{Joined, Full} {
		if got := n.begin(question("a.example.", wire.TypeA), uint32(10+i)); got != want {
			t.Errorf("waiter %d: %v, want %v", i, got, want)
		}
	}
	if got := n.begin(question("a.example.", wire.TypeA), NoWaiter); got != Joined {
		t.Error(got)
	}
	n.idle()
	if n.m.Stats().Full != 2 || len(n.answers) != 3 {
		t.Errorf("%+v, %d answers", n.m.Stats(), len(n.answers))
	}
}

func TestNoGroup(t *testing.T) {
	n := newNetwork(t, Options{Groups: []Group{{Zone: dnametest.Name("example."), Servers: []netip.AddrPort{one}}}})
	if s := n.begin(question("www.test.", wire.TypeA), 1); s != NoGroup {
		t.Errorf("status %v", s)
	}
	n.idle()
}

func TestLongestZoneDecides(t *testing.T) {
	n := newNetwork(t, Options{Groups: []Group{
		{Zone: dnametest.Name("."), Servers: []netip.AddrPort{one}},
		{Zone: dnametest.Name("corp.example."), Kind: Stub, Servers: []netip.AddrPort{two}},
	}})
	for _, c := range []struct {
		name string
		typ  wire.Type
		want netip.AddrPort
	}{
		{"example.", wire.TypeA, one}, {"corp.example.", wire.TypeA, two}, {"a.b.corp.example.", wire.TypeA, two},
		{"xcorp.example.", wire.TypeA, one}, {"corp.example.", wire.TypeDS, one}, {".", wire.TypeDS, one}, {"a.corp.example.", wire.TypeDS, two},
	} {
		n.log = nil
		n.begin(question(c.name, c.typ), 1)
		if n.log[0].to != c.want {
			t.Errorf("%s %v went to %v", c.name, c.typ, n.log[0].to)
		}
		if n.log[0].msg.RecursionDesired != (c.want == one) {
			t.Errorf("%s: RD is %v", c.name, n.log[0].msg.RecursionDesired)
		}
	}
}

func TestOtherServerAfterFailure(t *testing.T) {
	for _, code := range []int{dns.RcodeServerFailure, dns.RcodeRefused, dns.RcodeNotAuth, dns.RcodeNotImplemented} {
		n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
		n.servers[one] = rcode(code)
		n.servers[two] = answering(nil, "an: www.example. 300 A 198.51.100.1")
		for range 8 {
			if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed {
				t.Errorf("rcode %d: %+v", code, a)
			}
		}
		n.idle()
	}
}

func TestAllServersFail(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	n.m.SetFailureTTL(maxFailureTTL)
	n.servers[one], n.servers[two] = rcode(dns.RcodeRefused), rcode(dns.RcodeRefused)
	for _, ttl := range []uint32{5, 10, 20, 40, 80, 160, 300, 300} {
		a, msg := n.resolve(question("www.example.", wire.TypeA))
		if a.Rcode != wire.RcodeServFail || msg.Rcode != dns.RcodeServerFailure || a.EDE != wire.EDENoReachableAuthority ||
			a.EDEText != "the last server asked answered REFUSED" || a.TTL != ttl {
			t.Errorf("want TTL %d: %+v", ttl, a)
		}
	}
	if len(n.log) != 16+2 { // Each server was once asked in lower case too.
		t.Errorf("%d queries", len(n.log))
	}
	n.idle()
}

func TestForwarderExplainsItsFailure(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = answering(func(m *dns.Msg) {
		m.Rcode = dns.RcodeServerFailure
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus})
	})
	if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.EDE != wire.EDEBogus {
		t.Errorf("%+v", a)
	}
}

func TestDeadServers(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	for range 20 {
		a, _ := n.resolve(question("www.example.", wire.TypeA))
		if !a.Failed || a.EDE != wire.EDENoReachableAuthority {
			t.Fatalf("%+v", a)
		}
	}
	for _, u := range n.m.Upstreams() {
		if u.State != "down" || u.Timeouts == 0 {
			t.Errorf("%+v", u)
		}
	}
	// Back again: no later than the longest probe interval.
	n.servers[one] = answering(nil, "an: www.example. 300 A 198.51.100.1")
	n.run(time.Duration(servers.MaxProbe) + time.Second)
	if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed {
		t.Errorf("%+v", a)
	}
	if u := n.m.Upstreams()[0]; u.State != "up" || u.Answered != 1 {
		t.Errorf("%+v", u)
	}
	n.idle()
}

func TestFailoverFromDeadServer(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	n.servers[two] = answering(nil, "an: www.example. 300 A 198.51.100.1")
	slow := 0
	for range 600 {
		before := n.now
		if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed {
			t.Fatalf("%+v", a)
		}
		if n.now-before > 100*time.Millisecond {
			slow++
		}
		n.run(50 * time.Millisecond)
	}
	if slow > 2*servers.MaxTimeouts {
		t.Errorf("%d of 600 had to wait for the dead server", slow)
	}
	if n.m.Stats().Probes == 0 {
		t.Error("the dead server was never probed")
	}
}

func TestSlowServerIsHeard(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = func(q sent) []reply {
		r := answering(nil, "an: www.example. 300 A 198.51.100.1")(q)
		r[0].after = 4500 * time.Millisecond
		return r
	}
	if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed {
		t.Errorf("%+v", a)
	}
	n.idle()
}

func TestFasterServerIsPreferred(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	at := func(after time.Duration) serve {
		return func(q sent) []reply {
			r := answering(nil, "an: www.example. 300 A 198.51.100.1")(q)
			r[0].after = after
			return r
		}
	}
	n.servers[one], n.servers[two] = at(60*time.Millisecond), at(10*time.Millisecond)
	count := map[netip.AddrPort]int{}
	for range 400 {
		n.resolve(question("www.example.", wire.TypeA))
	}
	for _, q := range n.log {
		count[q.to]++
	}
	if count[two] < 350 || count[one] < 2 {
		t.Errorf("asked %v", count)
	}
}

func TestReconfigureKeepsServers(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	n.servers[one] = answering(nil, "an: www.example. 300 A 198.51.100.1")
	n.servers[two] = n.servers[one]
	for range 10 {
		n.resolve(question("www.example.", wire.TypeA))
	}
	before := n.m.Upstreams()[1]
	n.begin(question("running.example.", wire.TypeA), 5)
	n.m.Reconfigure([]Group{{Zone: dnametest.Name("."), Servers: []netip.AddrPort{two, addr("192.0.2.3")}}})
	after := n.m.Upstreams()
	if len(after) != 2 || after[0].Server != two || after[0].SRTT != before.SRTT || after[1].State != "unknown" {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	n.m.Reconfigure(nil)
	n.run(10 * time.Second)
	if _, ok := n.answers[5]; !ok {
		t.Error("the running task did not end")
	}
	n.idle()
}
