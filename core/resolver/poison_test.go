package resolver

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// poisoner is the server of some zones, and says of all other names whatever might move them to it.
type poisoner struct {
	rnd   *rand.Rand
	zones []string
	names []string // that it speaks of
}

func (p *poisoner) owns(text string) bool {
	return slices.ContainsFunc(p.zones, func(zone string) bool { return dns.IsSubDomain(zone, text) })
}

func (p *poisoner) name() string { return p.names[p.rnd.IntN(len(p.names))] }

func (p *poisoner) record(owner string) dns.RR {
	ttl := [...]int{0, 1, 300, 86400, 1 << 30}[p.rnd.IntN(5)]
	data := [...]string{
		"A 203.0.113.66", "A 203.0.113.66", "AAAA 2001:db8::66", "NS ns.evil.test.", "NS " + p.name(), "CNAME " + p.name(), "CNAME www.evil.test.", "DNAME evil.test.",
		"DNAME " + p.name(), "SOA ns.evil.test. h. 1 2 3 4 86400", "DS 1 13 2 " + strings.Repeat("00", 32), "NSEC \\000.evil.test. A NS", "TXT poison", "MX 1 www.evil.test.",
	}[p.rnd.IntN(14)]
	return mustRR(fmt.Sprintf("%s %d IN %s", owner, ttl, data))
}

func (p *poisoner) serve(q sent) []reply {
	m := new(dns.Msg).SetReply(q.msg)
	m.Authoritative, m.RecursionAvailable = p.rnd.IntN(4) > 0, p.rnd.IntN(2) == 0
	m.Rcode = [...]int{0, 0, 0, 0, 0, dns.RcodeNameError, dns.RcodeYXDomain}[p.rnd.IntN(7)]
	asked := strings.ToLower(q.msg.Question[0].Name)
	for _, section := range [...]*[]dns.RR{&m.Answer, &m.Ns, &m.Extra} {
		for range p.rnd.IntN(4) {
			owner := p.name()
			if p.rnd.IntN(3) == 0 {
				owner = asked
				if p.rnd.IntN(2) == 0 && owner != "." {
					owner = owner[strings.Index(owner, ".")+1:]
				}
				owner = dns.Fqdn(owner)
			}
			*section = append(*section, p.record(owner))
		}
	}
	if p.rnd.IntN(3) == 0 { // what such an attack looks like
		victim := p.name()
		m.Rcode, m.Answer = 0, []dns.RR{mustRR(asked + " 300 CNAME " + victim), mustRR(victim + " 86400 A 203.0.113.66")}
		if p.rnd.IntN(3) == 0 {
			m.Answer = []dns.RR{mustRR(victim + " 86400 A 203.0.113.66"), mustRR(asked + " 300 CNAME www.evil.test."), mustRR("www.evil.test. 300 CNAME " + victim)}
		}
		m.Extra = append(m.Extra, mustRR(victim+" 86400 A 203.0.113.66"))
	}
	if o := q.msg.IsEdns0(); o != nil {
		m.SetEdns0(1232, o.Do())
	}
	return []reply{{msg: m}}
}

// Whatever the servers of one zone, of a forward zone and of a stub zone say, they are asked of no names but their own,
// and all other names keep the records that their own servers have.
func TestPoisonStaysAtHome(t *testing.T) {
	evil := addr("192.0.2.20")
	victims := map[string]string{
		"www.example.test.": "www.example.test. A 198.51.100.1", "ns1.example.test.": "ns1.example.test. A 192.0.2.4", "ns.other.": "ns.other. A 192.0.2.3",
		"www.glueless.test.": "www.glueless.test. A 198.51.100.2", "alias.example.test.": "alias.example.test. CNAME www.glueless.test.; www.glueless.test. A 198.51.100.2",
		"corp.": "corp. A 192.0.2.77", "h.deep.corp.evil.test.": "h.deep.corp.evil.test. A 192.0.2.78",
		"h.own.evil.test.": "h.own.evil.test. A 192.0.2.79",
	}
	for seed := range uint64(30) {
		p := &poisoner{rnd: rand.New(rand.NewPCG(seed, 7)), zones: []string{"evil.test.", "sub.corp.", "lab.other."}}
		p.names = []string{".", "test.", "other.", "example.test.", "hosts.other.", "glueless.test.", "ns.hosts.other.", "a.root.", "evil.test.", "www.evil.test.", "ns.evil.test.",
			"x.sub.corp.", "sub.corp.", "x.lab.other.", "deep.corp.evil.test."}
		for name := range victims {
			p.names = append(p.names, name)
		}
		slices.Sort(p.names)
		n := withGlueless(world(t, Options{NoIPv6: true, AnyGlue: seed%3 == 0, PlainNames: seed%2 == 0, Groups: []Group{
			{Zone: dnametest.Name("sub.corp."), Servers: []netip.AddrPort{evil}},
			{Zone: dnametest.Name("lab.other."), Kind: Stub, Servers: []netip.AddrPort{evil}},
			{Zone: dnametest.Name("corp."), Servers: []netip.AddrPort{addr("192.0.2.21")}},
			{Zone: dnametest.Name("deep.corp.evil.test."), Servers: []netip.AddrPort{addr("192.0.2.22")}},
		}}, strings.Replace(internet, "glueless.test. 600 NS", "evil.test. 600 NS ns.evil.test.\nns.evil.test. 600 A 192.0.2.20\nglueless.test. 600 NS", 1)))
		n.servers[evil], n.servers[addr("203.0.113.66")] = p.serve, p.serve
		n.servers[addr("192.0.2.21")] = answering(nil, "an: corp. 60 A 192.0.2.77")
		n.servers[addr("192.0.2.22")] = answering(nil, "an: h.deep.corp.evil.test. 60 A 192.0.2.78")
		n.m.SetHere(&local{t: t, zone: "own.evil.test.", records: []string{"h.own.evil.test. 60 A 192.0.2.79"}})
		types := []wire.Type{wire.TypeA, wire.TypeA, wire.TypeNS, wire.TypeMX, wire.TypeDS, wire.TypeCNAME, wire.TypeANY, wire.TypeSOA, wire.TypeDNAME}
		for i := range 60 {
			own := p.zones[p.rnd.IntN(len(p.zones))]
			q := question(fmt.Sprintf("n%d.%s", i, own), types[p.rnd.IntN(len(types))])
			if p.rnd.IntN(4) == 0 {
				q = question(own, q.Type)
			}
			q.DO, q.CD = p.rnd.IntN(2) == 0, p.rnd.IntN(2) == 0
			n.resolve(q)
			for victim, want := range victims {
				if p.rnd.IntN(3) > 0 {
					continue
				}
				if _, msg := n.resolve(question(victim, wire.TypeA)); lines(msg.Answer) != want {
					t.Fatalf("seed %d, round %d: %s: %v", seed, i, victim, msg)
				}
			}
			n.run(time.Duration(p.rnd.IntN(200)) * time.Second)
		}
		for _, q := range n.log {
			text := strings.ToLower(q.msg.Question[0].Name)
			if attacker := q.to == evil || q.to == addr("203.0.113.66"); attacker && (!p.owns(text) || (dns.IsSubDomain("deep.corp.evil.test.", text) || dns.IsSubDomain("own.evil.test.", text)) && q.msg.Question[0].Qtype != dns.TypeDS) {
				t.Fatalf("seed %d: %v was asked for %s", seed, q.to, text)
			}
		}
		n.idle()
	}
}
