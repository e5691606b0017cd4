package resolver

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// good is what the honest server says.
const good = "an: www.example. 300 A 198.51.100.1"

// forged answers come before the true one; each must be counted by its reason and change nothing.
func TestForgedResponses(t *testing.T) {
	forge := func(edit func(q sent, m *dns.Msg, r *reply)) serve {
		return func(q sent) []reply {
			bad := answering(nil, "an: www.example. 300 A 203.0.113.66")(q)[0]
			edit(q, bad.msg, &bad)
			true_ := answering(nil, good)(q)[0]
			true_.after = 20 * time.Millisecond
			return []reply{bad, true_}
		}
	}
	for _, c := range []struct {
		name  string
		edit  func(q sent, m *dns.Msg, r *reply)
		count func(s Stats) uint64
	}{
		{"ID", func(q sent, m *dns.Msg, r *reply) { m.Id++ }, func(s Stats) uint64 { return s.UnknownID }},
		{"socket", func(q sent, m *dns.Msg, r *reply) { r.sock = 100 }, func(s Stats) uint64 { return s.UnknownID }},
		{"address", func(q sent, m *dns.Msg, r *reply) { r.from = two }, func(s Stats) uint64 { return s.WrongSource }},
		{"port", func(q sent, m *dns.Msg, r *reply) { r.from = netip.AddrPortFrom(one.Addr(), 54) }, func(s Stats) uint64 { return s.WrongSource }},
		{"QR", func(q sent, m *dns.Msg, r *reply) { m.Response = false }, func(s Stats) uint64 { return s.NotResponse }},
		{"opcode", func(q sent, m *dns.Msg, r *reply) { m.Opcode = dns.OpcodeNotify }, func(s Stats) uint64 { return s.WrongOpcode }},
		{"name", func(q sent, m *dns.Msg, r *reply) { m.Question[0].Name = "www.example.org." }, func(s Stats) uint64 { return s.WrongQuestion }},
		{"type", func(q sent, m *dns.Msg, r *reply) { m.Question[0].Qtype = dns.TypeTXT }, func(s Stats) uint64 { return s.WrongQuestion }},
		{"class", func(q sent, m *dns.Msg, r *reply) { m.Question[0].Qclass = dns.ClassCHAOS }, func(s Stats) uint64 { return s.WrongQuestion }},
		{"no question", func(q sent, m *dns.Msg, r *reply) { m.Question = nil }, func(s Stats) uint64 { return s.WrongQuestion }},
		{"two questions", func(q sent, m *dns.Msg, r *reply) { m.Question = append(m.Question, m.Question[0]) }, func(s Stats) uint64 { return s.WrongQuestion }},
		{"short", func(q sent, m *dns.Msg, r *reply) { r.msg, r.raw = nil, q.raw[:5] }, func(s Stats) uint64 { return s.Short }},
	} {
		n := newNetwork(t, forwardTo("192.0.2.1"))
		n.servers[one] = forge(c.edit)
		_, msg := n.resolve(question("www.example.", wire.TypeA))
		if got := lines(msg.Answer); got != "www.example. A 198.51.100.1" {
			t.Errorf("%s: %s", c.name, got)
		}
		if s := n.m.Stats(); c.count(s) != 1 || s.Accepted != 1 {
			t.Errorf("%s: %+v", c.name, s)
		}
		n.idle()
	}
}

func TestManyGuessesGoToTCP(t *testing.T) {
	for _, what := range []string{"ID", "source"} {
		n := newNetwork(t, forwardTo("192.0.2.1"))
		n.servers[one] = func(q sent) []reply {
			if q.stream {
				return answering(nil, good)(q)
			}
			var out []reply
			for i := range maxGuesses {
				r := answering(nil, "an: www.example. 300 A 203.0.113.66")(q)[0]
				if what == "ID" {
					r.msg.Id += uint16(i + 1)
				} else {
					r.from = two
				}
				out = append(out, r)
			}
			hit := answering(nil, "an: www.example. 300 A 203.0.113.66")(q)[0]
			hit.after = 5 * time.Millisecond
			return append(out, hit)
		}
		_, msg := n.resolve(question("www.example.", wire.TypeA))
		if got := lines(msg.Answer); got != "www.example. A 198.51.100.1" || n.m.Stats().Spoofed != 1 {
			t.Errorf("%s: %s, %+v", what, got, n.m.Stats())
		}
		n.idle()
	}
}

func lowered(s serve) serve {
	return func(q sent) []reply {
		out := s(q)
		for _, r := range out {
			r.msg.Question[0].Name = strings.ToLower(r.msg.Question[0].Name)
		}
		return out
	}
}

func TestLetterCaseVaries(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = answering(nil)
	seen := map[string]bool{}
	for range 20 {
		n.resolve(question("www.example.", wire.TypeA))
	}
	for _, q := range n.log {
		seen[q.msg.Question[0].Name] = true
	}
	if len(seen) < 15 || n.m.Upstreams()[0].KeepCase != "yes" {
		t.Errorf("%d spellings, %+v", len(seen), n.m.Upstreams())
	}
}

func TestServerThatLosesCaseIsConfirmedOverTCP(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = lowered(answering(nil, good))
	for range 3 {
		if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed {
			t.Fatalf("%+v", a)
		}
	}
	s := n.m.Stats()
	if s.Streams != 1 || s.CaseFallbacks != 1 || n.m.Upstreams()[0].KeepCase != "no" {
		t.Errorf("%+v %+v", s, n.m.Upstreams())
	}
	n.run(time.Duration(servers.CaseMemory))
	n.resolve(question("www.example.", wire.TypeA))
	if n.m.Stats().Streams != 2 {
		t.Error("was not tried again after the memory expired")
	}
	n.idle()
}

func TestForgedCaseIsNotBelieved(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = func(q sent) []reply {
		if q.stream {
			return answering(nil, good)(q)
		}
		return lowered(answering(nil, "an: www.example. 300 A 203.0.113.66"))(q)
	}
	_, msg := n.resolve(question("www.example.", wire.TypeA))
	if got := lines(msg.Answer); got != "www.example. A 198.51.100.1" || n.m.Upstreams()[0].KeepCase == "no" {
		t.Errorf("%s %+v", got, n.m.Upstreams())
	}
	n.idle()
}

func TestServerThatLosesCaseWithoutTCP(t *testing.T) {
	for _, servers := range [][]string{{"192.0.2.1"}, {"192.0.2.1", "192.0.2.2"}} {
		n := newNetwork(t, forwardTo(servers...))
		n.servers[one] = func(q sent) []reply {
			if q.stream {
				return []reply{{err: errRefused}}
			}
			return lowered(answering(nil, good))(q)
		}
		n.servers[two] = n.servers[one]
		a, _ := n.resolve(question("www.example.", wire.TypeA))
		if a.Failed || n.m.Stats().CaseFallbacks == 0 {
			t.Errorf("%+v %+v", a, n.m.Stats())
		}
		n.idle()
	}
}

func TestAnswersThatDisagreeAreNotBelieved(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	asked := byte(0)
	n.servers[one] = func(q sent) []reply {
		if q.stream {
			return []reply{{err: errRefused}}
		}
		asked++
		return lowered(answering(func(m *dns.Msg) { m.Answer[0].(*dns.A).A.To4()[3] = asked }, good))(q)
	}
	if a, _ := n.resolve(question("www.example.", wire.TypeA)); !a.Failed {
		t.Errorf("%+v", a)
	}
	n.idle()
}

func TestTruncationGoesToTCP(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = func(q sent) []reply {
		if q.stream {
			return answering(nil, good)(q)
		}
		return answering(func(m *dns.Msg) { m.Truncated = true }, "an: www.example. 300 A 203.0.113.66")(q)
	}
	a, msg := n.resolve(question("www.example.", wire.TypeA))
	if a.Failed || lines(msg.Answer) != "www.example. A 198.51.100.1" || n.m.Stats().Truncated != 1 {
		t.Errorf("%+v %v", a, msg)
	}
	n.idle()
}

func TestTruncatingForever(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	n.servers[one] = answering(func(m *dns.Msg) { m.Truncated = true })
	n.servers[two] = n.servers[one]
	a, _ := n.resolve(question("www.example.", wire.TypeA))
	if !a.Failed || a.EDE != wire.EDENetworkError || len(n.log) != 4 {
		t.Errorf("%+v after %d queries", a, len(n.log))
	}
	n.idle()
}

func TestTruncatedAndNoTCP(t *testing.T) {
	for _, err := range []error{errRefused, nil} {
		n := newNetwork(t, forwardTo("192.0.2.1"))
		n.servers[one] = func(q sent) []reply {
			if q.stream && err != nil {
				return []reply{{err: err}}
			}
			if q.stream {
				return nil
			}
			return answering(func(m *dns.Msg) { m.Truncated = true })(q)
		}
		if a, _ := n.resolve(question("www.example.", wire.TypeA)); !a.Failed || len(n.log) > 2*servers.MaxPerServer+1 {
			t.Errorf("%+v after %d queries", a, len(n.log))
		}
		n.idle()
	}
}

func TestStreamThatLies(t *testing.T) {
	for _, edit := range []func(m *dns.Msg){
		func(m *dns.Msg) { m.Id++ }, func(m *dns.Msg) { m.Response = false },
		func(m *dns.Msg) { m.Question[0].Name = "x." }, func(m *dns.Msg) { m.Opcode = 4 },
	} {
		n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
		n.servers[one] = func(q sent) []reply {
			if q.stream {
				return answering(edit, "an: www.example. 300 A 203.0.113.66")(q)
			}
			return answering(func(m *dns.Msg) { m.Truncated = true })(q)
		}
		n.servers[two] = answering(nil, good)
		if _, msg := n.resolve(question("www.example.", wire.TypeA)); lines(msg.Answer) != "www.example. A 198.51.100.1" {
			t.Errorf("%v", msg)
		}
		n.idle()
	}
}

func TestRubbishAfterTheQuestion(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	n.servers[one] = func(q sent) []reply {
		m := answering(nil, good)(q)[0].msg
		raw, _ := m.Pack()
		return []reply{{raw: raw[:len(raw)-3]}}
	}
	n.servers[two] = n.servers[one]
	a, _ := n.resolve(question("www.example.", wire.TypeA))
	if !a.Failed || a.EDE != wire.EDENetworkError || len(n.log) != 2 {
		t.Errorf("%+v after %d queries", a, len(n.log))
	}
	n.idle()
}

func TestServerWithoutEDNS(t *testing.T) {
	bare := func(q sent) []reply { // the header alone, as old servers answer
		return []reply{{raw: append(append([]byte(nil), q.raw[:2]...), 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0)}}
	}
	for name, refuse := range map[string]serve{
		"FORMERR": answering(func(m *dns.Msg) { m.Rcode, m.Extra = dns.RcodeFormatError, nil }),
		"NOTIMP":  answering(func(m *dns.Msg) { m.Rcode, m.Extra = dns.RcodeNotImplemented, nil }),
		"header":  bare,
		"silence": func(q sent) []reply { return nil },
	} {
		n := newNetwork(t, forwardTo("192.0.2.1"))
		n.servers[one] = func(q sent) []reply {
			if q.msg.IsEdns0() != nil {
				return refuse(q)
			}
			return answering(nil, good)(q)
		}
		if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed {
			t.Errorf("%s: %+v", name, a)
		}
		before := len(n.log)
		n.resolve(question("www.example.", wire.TypeA))
		if len(n.log) != before+1 || n.m.Upstreams()[0].EDNS != "no" {
			t.Errorf("%s: not remembered, %+v", name, n.m.Upstreams())
		}
		n.run(time.Duration(servers.EDNSMemory))
		n.resolve(question("www.example.", wire.TypeA))
		if len(n.log) < before+3 {
			t.Errorf("%s: not tried again", name)
		}
		n.idle()
	}
}

func TestSendFailureGoesToOtherServer(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1", "192.0.2.2"))
	n.m.Begin(int64(n.now), question("www.example.", wire.TypeA), 1)
	for i := 0; i < len(n.m.Actions()); i++ {
		if a := n.m.Actions()[i]; a.Kind == Query {
			n.m.SendFailed(int64(n.now), a.Ref, Forbidden)
		}
	}
	acts := n.m.Actions()
	last := acts[len(acts)-1]
	if last.Kind != Respond || last.Answer.EDE != wire.EDENetworkError || len(last.Waiters) != 1 {
		t.Errorf("%+v", last)
	}
	n.perform()
	n.idle()
}

func TestAliasesThatDoNotEnd(t *testing.T) {
	loop := answering(nil, "an: a.example. 1 CNAME b.example.", "an: b.example. 1 CNAME a.example.")
	grow := func(q sent) []reply {
		return answering(func(m *dns.Msg) {
			name := m.Question[0].Name
			m.Answer[0].Header().Name, m.Answer[0].(*dns.CNAME).Target = name, "x"+name
		}, "an: a.example. 1 CNAME b.example.")(q)
	}
	self := answering(nil, "an: example. 1 DNAME a.example.")
	for i, s := range []serve{loop, grow, self} {
		n := newNetwork(t, forwardTo("192.0.2.1"))
		n.servers[one] = s
		a, _ := n.resolve(question("a.example.", wire.TypeA))
		if !a.Failed || len(n.log) > maxChain+1 {
			t.Errorf("%d: %+v after %d queries", i, a, len(n.log))
		}
		n.idle()
	}
}

func TestStaleReferencesAreIgnored(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = answering(nil, good)
	n.resolve(question("www.example.", wire.TypeA))
	for _, ref := range []uint64{0, 1, timerRef, timerRef | 1<<32, ^uint64(0), 1 << 32, timerRef | 77} {
		n.m.Fire(int64(n.now), ref)
		n.m.SendFailed(int64(n.now), ref, NoRoute)
		n.m.ReceiveStream(int64(n.now), ref, nil, errRefused)
		if n.m.BuildQuery(ref, 0, make([]byte, 512)) != nil {
			t.Errorf("reference %x built a query", ref)
		}
	}
	if len(n.m.Actions()) != 0 {
		t.Errorf("%+v", n.m.Actions())
	}
	n.idle()
}

// What may have been loss does not keep a server without EDNS, and with it its zones without signatures, for long.
func TestLossIsNotLackOfEDNS(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	lost := 2
	n.servers[one] = func(q sent) []reply {
		if lost--; lost >= 0 {
			return nil
		}
		return answering(nil, good)(q)
	}
	n.resolve(question("www.example.", wire.TypeA))
	if n.m.Upstreams()[0].EDNS != "no" {
		t.Fatalf("%+v", n.m.Upstreams())
	}
	n.run(time.Duration(n.m.failing.most) * time.Second)
	n.resolve(question("www.example.", wire.TypeA))
	if n.log[len(n.log)-1].msg.IsEdns0() == nil || n.m.Upstreams()[0].EDNS != "yes" {
		t.Errorf("%+v", n.m.Upstreams())
	}
	n.idle()
}
