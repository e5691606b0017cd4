package resolver

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// newForwardedWorld is newSignedWorld behind a forwarder at 192.0.2.53, which answers whatever edit leaves of it.
func newForwardedWorld(t testing.TB, edit func(q, r *dns.Msg), options func(o *Options)) *signedWorld {
	w := newSignedWorld(t, func(o *Options) {
		o.Groups = []Group{{Zone: dnametest.Name("."), Kind: Forward, Servers: []netip.AddrPort{addr("192.0.2.53")}}}
		if options != nil {
			options(o)
		}
	})
	w.servers[addr("192.0.2.53")] = func(q sent) []reply {
		asked := q.msg.Question[0]
		zone := w.zones["."]
		for _, z := range w.zones {
			in := dns.IsSubDomain(z.name, strings.ToLower(asked.Name)) && !(asked.Qtype == dns.TypeDS && strings.EqualFold(z.name, asked.Name))
			if in && dns.CountLabel(z.name) > dns.CountLabel(zone.name) {
				zone = z
			}
		}
		r := zone.answer(q.msg)
		r.Authoritative, r.RecursionAvailable = false, true
		if q.msg.IsEdns0() != nil {
			r.SetEdns0(1232, true)
		}
		if edit != nil {
			edit(q.msg, r)
		}
		return []reply{{msg: r, after: 5 * time.Millisecond}}
	}
	return w
}

// strippers are the ways in which forwarders fail those who validate.
var strippers = map[string]struct {
	strip func(q, r *dns.Msg)
	ede   wire.EDE
	zone  string // where it shows first
}{
	"no signatures": {func(q, r *dns.Msg) { r.Answer, r.Ns = unsigned(r.Answer), unsigned(r.Ns) }, wire.EDERRSIGsMissing, "."},
	"no keys": {func(q, r *dns.Msg) {
		if q.Question[0].Qtype == dns.TypeDNSKEY {
			r.Answer, r.Ns = nil, nil
		}
	}, wire.EDEDNSKEYMissing, "."},
	"keys are denied": {func(q, r *dns.Msg) {
		if q.Question[0].Qtype == dns.TypeDNSKEY {
			r.Answer = nil
			r.Rcode = dns.RcodeNameError
		}
	}, wire.EDEDNSKEYMissing, "."},
	"no EDNS": {func(q, r *dns.Msg) {
		r.Extra = nil
		r.Answer, r.Ns = unsigned(r.Answer), slicesWithout(unsigned(r.Ns), dns.TypeNSEC)
	}, wire.EDERRSIGsMissing, "."},
}

// A forwarder that removes DNSSEC records is named, with the zone and the remedy, once, until it passes them on again.
func TestForwarderRemovesDNSSEC(t *testing.T) {
	for what, s := range strippers {
		var notices []Notice
		strips := true
		w := newForwardedWorld(t, func(q, r *dns.Msg) {
			if strips {
				s.strip(q, r)
			}
		}, func(o *Options) { o.Notify = func(n Notice) { notices = append(notices, n) } })
		for n := range 20 {
			for _, name := range []string{"www.example.test.", "www.plain.test.", "none.example.test."} {
				a, m := w.resolve(question(name, wire.TypeA))
				if m.Rcode != dns.RcodeServerFailure || a.EDE != s.ede {
					t.Errorf("%s: %s: %v, EDE %d", what, name, m.Rcode, a.EDE)
				}
				for _, want := range []string{"(zone " + s.zone + ")", "forwarder 192.0.2.53:53 removes DNSSEC", "recursion.validation = false"} {
					if !strings.Contains(a.EDEText, want) || len(a.EDEText) > wire.MaxEDEText {
						t.Errorf("%s: %s, the %dth time: %q does not say %q", what, name, n, a.EDEText, want)
					}
				}
			}
			w.run(20 * time.Second)
		}
		if len(notices) != 1 || !notices[0].Removes || notices[0].Server != addr("192.0.2.53") || notices[0].Zone != s.zone {
			t.Errorf("%s: told of %+v", what, notices)
		}
		if u := w.m.Upstreams()[0]; u.DNSSEC != "no" || !strings.Contains(u.Bare, "(zone "+s.zone+")") {
			t.Errorf("%s: upstreams say %q, %q", what, u.DNSSEC, u.Bare)
		}
		strips = false
		w.run(time.Hour)
		if a, m := w.resolve(question("www.example.test.", wire.TypeA)); m.Rcode != 0 || !a.AD {
			t.Errorf("%s: afterwards %v, AD %v (%s)", what, m.Rcode, a.AD, a.EDEText)
		}
		if len(notices) != 2 || notices[1].Removes {
			t.Errorf("%s: told of %+v", what, notices)
		}
		if u := w.m.Upstreams()[0]; u.DNSSEC != "yes" {
			t.Errorf("%s: upstreams say %q, %q", what, u.DNSSEC, u.Bare)
		}
		w.idle()
	}
}

// Forwarders that have no answer for the keys are taken for such that remove DNSSEC when that goes on.
func TestForwarderRefusesKeys(t *testing.T) {
	for _, code := range []int{dns.RcodeServerFailure, dns.RcodeRefused, dns.RcodeNotImplemented, dns.RcodeNotZone} {
		told := 0
		w := newForwardedWorld(t, func(q, r *dns.Msg) {
			if q.Question[0].Qtype == dns.TypeDNSKEY {
				r.Answer, r.Rcode = nil, code
			}
		}, func(o *Options) { o.Notify = func(n Notice) { told++ } })
		for n := range 10 {
			a, m := w.resolve(question("www.example.test.", wire.TypeA))
			want := "no usable answer to the query for DNSKEY records (zone .); "
			if n < 2 {
				want += "asked of forwarder 192.0.2.53:53"
			} else if n > 4 {
				want += "forwarder 192.0.2.53:53 removes DNSSEC: ask another, or set recursion.validation = false"
			}
			if m.Rcode != dns.RcodeServerFailure || a.EDE != wire.EDEDNSKEYMissing || !strings.HasPrefix(a.EDEText, want) {
				t.Errorf("%s, the %dth time: %v, EDE %d %q", dns.RcodeToString[code], n, m.Rcode, a.EDE, a.EDEText)
			}
			w.run(time.Minute)
		}
		if told != 1 {
			t.Errorf("%s: told %d times", dns.RcodeToString[code], told)
		}
		w.idle()
	}
}

// One that passes on the keys but not the signatures of answers is told from a zone that is broken by how often it happens; and
// a zone that is broken is named, with the forwarder, but this is not blamed.
func TestForwarderOrZone(t *testing.T) {
	var notices []Notice
	bare := func(name string) bool { return strings.HasPrefix(name, "www") }
	w := newForwardedWorld(t, func(q, r *dns.Msg) {
		if q.Question[0].Qtype == dns.TypeA && bare(strings.ToLower(q.Question[0].Name)) {
			r.Answer, r.Ns = unsigned(r.Answer), unsigned(r.Ns)
		}
	}, func(o *Options) { o.Notify = func(n Notice) { notices = append(notices, n) } })
	for n := range 10 {
		a, m := w.resolve(question("www.example.test.", wire.TypeA))
		if m.Rcode != dns.RcodeServerFailure || a.EDE != wire.EDERRSIGsMissing || a.EDEText != "no signature (zone example.test.); asked of forwarder 192.0.2.53:53" {
			t.Errorf("%v, EDE %d %q", m.Rcode, a.EDE, a.EDEText)
		}
		if a, m := w.resolve(question(string(rune('a'+n))+".wild.example.test.", wire.TypeA)); m.Rcode != 0 || !a.AD {
			t.Errorf("beside it: %v, AD %v (%s)", m.Rcode, a.AD, a.EDEText)
		}
		w.run(time.Minute)
	}
	if len(notices) != 0 {
		t.Errorf("told of %+v", notices)
	}
	bare = func(string) bool { return true }
	for n := range 5 {
		a, _ := w.resolve(question(string(rune('n'+n))+".wild.example.test.", wire.TypeTXT))
		w.resolve(question(string(rune('n'+n))+".ent.example.test.", wire.TypeA))
		if a.Failed {
			t.Errorf("TXT: %s", a.EDEText)
		}
		w.run(time.Minute)
	}
	w.m.Flush(dnametest.Name("."), true)
	for range 5 {
		w.resolve(question("www.example.test.", wire.TypeA))
		w.run(time.Minute)
	}
	if len(notices) != 1 || !notices[0].Removes || notices[0].Zone != "example.test." {
		t.Errorf("told of %+v", notices)
	}
	w.idle()
}

// What is wrong with one server's response is not told of what fails later: the alias that another one gives is sound, and
// leads to a server that is silent.
func TestFailureAfterBogusAlias(t *testing.T) {
	w := newSignedWorld(t, nil)
	var first netip.AddrPort
	w.tamper = func(zone string, server netip.AddrPort, r *dns.Msg) {
		if strings.EqualFold(r.Question[0].Name, "leaves.example.test.") && r.Question[0].Qtype == dns.TypeA {
			if !first.IsValid() {
				first = server
			}
			if server == first {
				r.Answer = unsigned(r.Answer)
			}
		}
	}
	w.servers[addr("192.0.2.5")] = nil
	a, m := w.resolve(question("leaves.example.test.", wire.TypeA))
	if m.Rcode != dns.RcodeServerFailure || a.EDE != wire.EDENoReachableAuthority || strings.Contains(a.EDEText, "zone") {
		t.Errorf("%v, EDE %d %q", m.Rcode, a.EDE, a.EDEText)
	}
	if bogus := w.m.Bogus(); !first.IsValid() || len(bogus) != 1 {
		t.Errorf("bogus before: %v", bogus)
	}
	w.idle()
}

// A trace tells of a response that does not validate what its client is told.
func TestTraceOfBogus(t *testing.T) {
	w := newForwardedWorld(t, strippers["no signatures"].strip, nil)
	tr := w.trace(question("www.example.test.", wire.TypeA))
	if text := told(tr); !strings.Contains(tr.Answer.EDEText, "(zone .); forwarder 192.0.2.53:53 ") || !strings.Contains(text, "0 failure www.example.test. A: "+tr.Answer.EDEText+"\n") {
		t.Errorf("%q is not in\n%s", tr.Answer.EDEText, text)
	}
	w.idle()
}
