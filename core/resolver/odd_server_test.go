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

// mixed says whether a query has upper case letters.
func mixed(q sent) bool { return q.msg.Question[0].Name != asked(q) }

// Servers that drop or refuse questions in mixed letter case are asked in lower case, at once from the second name on.
func TestServerThatMindsMixedCase(t *testing.T) {
	for what, reaction := range map[string]serve{
		"drops": func(q sent) []reply { return nil }, "refuses": rcode(dns.RcodeRefused),
		"fails": rcode(dns.RcodeServerFailure), "cannot read": rcode(dns.RcodeFormatError),
	} {
		for _, servers := range [][]string{{"192.0.2.1"}, {"192.0.2.1", "192.0.2.2"}} {
			n := newNetwork(t, forwardTo(servers...))
			n.servers[one] = func(q sent) []reply {
				if mixed(q) {
					return reaction(q)
				}
				return answering(nil, "an: "+asked(q)+" 300 A 198.51.100.1")(q)
			}
			n.servers[two] = n.servers[one]
			for i := range 4 {
				began := n.now
				a, msg := n.resolve(question(fmt.Sprintf("www%d.example.", i), wire.TypeA))
				if a.Failed || !strings.HasSuffix(lines(msg.Answer), "198.51.100.1") {
					t.Errorf("%s, %d servers, name %d: %+v", what, len(servers), i, a)
				}
				if took := n.now - began; i > 1 && len(servers) == 1 && took > 10*time.Millisecond {
					t.Errorf("%s, %d servers, name %d took %v", what, len(servers), i, took)
				}
			}
			n.idle()
		}
	}
}

// One guess at a question in lower case, which has fewer bits, is not believed.
func TestLowerCaseTakesTwoAnswers(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	guessed := false
	n.servers[one] = func(q sent) []reply {
		if mixed(q) {
			return nil
		}
		if !guessed {
			guessed = true
			return answering(nil, "an: www.example. 300 A 203.0.113.66")(q)
		}
		return answering(nil, good)(q)
	}
	if a, msg := n.resolve(question("www.example.", wire.TypeA)); !a.Failed && lines(msg.Answer) != "www.example. A 198.51.100.1" {
		t.Errorf("%s", lines(msg.Answer))
	}
	n.idle()
}

// Loss is no proof that a server minds mixed case.
func TestLossIsNotLackOfCase(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	lost := 1
	n.servers[one] = func(q sent) []reply {
		if lost--; lost >= 0 {
			return nil
		}
		return answering(nil, good)(q)
	}
	n.resolve(question("www.example.", wire.TypeA))
	if n.m.Upstreams()[0].KeepCase != "no" {
		t.Fatalf("%+v", n.m.Upstreams())
	}
	n.run(time.Duration(n.m.failing.most) * time.Second)
	n.resolve(question("www.example.", wire.TypeA))
	if !mixed(n.log[len(n.log)-1]) || n.m.Upstreams()[0].KeepCase != "yes" {
		t.Errorf("%+v", n.m.Upstreams())
	}
	n.idle()
}

// A server that answers in lower case, and says nothing over TCP, is believed when it says the same twice.
func TestServerThatLosesCaseWithSilentTCP(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = func(q sent) []reply {
		if q.stream {
			return nil
		}
		return lowered(answering(nil, good))(q)
	}
	for i := range 3 {
		began := n.now
		if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed || i > 0 && n.now-began > 10*time.Millisecond {
			t.Errorf("question %d took %v: %+v", i, n.now-began, a)
		}
	}
	n.idle()
}

// Boxes keep the cookie of one client with the answers in their cache, and give it to the next.
func TestReplayedCookies(t *testing.T) {
	for what, tcp := range map[string]serve{"answers": nil, "refuses": func(sent) []reply { return []reply{{err: errRefused}} }, "is silent": func(sent) []reply { return nil }} {
		for _, proven := range []bool{false, true} {
			n := newNetwork(t, forwardTo("192.0.2.1"))
			if proven {
				n.servers[one] = baking(nil)
				n.resolve(question("first.example.", wire.TypeA))
			}
			box := baking(func(q sent, c *dns.EDNS0_COOKIE, m *dns.Msg) { c.Cookie = "ff" + c.Cookie[2:] })
			n.servers[one] = func(q sent) []reply {
				if q.stream && tcp != nil {
					return tcp(q)
				}
				return box(q)
			}
			for i := range 3 {
				began := n.now
				a, msg := n.resolve(question("www.example.", wire.TypeA))
				took := n.now - began
				if a.Failed || lines(msg.Answer) != "www.example. A 198.51.100.1" {
					t.Errorf("TCP %s, proven %v, question %d: %+v", what, proven, i, a)
				}
				if slow := proven && i == 0 && what == "is silent"; !slow && took > 10*time.Millisecond {
					t.Errorf("TCP %s, proven %v, question %d took %v", what, proven, i, took)
				}
			}
			n.idle()
		}
	}
}

func TestNoCookies(t *testing.T) {
	o := forwardTo("192.0.2.1")
	o.NoCookies = true
	n := newNetwork(t, o)
	n.servers[one] = answering(nil, good)
	n.resolve(question("www.example.", wire.TypeA))
	if got := n.log[0].msg.IsEdns0(); got == nil || len(got.Option) != 0 {
		t.Errorf("%v", got)
	}
	n.idle()
}

// A truncated response may have lost its question too, or a part of it.
func TestTruncatedToNothing(t *testing.T) {
	for what, cut := range map[string]func(raw []byte) []byte{
		"no question": func(raw []byte) []byte { raw[5] = 0; return raw[:wire.HeaderLen] },
		"header":      func(raw []byte) []byte { return raw[:wire.HeaderLen] },
		"half a name": func(raw []byte) []byte { return raw[:wire.HeaderLen+3] },
		"no class":    func(raw []byte) []byte { return raw[:wire.HeaderLen+len(dnametest.Name("www.example."))+2] },
	} {
		n := newNetwork(t, forwardTo("192.0.2.1"))
		n.servers[one] = func(q sent) []reply {
			if q.stream {
				return answering(nil, good)(q)
			}
			raw, _ := answering(func(m *dns.Msg) { m.Truncated = true })(q)[0].msg.Pack()
			return []reply{{raw: cut(raw)}}
		}
		began := n.now
		if a, msg := n.resolve(question("www.example.", wire.TypeA)); a.Failed || lines(msg.Answer) != "www.example. A 198.51.100.1" || n.now-began > 10*time.Millisecond {
			t.Errorf("%s: %+v after %v", what, a, n.now-began)
		}
		n.idle()
	}
}

// A server that refuses mixed case with a bare header is asked in lower case too.
func TestBareRefusalOfMixedCase(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = func(q sent) []reply {
		if !mixed(q) {
			return answering(nil, good)(q)
		}
		raw, _ := rcode(dns.RcodeFormatError)(q)[0].msg.Pack()
		raw[5], raw[11] = 0, 0
		return []reply{{raw: raw[:wire.HeaderLen]}}
	}
	began := n.now
	if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed || n.now-began > 20*time.Millisecond {
		t.Errorf("%+v after %v", a, n.now-began)
	}
	n.idle()
}

// Servers that drop queries with an option are asked without a cookie, and their letter case is still tested.
func TestCookiesAreDropped(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = func(q sent) []reply {
		if o := q.msg.IsEdns0(); o != nil && len(o.Option) > 0 {
			return nil
		}
		return answering(nil, good)(q)
	}
	slow := 0
	for range 60 {
		began := n.now
		if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed {
			t.Fatalf("%+v", a)
		}
		if n.now-began > 10*time.Millisecond {
			slow++
		}
		n.run(time.Second)
	}
	if u := n.m.Upstreams()[0]; slow > 4 || u.KeepCase != "yes" {
		t.Errorf("%d of 60 questions waited; %+v", slow, u)
	}
	n.idle()
}

// Servers that drop what they have no data for are asked for the whole name.
func TestMinimisedNameIsDropped(t *testing.T) {
	for _, twice := range []string{"", "zone. 3600 NS b.zone.\nb.zone. 3600 A 192.0.2.4\n"} {
		n := world(t, Options{NoIPv6: true}, "192.0.2.1 .\nzone. 3600 NS a.zone.\na.zone. 3600 A 192.0.2.3\n"+twice)
		drops := func(q sent) []reply {
			if asked(q) != "www.a.lb.zone." {
				return nil
			}
			return answersAll(q)
		}
		n.servers[addr("192.0.2.3")], n.servers[addr("192.0.2.4")] = drops, drops
		resolves(t, n, "www.a.lb.zone.", "minimised names are dropped")
		n.idle()
	}
}

// However many exchanges are newer, wrong responses are counted for the one that they try to hit.
func TestGuessesBehindNewerExchanges(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = func(q sent) []reply { return nil }
	n.begin(question("victim.example.", wire.TypeA), 1)
	victim := n.log[0]
	for i := range 200 {
		n.begin(question(fmt.Sprintf("newer%d.example.", i), wire.TypeA), uint32(2+i))
	}
	n.servers[one] = answering(nil, "an: victim.example. 300 A 198.51.100.1")
	forged := answering(nil, "an: victim.example. 300 A 203.0.113.66")(victim)[0].msg
	for id := range 1 << 16 {
		if forged.Id = uint16(id); forged.Id == victim.msg.Id {
			continue
		}
		packed, _ := forged.Pack()
		n.m.Receive(int64(n.now), victim.sock, one, packed)
		n.perform()
		if n.m.Stats().Spoofed > 0 {
			break
		}
	}
	if s := n.m.Stats(); s.Spoofed != 1 || s.UnknownID > 2*maxGuesses {
		t.Errorf("%+v", s)
	}
	forged.Id = victim.msg.Id
	packed, _ := forged.Pack()
	n.m.Receive(int64(n.now), victim.sock, one, packed)
	n.perform()
	n.run(10 * time.Millisecond)
	msg := new(dns.Msg)
	if err := msg.Unpack(n.answers[1].Msg); err != nil || lines(msg.Answer) != "victim.example. A 198.51.100.1" {
		t.Errorf("%v %v", err, msg)
	}
	n.idle()
}
