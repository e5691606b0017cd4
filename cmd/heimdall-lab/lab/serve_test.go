package lab

import (
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// client takes one response.
type client struct {
	dns.ResponseWriter
	tcp bool
	got *dns.Msg
}

func (c *client) WriteMsg(m *dns.Msg) error {
	c.got = m
	return nil
}

func (c *client) RemoteAddr() net.Addr {
	if c.tcp {
		return &net.TCPAddr{}
	}
	return &net.UDPAddr{}
}

// ask puts a question to the first server of a zone, or of another one.
func (n *Internet) ask(host string, name string, typ uint16, do, tcp bool) *dns.Msg {
	q := new(dns.Msg).SetQuestion(name, typ)
	if do {
		q.SetEdns0(maxUDP, true)
	}
	c := &client{tcp: tcp}
	for _, s := range n.servers {
		if s.host == host {
			s.ServeDNS(c, q)
		}
	}
	return c.got
}

// sections describes a response: the types in its sections, signatures as "+" behind what they sign.
func sections(m *dns.Msg) string {
	if m == nil {
		return "nothing"
	}
	words := []string{dns.RcodeToString[m.Rcode]}
	if m.Authoritative {
		words = append(words, "AA")
	}
	if m.Truncated {
		words = append(words, "TC")
	}
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		words = append(words, "/")
		for _, rr := range section {
			switch typ := rr.Header().Rrtype; typ {
			case dns.TypeOPT:
			case dns.TypeRRSIG:
				words[len(words)-1] += "+"
			default:
				words = append(words, dns.TypeToString[typ])
			}
		}
	}
	return strings.Join(words, " ")
}

func TestAnswers(t *testing.T) {
	n := build(t)
	for _, x := range []struct {
		host, name string
		typ        uint16
		do         bool
		want       string
	}{
		{"ns1.nsec.alpha.", "www.nsec.alpha.", dns.TypeA, false, "NOERROR AA / A / /"},
		{"ns1.nsec.alpha.", "www.nsec.alpha.", dns.TypeA, true, "NOERROR AA / A+ / /"},
		{"ns1.nsec.alpha.", "www.nsec.alpha.", dns.TypeTXT, true, "NOERROR AA / / SOA+ NSEC+ /"},
		{"ns1.nsec.alpha.", "empty.nsec.alpha.", dns.TypeA, true, "NOERROR AA / / SOA+ NSEC+ /"},
		{"ns1.nsec.alpha.", "nothing.nsec.alpha.", dns.TypeA, true, "NXDOMAIN AA / / SOA+ NSEC+ NSEC+ /"},
		{"ns1.nsec.alpha.", "a.wild.nsec.alpha.", dns.TypeA, true, "NOERROR AA / A+ / NSEC+ /"},
		{"ns1.nsec.alpha.", "a.wild.nsec.alpha.", dns.TypeTXT, true, "NOERROR AA / / SOA+ NSEC+ /"},
		{"ns1.nsec.alpha.", "alias.nsec.alpha.", dns.TypeA, true, "NOERROR AA / CNAME+ A+ / /"},
		{"ns1.nsec.alpha.", "out.nsec.alpha.", dns.TypeA, true, "NOERROR AA / CNAME+ / /"},
		{"ns1.nsec.alpha.", "www.tree.nsec.alpha.", dns.TypeA, true, "NOERROR AA / DNAME+ CNAME / /"},
		{"ns1.nsec3.beta.", "nothing.nsec3.beta.", dns.TypeA, true, "NXDOMAIN AA / / SOA+ NSEC3+ NSEC3+ NSEC3+ /"},
		{"ns1.nsec3.beta.", "a.wild.nsec3.beta.", dns.TypeA, true, "NOERROR AA / A+ / NSEC3+ /"},
		{"ns1.alpha.", "www.nsec.alpha.", dns.TypeA, true, "NOERROR / / NS DS+ / A"},
		{"ns1.alpha.", "www.nsec.alpha.", dns.TypeA, false, "NOERROR / / NS / A"},
		{"ns1.alpha.", "nsec.alpha.", dns.TypeDS, true, "NOERROR AA / DS+ / /"},
		{"ns1.alpha.", "www.insecure.alpha.", dns.TypeA, true, "NOERROR / / NS NSEC+ / A"},
		{"ns1.alpha.", "www.noglue.alpha.", dns.TypeA, true, "NOERROR / / NS DS+ /"},
		{"ns1.beta.", "www.insecure.beta.", dns.TypeA, true, "NOERROR / / NS NSEC3+ NSEC3+ / A"},
		{"ns1.beta.", "www.six.beta.", dns.TypeA, false, "NOERROR / / NS / AAAA"},
		{"a.root.", ".", dns.TypeNS, false, "NOERROR AA / NS NS / / A A"},
		{"a.root.", "nsec.alpha.", dns.TypeA, true, "NOERROR / / NS NS DS+ / A A"},
		{"ns1.nosigs.alpha.", "www.nosigs.alpha.", dns.TypeA, true, "NOERROR AA / A / /"},
		{"ns1.nodenial.alpha.", "nothing.nodenial.alpha.", dns.TypeA, true, "NXDOMAIN AA / / SOA+ /"},
		{"ns1.nokeys.alpha.", "nokeys.alpha.", dns.TypeDNSKEY, true, "NOERROR AA / / SOA /"},
		{"ns1.refused.alpha.", "www.refused.alpha.", dns.TypeA, true, "REFUSED / / /"},
		{"ns1.nsec.alpha.", "www.beta.", dns.TypeA, true, "REFUSED / / /"},
		{"ns1.upwards.alpha.", "www.upwards.alpha.", dns.TypeA, true, "NOERROR / / NS NS / A A"},
		{"ns1.sideways.alpha.", "www.sideways.alpha.", dns.TypeA, false, "NOERROR / / NS NS / A A"},
		{"ns1.elsewhere.alpha.", "www.elsewhere.alpha.", dns.TypeA, true, "NXDOMAIN AA / / SOA /"},
		{"ns1.alpha.", "www.hiddends.alpha.", dns.TypeA, true, "NOERROR / / NS NSEC+ / A"},
		{"ns1.alpha.", "hiddends.alpha.", dns.TypeDS, true, "NOERROR AA / / SOA+ NSEC+ /"},
		{"ns1.dead.alpha.", "www.dead.alpha.", dns.TypeA, true, "nothing"},
		{"ns1.plain.alpha.", "www.plain.alpha.", dns.TypeA, true, "FORMERR / / /"},
		{"ns1.plain.alpha.", "www.plain.alpha.", dns.TypeA, false, "NOERROR AA / A / /"},
		{"ns1.truncating.alpha.", "www.truncating.alpha.", dns.TypeA, true, "NOERROR AA TC / / /"},
	} {
		if got := sections(n.ask(x.host, x.name, x.typ, x.do, false)); got != x.want {
			t.Errorf("%s asked for %s %s, DO %v: %s, want %s", x.host, x.name, dns.TypeToString[x.typ], x.do, got, x.want)
		}
	}
	if m := n.ask("ns1.lower.alpha.", "WWW.Lower.alpha.", dns.TypeA, true, false); m.Question[0].Name != "www.lower.alpha." {
		t.Errorf("a server that repeats questions in lower case says %s", m.Question[0].Name)
	}
	if m := n.ask("ns1.nsec.alpha.", "WWW.Nsec.alpha.", dns.TypeA, true, false); m.Answer[0].Header().Name != "WWW.Nsec.alpha." {
		t.Errorf("an answer does not have the question's spelling: %s", m.Answer[0])
	}
	if got := sections(n.ask("ns1.truncating.alpha.", "www.truncating.alpha.", dns.TypeA, true, true)); got != "NOERROR AA / A+ / /" {
		t.Errorf("over TCP: %s", got)
	}
	if m := n.ask("ns1.big.beta.", "large.big.beta.", dns.TypeTXT, true, false); !m.Truncated || m.Len() > maxUDP {
		t.Errorf("a large answer over UDP: TC %v, %d octets", m.Truncated, m.Len())
	}
}

// Whatever is asked, a server that answers says what was asked, can put it on the wire, and shows why there is nothing.
func FuzzAnswer(f *testing.F) {
	n := build(f)
	for _, q := range Questions() {
		f.Add(q.Name, q.Type, true)
	}
	f.Add(`a\.b.WILD.nsec.alpha.`, dns.TypeANY, false)
	f.Fuzz(func(t *testing.T, name string, typ uint16, do bool) {
		m := new(dns.Msg).SetQuestion(dns.Fqdn(name), typ)
		wire, err := m.Pack()
		if err != nil || m.Unpack(wire) != nil {
			t.Skip("no name")
		}
		for _, s := range n.servers {
			if s.manner != Correct {
				continue
			}
			q := m.Copy()
			if do {
				q.SetEdns0(maxUDP, true)
			}
			c := new(client)
			s.ServeDNS(c, q)
			if c.got.Question[0] != m.Question[0] {
				t.Fatalf("%s: asked %v, got %v", s.host, m.Question[0], c.got.Question[0])
			}
			if _, err := c.got.Pack(); err != nil {
				t.Fatalf("%s: %v: %v", s.host, c.got, err)
			}
			if c.got.Rcode == dns.RcodeNameError && len(c.got.Ns) == 0 && !c.got.Truncated {
				t.Fatalf("%s: no SOA: %v", s.host, c.got)
			}
			if c.got.Rcode == dns.RcodeSuccess && len(c.got.Answer)+len(c.got.Ns) == 0 && !c.got.Truncated {
				t.Fatalf("%s: nothing: %v", s.host, c.got)
			}
		}
	})
}
