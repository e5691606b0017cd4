package resolver

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// baking is a server that wants cookies; edit spoils those it sends.
func baking(edit func(q sent, c *dns.EDNS0_COOKIE, m *dns.Msg)) serve {
	return func(q sent) []reply {
		r := answering(nil, good)(q)
		if o := q.msg.IsEdns0(); o != nil && len(o.Option) == 1 {
			c := *o.Option[0].(*dns.EDNS0_COOKIE)
			c.Cookie = c.Cookie[:16] + "0123456789abcdef"
			r[0].msg.IsEdns0().Option = []dns.EDNS0{&c}
			if edit != nil {
				edit(q, &c, r[0].msg)
			}
		}
		return r
	}
}

func TestCookies(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = baking(nil)
	for i, want := range []int{16, 32, 32} {
		n.resolve(question("www.example.", wire.TypeA))
		if c := n.log[i].msg.IsEdns0().Option[0].(*dns.EDNS0_COOKIE).Cookie; len(c) != want || c[:16] != n.log[0].msg.IsEdns0().Option[0].(*dns.EDNS0_COOKIE).Cookie {
			t.Errorf("query %d: cookie %s", i, c)
		}
	}
	n.idle()
}

func TestForgedAndMissingCookies(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = baking(nil)
	n.resolve(question("www.example.", wire.TypeA))
	n.servers[one] = func(q sent) []reply {
		if q.stream {
			return nil // It is slower than the honest datagram.
		}
		forged := baking(func(q sent, c *dns.EDNS0_COOKIE, m *dns.Msg) {
			c.Cookie = "ff" + c.Cookie[2:]
			m.Answer = nil
		})(q)
		honest := baking(nil)(q)
		honest[0].after = 5 * time.Millisecond
		return append(forged, honest...)
	}
	if _, msg := n.resolve(question("www.example.", wire.TypeA)); len(msg.Answer) != 1 || n.m.Stats().WrongCookie != 1 {
		t.Errorf("%v %+v", msg, n.m.Stats())
	}
	n.servers[one] = func(q sent) []reply {
		if q.stream {
			return baking(nil)(q)
		}
		return answering(nil, "an: www.example. 300 A 203.0.113.66")(q)
	}
	if _, msg := n.resolve(question("www.example.", wire.TypeA)); lines(msg.Answer) != "www.example. A 198.51.100.1" || n.m.Stats().NoCookie != 1 {
		t.Errorf("%v %+v", msg, n.m.Stats())
	}
	n.idle()
}

func TestBadCookie(t *testing.T) {
	n := newNetwork(t, forwardTo("192.0.2.1"))
	bad := baking(func(q sent, c *dns.EDNS0_COOKIE, m *dns.Msg) {
		if !strings.HasSuffix(q.msg.IsEdns0().Option[0].(*dns.EDNS0_COOKIE).Cookie, "0123456789abcdef") {
			m.Rcode, m.Answer = dns.RcodeBadCookie, nil
		}
	})
	n.servers[one] = bad
	if a, _ := n.resolve(question("www.example.", wire.TypeA)); a.Failed || len(n.log) != 2 {
		t.Errorf("%+v after %d queries", a, len(n.log))
	}
	always := baking(func(q sent, c *dns.EDNS0_COOKIE, m *dns.Msg) { m.Rcode, m.Answer = dns.RcodeBadCookie, nil })
	n.servers[one] = always
	before := len(n.log)
	if a, _ := n.resolve(question("www.example.", wire.TypeA)); !a.Failed || len(n.log) != before+3 {
		t.Errorf("%+v after %d queries", a, len(n.log)-before)
	}
	n.idle()
}
