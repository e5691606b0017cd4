package resolver

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
)

// world makes a network whose servers answer out of zone data, one line "ADDRESS ZONE" and its records.
func world(t *testing.T, o Options, text string) *network {
	o.Recursion = true
	o.RootHints = []Hint{{dnametest.Name("a.root."), netip.MustParseAddr("192.0.2.1")}}
	n := newNetwork(t, o)
	var records *[]dns.RR
	for _, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		switch {
		case len(f) == 2:
			at, apex := netip.AddrPortFrom(netip.MustParseAddr(f[0]), 53), f[1]
			records = new([]dns.RR)
			n.servers[at] = authority(apex, records)
		case len(f) > 2:
			rr, err := dns.NewRR(line)
			if err != nil {
				t.Fatal(err)
			}
			*records = append(*records, rr)
		}
	}
	return n
}

// authority answers for a zone as RFC 1034, section 4.3.2, has it, but for wildcards.
func authority(apex string, records *[]dns.RR) serve {
	return func(q sent) []reply {
		m := new(dns.Msg).SetReply(q.msg)
		m.RecursionDesired = false
		qname, qtype := strings.ToLower(q.msg.Question[0].Name), q.msg.Question[0].Qtype
		if o := q.msg.IsEdns0(); o != nil {
			defer func() { m.SetEdns0(1232, o.Do()) }()
		}
		exists := qname == apex
		for _, rr := range *records {
			owner := rr.Header().Name
			if ns, cut := rr.(*dns.NS); cut && owner != apex && dns.IsSubDomain(owner, qname) && !(qtype == dns.TypeDS && owner == qname) {
				m.Ns = append(m.Ns, rr)
				for _, glue := range *records {
					if t := glue.Header().Rrtype; glue.Header().Name == ns.Ns && (t == dns.TypeA || t == dns.TypeAAAA) {
						m.Extra = append(m.Extra, glue)
					}
				}
			}
			exists = exists || dns.IsSubDomain(qname, owner)
			if owner == qname && (rr.Header().Rrtype == qtype || rr.Header().Rrtype == dns.TypeCNAME) {
				m.Answer = append(m.Answer, rr)
			}
		}
		if m.Ns != nil {
			m.Answer = nil
			return []reply{{msg: m}}
		}
		if m.Authoritative = true; m.Answer == nil {
			m.Ns = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: apex, Rrtype: dns.TypeSOA, Class: 1, Ttl: 600}, Ns: apex, Mbox: apex, Minttl: 300}}
			if !exists {
				m.Rcode = dns.RcodeNameError
			}
		}
		return []reply{{msg: m}}
	}
}

const internet = `
192.0.2.1 .
. 3600 NS a.root.
a.root. 3600 A 192.0.2.1
test. 3600 NS ns.test.
ns.test. 3600 A 192.0.2.2
other. 3600 NS ns.other.
ns.other. 3600 A 192.0.2.3
192.0.2.2 test.
test. 3600 NS ns.test.
ns.test. 3600 A 192.0.2.2
example.test. 600 NS ns1.example.test.
ns1.example.test. 600 A 192.0.2.4
glueless.test. 600 NS ns.hosts.other.
192.0.2.3 other.
ns.other. 3600 A 192.0.2.3
hosts.other. 600 NS ns.hosts.other.
ns.hosts.other. 600 A 192.0.2.5
192.0.2.4 example.test.
example.test. 600 NS ns1.example.test.
ns1.example.test. 600 A 192.0.2.4
www.example.test. 60 A 198.51.100.1
alias.example.test. 60 CNAME www.glueless.test.
loop.example.test. 60 CNAME loop.glueless.test.
a.b.c.d.e.f.g.h.i.j.k.l.m.n.example.test. 60 A 198.51.100.3
192.0.2.5 hosts.other.
ns.hosts.other. 600 A 192.0.2.5
`

// withGlueless adds the zone glueless.test to the server of hosts.other.
func withGlueless(n *network) *network {
	hosts := n.servers[addr("192.0.2.5")]
	mine := authority("glueless.test.", &[]dns.RR{
		mustRR("www.glueless.test. 60 A 198.51.100.2"), mustRR("loop.glueless.test. 60 CNAME loop.example.test."),
	})
	n.servers[addr("192.0.2.5")] = func(q sent) []reply {
		if dns.IsSubDomain("glueless.test.", strings.ToLower(q.msg.Question[0].Name)) {
			return mine(q)
		}
		return hosts(q)
	}
	return n
}

func mustRR(s string) dns.RR {
	rr, err := dns.NewRR(s)
	if err != nil {
		panic(err)
	}
	return rr
}

func (n *network) asked() (out []string) {
	for _, q := range n.log {
		out = append(out, fmt.Sprintf("%s %s @%v", strings.ToLower(q.msg.Question[0].Name), dns.TypeToString[q.msg.Question[0].Qtype], q.to.Addr()))
	}
	return out
}
