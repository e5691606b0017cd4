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

// Validation is switched on and off between two questions: what was learned without is validated before anybody hears it,
// and what did not validate is no failure any more.
func TestValidationIsSwitched(t *testing.T) {
	w := newSignedWorld(t, nil)
	anchors := w.m.trust.Anchors()
	forge := func(zone string, _ netip.AddrPort, r *dns.Msg) {
		if zone == "example.test." {
			spoil(r)
		}
	}
	ask := func(what string, rcode int, ad, forged bool) {
		t.Helper()
		for _, name := range []string{"www.example.test.", "alias.example.test."} {
			for _, do := range []bool{false, true} {
				q := question(name, wire.TypeA)
				q.DO = do
				a, m := w.resolve(q)
				if m.Rcode != rcode || a.AD != ad || strings.Contains(lines(m.Answer), "203.0.113.66") != forged {
					t.Errorf("%s: %s, DO %v: %v, AD %v, %s (%s)", what, name, do, m.Rcode, a.AD, lines(m.Answer), a.EDEText)
				}
			}
		}
	}
	change := func(set *dnssec.Anchors) {
		if !w.m.SetAnchors(set, nil) {
			t.Error("it is not switched")
		}
	}
	ask("on", 0, true, false)
	change(nil)
	ask("off, as it was known before", 0, false, false)
	w.m.Flush(dnametest.Name("."), true)
	w.tamper = forge
	ask("off, and forged", 0, false, true)
	change(anchors)
	ask("on, and forged", dns.RcodeServerFailure, false, false)
	change(nil)
	ask("off, after it has failed", 0, false, true)
	w.tamper = nil
	change(anchors)
	ask("on, after it was forged", 0, true, false)
	if w.m.SetAnchors(anchors, nil) {
		t.Error("it is switched on twice")
	}
	w.idle()
}

// Questions that are under way when validation goes on or off end by the new rule, whatever part of their chain of aliases
// they know by then.
func TestValidationIsSwitchedUnderWay(t *testing.T) {
	for _, on := range []bool{false, true} {
		for after := time.Duration(0); after < 100*time.Millisecond; after += time.Millisecond {
			w := newSignedWorld(t, nil)
			anchors := w.m.trust.Anchors()
			before, then := anchors, (*dnssec.Anchors)(nil)
			if on {
				before, then = nil, anchors
			}
			w.m.SetAnchors(before, nil)
			forged := true
			w.tamper = func(_ string, _ netip.AddrPort, r *dns.Msg) {
				for _, rr := range r.Answer {
					if c, ok := rr.(*dns.CNAME); ok && forged {
						c = dns.Copy(c).(*dns.CNAME)
						c.Target = "y.wild.example.test."
						r.Answer = []dns.RR{c} // without a signature
					}
				}
			}
			for n, name := range []string{"alias.example.test.", "www.example.test.", "leaves.example.test."} {
				w.begin(question(name, wire.TypeA), uint32(n))
			}
			w.run(after)
			forged = !on
			w.m.SetAnchors(then, nil)
			w.run(10 * time.Second)
			for n := range uint32(3) {
				a, m := w.answers[n], new(dns.Msg)
				if err := m.Unpack(a.Msg); err != nil {
					t.Fatal(err)
				}
				// What was answered before the switch is as it was then.
				if bad := strings.Contains(lines(m.Answer), "y.wild"); bad && a.AD || m.Rcode != 0 && on || !on && a.AD && n == 0 {
					t.Errorf("on %v, after %v: %d: %v, AD %v, %s (%s)", on, after, n, m.Rcode, a.AD, lines(m.Answer), a.EDEText)
				}
			}
			w.idle()
		}
	}
}
