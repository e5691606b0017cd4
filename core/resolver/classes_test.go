package resolver

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// NRDelegation (USENIX Security '23): a referral to very many servers, none of which says anything of use, is bounded in
// what is read of it, in queries and in time, and does not hold up other questions.
func TestManyUselessServers(t *testing.T) {
	for what, useless := range map[string]serve{
		"silent": func(q sent) []reply { return nil },
		"lame":   answering(func(m *dns.Msg) { m.Rcode, m.RecursionAvailable = dns.RcodeRefused, false }),
	} {
		n := world(t, Options{NoIPv6: true}, internet)
		test := n.servers[addr("192.0.2.2")]
		for i := range 250 {
			n.servers[addr(fmt.Sprintf("198.51.100.%d", i))] = useless
		}
		n.servers[addr("192.0.2.2")] = func(q sent) []reply {
			if !dns.IsSubDomain("evil.test.", dns.CanonicalName(q.msg.Question[0].Name)) {
				return test(q)
			}
			var list []string
			for i := range 1500 {
				list = append(list, fmt.Sprintf("ns: evil.test. 1 NS x%d.evil.test.", i), fmt.Sprintf("ar: x%d.evil.test. 1 A 198.51.100.%d", i, i%250))
			}
			return answering(func(m *dns.Msg) { m.RecursionAvailable = false }, list...)(q)
		}
		n.begin(question("www.evil.test.", wire.TypeA), 1)
		n.run(20 * time.Millisecond)
		began := n.now
		if a, _ := n.resolve(question("www.example.test.", wire.TypeA)); a.Failed || n.now-began > time.Second {
			t.Errorf("%s: beside it: %+v after %v", what, a, n.now-began)
		}
		n.run(time.Duration(n.m.options.Timeout))
		to := map[netip.AddrPort]int{}
		for _, q := range n.log {
			to[q.to]++
			if q.to.Addr().As4()[0] == 198 && to[q.to] > servers.MaxPerServer {
				t.Errorf("%s: %d queries to %v", what, to[q.to], q.to)
			}
		}
		if a, done := n.answers[1]; !done || !a.Failed || len(n.log) > maxQueries+servers.MaxTried {
			t.Errorf("%s: done %v, %+v after %d queries", what, done, a, len(n.log))
		}
		n.idle()
	}
}

// TsuKing (CCS '23) makes resolvers ask each other: servers that delegations name are asked without recursion, whoever they
// are, so that a resolver among them looks for nothing on our behalf.
func TestServersAreAskedWithoutRecursion(t *testing.T) {
	n := withGlueless(world(t, Options{NoIPv6: true}, internet))
	for _, qname := range []string{"www.example.test.", "alias.example.test.", "nothing.other."} {
		n.resolve(question(qname, wire.TypeA))
	}
	for _, q := range n.log {
		if q.msg.RecursionDesired {
			t.Errorf("%v is asked with RD: %v", q.to, q.msg.Question[0])
		}
	}
	if len(n.log) < 5 {
		t.Errorf("%d queries", len(n.log))
	}
	n.idle()
}

// Responses that nobody has asked for are counted, and flush nothing: what is known is known after a hundred thousand.
func TestUnwantedResponsesFlushNothing(t *testing.T) {
	n := world(t, Options{NoIPv6: true}, internet)
	if a, _ := n.resolve(question("www.example.test.", wire.TypeA)); a.Failed {
		t.Fatalf("%+v", a)
	}
	asked, before := len(n.log), n.m.Stats()
	rnd := rand.New(rand.NewPCG(15, 16))
	forged := new(dns.Msg).SetQuestion("www.example.test.", dns.TypeA)
	forged.Response = true
	raw, err := forged.Pack()
	if err != nil {
		t.Fatal(err)
	}
	const unwanted = 100_000
	for range unwanted {
		raw[0], raw[1] = byte(rnd.Uint32()), byte(rnd.Uint32())
		n.m.Receive(int64(n.now), uint16(rnd.IntN(7)), addr("192.0.2.4"), raw)
	}
	if got := n.m.Stats().UnknownID - before.UnknownID; got != unwanted {
		t.Errorf("%d of %d are counted", got, unwanted)
	}
	if _, m := n.resolve(question("www.example.test.", wire.TypeA)); lines(m.Answer) != "www.example.test. A 198.51.100.1" || len(n.log) != asked {
		t.Errorf("%v after %d queries more", m.Answer, len(n.log)-asked)
	}
	n.idle()
}

// A negative answer that is padded with hundreds of NSEC records, all different, is refused before any of their signatures
// is checked.
func TestPaddedDenialIsRefused(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.resolve(question("www.example.test.", wire.TypeA))
	w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
		if r.Rcode != dns.RcodeNameError {
			return
		}
		for i := range 2 * maxSets {
			rr, err := dns.NewRR(fmt.Sprintf("p%d.example.test. 300 NSEC p%dx.example.test. A", i, i))
			if err != nil {
				t.Fatal(err)
			}
			r.Ns = append(r.Ns, rr)
		}
	}
	jobs := w.jobs
	a, _ := w.resolve(question("nothing.example.test.", wire.TypeA))
	if !a.Failed || w.jobs != jobs {
		t.Errorf("%+v after %d jobs", a, w.jobs-jobs)
	}
	w.tamper = nil
	w.run(10 * time.Minute)
	if a, m := w.resolve(question("nothing.example.test.", wire.TypeA)); m.Rcode != dns.RcodeNameError || !a.AD {
		t.Errorf("without padding: %+v", a)
	}
	w.idle()
}

// A signed NSEC record whose next name lies outside of its zone proves nothing: neither in its zone, nor for the names between
// there and that next name.
func TestNSECBeyondItsZone(t *testing.T) {
	w := newSignedWorld(t, nil)
	if a, _ := w.resolve(question("www.example.test.", wire.TypeA)); !a.AD {
		t.Fatalf("%+v", a)
	}
	w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
		if zone != "example.test." || len(r.Ns) == 0 {
			return
		}
		z := w.zones[zone]
		delete(z.sigs, "example.test.NSEC")
		nsec := &dns.NSEC{
			Hdr:        dns.RR_Header{Name: "example.test.", Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 300},
			NextDomain: "zzz.test.", TypeBitMap: []uint16{dns.TypeNS, dns.TypeSOA, dns.TypeRRSIG, dns.TypeNSEC},
		}
		r.Rcode, r.Ns = dns.RcodeNameError, nil
		r.Ns = z.sign(r.Ns, z.name, z.at(z.name, dns.TypeSOA)...)
		r.Ns = z.sign(r.Ns, z.name, nsec)
		delete(z.sigs, "example.test.NSEC")
	}
	if a, m := w.resolve(question("nothing.example.test.", wire.TypeA)); a.AD || m.Rcode == dns.RcodeNameError {
		t.Errorf("a name of the zone: %v, %+v", m.Rcode, a)
	}
	w.tamper = nil
	for _, qname := range []string{"www.plain.test.", "www.example.test."} {
		if _, m := w.resolve(question(qname, wire.TypeA)); m.Rcode != dns.RcodeSuccess || len(m.Answer) == 0 {
			t.Errorf("%s: %v", qname, m)
		}
	}
	w.idle()
}

// What a wildcard has answered is used for other names while it lasts, and no longer: when its servers are gone after its
// time, other names below it fail, whatever else is served stale.
func TestExpiredWildcardIsNotReplayed(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.resolve(question("b.example.test.", wire.TypeA))
	if a, m := w.resolve(question("x.wild.example.test.", wire.TypeA)); !a.AD || len(m.Answer) != 1 {
		t.Fatalf("%v", m)
	}
	asked := w.asked
	if a, _ := w.resolve(question("z.wild.example.test.", wire.TypeA)); !a.AD || w.asked != asked {
		t.Errorf("while it lasts: %+v after %d queries", a, w.asked-asked)
	}
	w.run(2 * time.Hour)
	for at := range w.servers {
		w.servers[at] = func(q sent) []reply { return nil }
	}
	for _, qname := range []string{"late.wild.example.test.", "x.wild.example.test."} {
		if a, m := w.resolve(question(qname, wire.TypeA)); !a.Failed || len(m.Answer) > 0 {
			t.Errorf("%s: %+v, %v", qname, a, m.Answer)
		}
	}
	w.idle()
}
