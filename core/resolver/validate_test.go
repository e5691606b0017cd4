package resolver

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// What clients hear about each kind of name.
func TestValidation(t *testing.T) {
	w := newSignedWorld(t, nil)
	for _, x := range []struct {
		name   string
		typ    wire.Type
		rcode  int
		answer string // part of it
		ad     bool
	}{
		{"www.example.test.", wire.TypeA, 0, "198.51.100.1", true},
		{"example.test.", wire.TypeDNSKEY, 0, "257 3 15", true},
		{"example.test.", wire.TypeDS, 0, "15 2", true},
		{"plain.test.", wire.TypeDS, 0, "", true},
		{"plain.test.", wire.TypeSOA, 0, "host.plain.test.", false},
		{"www.plain.test.", wire.TypeA, 0, "198.51.100.3", false},
		{"www.plain.test.", wire.TypeTXT, 0, "", false},
		{"none.plain.test.", wire.TypeA, dns.RcodeNameError, "", false},
		{"www.example.test.", wire.TypeTXT, 0, "", true},
		{"none.example.test.", wire.TypeA, dns.RcodeNameError, "", true},
		{"ent.example.test.", wire.TypeA, 0, "", true},
		{"alias.example.test.", wire.TypeA, 0, "198.51.100.1", true},
		{"alias.example.test.", wire.TypeTXT, 0, "www.example.test.", true},
		{"alias.example.test.", wire.TypeCNAME, 0, "www.example.test.", true},
		{"leaves.example.test.", wire.TypeA, 0, "198.51.100.3", false},
		{"enters.plain.test.", wire.TypeA, 0, "198.51.100.1", false},
		{"x.wild.example.test.", wire.TypeA, 0, "198.51.100.2", true},
		{"y.wild.example.test.", wire.TypeTXT, 0, "", true},
		{"z.wild.example.test.", wire.TypeA, 0, "198.51.100.2", true},
		{"x.walias.example.test.", wire.TypeA, 0, "198.51.100.1", true},
		{"y.walias.example.test.", wire.TypeA, 0, "198.51.100.1", true},
		{"x.old.example.test.", wire.TypeA, 0, "198.51.100.2", true},
		{"nothing.", wire.TypeA, dns.RcodeNameError, "", true},
		{"test.", wire.TypeANY, 0, "", true},
	} {
		for _, round := range []string{"first", "again"} {
			q := question(x.name, x.typ)
			q.DO = true
			a, m := w.resolve(q)
			if m.Rcode != x.rcode || a.AD != x.ad || !strings.Contains(lines(m.Answer), x.answer) {
				t.Errorf("%s %v, %s: %v, AD %v, %s (%s); want %v, AD %v, %s", x.name, x.typ, round, m.Rcode, a.AD, lines(m.Answer), a.EDEText, x.rcode, x.ad, x.answer)
			}
			if x.ad {
				w.checkSigned(t, m)
			}
		}
	}
	w.idle()
}

// checkSigned says whether all RRsets of a response are signed, or made from a DNAME that is.
func (w *signedWorld) checkSigned(t *testing.T, m *dns.Msg) {
	t.Helper()
	for _, section := range [][]dns.RR{m.Answer, m.Ns} {
		for _, rr := range section {
			h, signed := rr.Header(), rr.Header().Rrtype == dns.TypeRRSIG
			for _, other := range section {
				if sig, ok := other.(*dns.RRSIG); ok && sig.Hdr.Name == h.Name && sig.TypeCovered == h.Rrtype {
					signed = true
				}
				if other.Header().Rrtype == dns.TypeDNAME && h.Rrtype == dns.TypeCNAME && dns.IsSubDomain(other.Header().Name, h.Name) {
					signed = true
				}
			}
			if !signed {
				t.Errorf("%s: not signed", rr)
			}
		}
	}
}

// Of two servers one lies: whichever is asked first, the client hears the truth.
func TestBogusServer(t *testing.T) {
	for _, liar := range []string{"192.0.2.3", "192.0.2.4"} {
		w := newSignedWorld(t, nil)
		w.tamper = func(zone string, server netip.AddrPort, r *dns.Msg) {
			if server == addr(liar) {
				spoil(r)
			}
		}
		for _, name := range []string{"www.example.test.", "alias.example.test.", "x.wild.example.test."} {
			if a, m := w.resolve(question(name, wire.TypeA)); !a.AD || strings.Contains(lines(m.Answer), "203.0.113.66") {
				t.Errorf("%s: AD %v, %s %s", name, a.AD, lines(m.Answer), a.EDEText)
			}
		}
		w.idle()
	}
}

// Where all servers lie, the client hears the cause; no more than maxDistrust of them are asked, and what they
// said is not kept.
func TestBogus(t *testing.T) {
	for _, x := range []struct {
		tamper func(zone string, r *dns.Msg)
		ede    wire.EDE
	}{
		{func(zone string, r *dns.Msg) { spoil(r) }, wire.EDEBogus},
		{func(zone string, r *dns.Msg) {
			if zone == "example.test." {
				r.Answer, r.Ns = unsigned(r.Answer), unsigned(r.Ns)
			}
		}, wire.EDERRSIGsMissing},
		{func(zone string, r *dns.Msg) { // no keys
			if zone == "example.test." && r.Question[0].Qtype == dns.TypeDNSKEY {
				r.Answer = nil
			}
		}, wire.EDEDNSKEYMissing},
		{func(zone string, r *dns.Msg) {
			if zone == "example.test." && r.Question[0].Qtype == dns.TypeA {
				r.Answer = unsigned(r.Answer)
			}
		}, wire.EDERRSIGsMissing},
		{func(zone string, r *dns.Msg) { // the parent denies the DS records
			if zone == "test." {
				r.Ns = slicesWithout(r.Ns, dns.TypeDS)
				if r.Question[0].Qtype == dns.TypeDS {
					r.Answer = nil
				}
			}
		}, wire.EDENSECMissing},
	} {
		w := newSignedWorld(t, nil)
		w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) { x.tamper(zone, r) }
		a, m := w.resolve(question("www.example.test.", wire.TypeA))
		if m.Rcode != dns.RcodeServerFailure || a.EDE != x.ede || !a.Failed || a.TTL == 0 {
			t.Errorf("%v, EDE %v (%s), TTL %d; want EDE %v", m.Rcode, a.EDE, a.EDEText, a.TTL, x.ede)
		}
		if w.asked > 30 {
			t.Errorf("%v: %d queries", x.ede, w.asked)
		}
		w.tamper = nil
		w.run(10 * time.Minute)
		if a, m := w.resolve(question("www.example.test.", wire.TypeA)); m.Rcode != 0 || !a.AD {
			t.Errorf("after the repair: %v, AD %v (%s)", m.Rcode, a.AD, a.EDEText)
		}
		w.idle()
	}
}

func unsigned(rrs []dns.RR) []dns.RR { return slicesWithout(rrs, dns.TypeRRSIG) }

func slicesWithout(rrs []dns.RR, typ uint16) (out []dns.RR) {
	for _, rr := range rrs {
		if rr.Header().Rrtype != typ {
			out = append(out, rr)
		}
	}
	return out
}

// With CD set nothing is validated, and what came that way is validated before others get it.
func TestCheckingDisabled(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.tamper = func(_ string, _ netip.AddrPort, r *dns.Msg) { spoil(r) }
	q := question("www.example.test.", wire.TypeA)
	q.CD = true
	if a, m := w.resolve(q); a.AD || !strings.Contains(lines(m.Answer), "203.0.113.66") || w.jobs != 0 {
		t.Errorf("CD: AD %v, %s, %d jobs", a.AD, lines(m.Answer), w.jobs)
	}
	w.tamper = nil
	if a, m := w.resolve(question("www.example.test.", wire.TypeA)); !a.AD || strings.Contains(lines(m.Answer), "203.0.113.66") {
		t.Errorf("AD %v, %s (%s)", a.AD, lines(m.Answer), a.EDEText)
	}
	q.CD = false
	if a, ok := w.m.Snoop(int64(w.now), q); !ok || !a.AD {
		t.Errorf("without RD: AD %v", a.AD)
	}
	w.idle()
}

// Below a negative trust anchor nothing is validated; without any anchor nothing is either.
func TestNegativeAnchor(t *testing.T) {
	for _, zone := range []string{"example.test.", "test.", "."} {
		w := newSignedWorld(t, func(o *Options) { o.Anchors.Set(dnssec.Anchor{Zone: dnametest.Name(zone), Negative: true}) })
		w.tamper = func(_ string, _ netip.AddrPort, r *dns.Msg) { spoil(r) }
		if a, m := w.resolve(question("www.example.test.", wire.TypeA)); a.AD || m.Rcode != 0 || len(m.Answer) != 1 {
			t.Errorf("below %s: AD %v, %v (%s)", zone, a.AD, m.Rcode, a.EDEText)
		}
	}
}

// Denial that is known answers for other names and types without a query (RFC 8198), what is below a name that
// does not exist included (RFC 8020).
func TestAggressiveDenial(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.resolve(question("b.example.test.", wire.TypeA))
	w.resolve(question("x.wild.example.test.", wire.TypeA))
	before := w.asked
	for name, want := range map[string]int{"c.example.test.": 3, "deep.er.c.example.test.": 3, "y.wild.example.test.": 0, "z.wild.example.test.": 0} {
		q := question(name, wire.TypeA)
		q.DO = true
		if a, m := w.resolve(q); m.Rcode != want || !a.AD {
			t.Errorf("%s: %v, AD %v", name, m.Rcode, a.AD)
		} else {
			w.checkSigned(t, m)
		}
	}
	if w.asked != before {
		t.Errorf("%d queries for what is known", w.asked-before)
	}
	if w.m.Stats().Synthesized == 0 {
		t.Error("nothing was synthesized")
	}
	w.m.Flush(dnametest.Name("example.test."), true)
	w.resolve(question("d.example.test.", wire.TypeA))
	if w.asked == before {
		t.Error("a flush left the denial")
	}
}

// Questions that wait for the same link of the chain of trust share it.
func TestSharedLinks(t *testing.T) {
	w := newSignedWorld(t, nil)
	for i, name := range []string{"www", "alias", "x.wild", "y.wild", "none", "ent"} {
		w.begin(question(name+".example.test.", wire.TypeA), uint32(i))
	}
	w.run(2 * time.Second)
	keys := map[string]int{}
	for _, q := range w.log {
		if q.msg.Question[0].Qtype == dns.TypeDNSKEY {
			keys[strings.ToLower(q.msg.Question[0].Name)]++
		}
	}
	for zone, n := range keys {
		if n != 1 {
			t.Errorf("asked %d times for the keys of %s", n, zone)
		}
	}
	for i := range 6 {
		if a, ok := w.answers[uint32(i)]; !ok || !a.AD {
			t.Errorf("question %d: %v, AD %v (%s)", i, ok, a.AD, a.EDEText)
		}
	}
	w.idle()
}

// A forwarder for everything, and one for a signed zone below a signed one: keys and DS records are asked for where
// the zones' data is.
func TestValidateForwarded(t *testing.T) {
	root := []netip.AddrPort{addr("192.0.2.9")}
	for what, groups := range map[string][]Group{
		"everything": {{Zone: dnametest.Name("."), Kind: Forward, Servers: root}},
		"one zone":   {{Zone: dnametest.Name("example.test."), Kind: Forward, Servers: root}},
		"stub":       {{Zone: dnametest.Name("example.test."), Kind: Stub, Servers: []netip.AddrPort{addr("192.0.2.3")}}},
	} {
		w := newSignedWorld(t, func(o *Options) { o.Groups = groups })
		w.servers[root[0]] = func(q sent) []reply {
			if !q.msg.CheckingDisabled || !q.msg.RecursionDesired {
				t.Errorf("%s: CD %v, RD %v to a forwarder", what, q.msg.CheckingDisabled, q.msg.RecursionDesired)
			}
			m := w.recurse(q.msg, q.msg.Question[0].Name)
			m.RecursionAvailable, m.Authoritative = true, false
			m.SetEdns0(1232, true)
			return []reply{{msg: m}}
		}
		for name, ad := range map[string]bool{"www.example.test.": true, "alias.example.test.": true, "x.wild.example.test.": true, "x.walias.example.test.": true,
			"none.example.test.": true, "leaves.example.test.": false, "www.plain.test.": false, "example.test.": true} {
			if a, m := w.resolve(question(name, wire.TypeA)); a.AD != ad || m.Rcode == dns.RcodeServerFailure {
				t.Errorf("%s, %s: %v, AD %v (%s)", what, name, m.Rcode, a.AD, a.EDEText)
			}
		}
		w.idle()
	}
}

// recurse answers as a recursive resolver would: aliases followed, each zone's proof with it.
func (w *signedWorld) recurse(q *dns.Msg, name string) *dns.Msg {
	q = q.Copy()
	q.Question[0].Name = strings.ToLower(name)
	zone := "."
	for z := range w.zones {
		below := dns.IsSubDomain(z, q.Question[0].Name) && !(q.Question[0].Qtype == dns.TypeDS && z == q.Question[0].Name)
		if below && len(z) >= len(zone) {
			zone = z
		}
	}
	m := w.zones[zone].answer(q)
	if n := len(m.Answer); n > 0 && q.Question[0].Qtype != dns.TypeCNAME {
		for _, rr := range m.Answer {
			if c, ok := rr.(*dns.CNAME); ok {
				next := w.recurse(q, c.Target)
				m.Answer, m.Ns, m.Rcode = append(m.Answer, next.Answer...), append(m.Ns, next.Ns...), next.Rcode
			}
		}
	}
	m.Question[0].Name = name
	return m
}

// Signatures without end that fit no data cost one question no more than its budget (KeyTrap, CVE-2023-50387).
func TestSignatureBudget(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.tamper = func(zone string, _ netip.AddrPort, r *dns.Msg) {
		if zone != "example.test." || !spoil(r) {
			return
		}
		for _, rr := range r.Answer {
			if sig, ok := rr.(*dns.RRSIG); ok {
				for i := range 60 {
					other := dns.Copy(sig).(*dns.RRSIG)
					other.OrigTtl += uint32(i) + 1
					r.Answer = append(r.Answer, other)
				}
				return
			}
		}
	}
	counted := &countingMemo{}
	w.memo = counted
	a, m := w.resolve(question("www.example.test.", wire.TypeA))
	if budget := dnssec.DefaultBudget(); m.Rcode != dns.RcodeServerFailure || counted.failures > budget.Failures {
		t.Errorf("%v (%s) after %d signatures that fail, of %d", m.Rcode, a.EDEText, counted.failures, budget.Failures)
	}
	w.idle()
}

// countingMemo remembers nothing and counts the checks, and those that failed.
type countingMemo struct{ checks, failures int }

func (c *countingMemo) Get(dnssec.MemoKey) (valid, ok bool) { return false, false }

func (c *countingMemo) Put(_ dnssec.MemoKey, valid bool, _ int) {
	c.checks++
	if !valid {
		c.failures++
	}
}
