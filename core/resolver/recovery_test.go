package resolver

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// A zone whose keys or DS records could not be believed for a while is secure again when what is remembered of
// failures has run out, however long they lasted.
func TestBrokenLinkIsForgotten(t *testing.T) {
	for _, typ := range []uint16{dns.TypeDNSKEY, dns.TypeDS} {
		w := newSignedWorld(t, nil)
		broken := true
		w.tamper = func(_ string, _ netip.AddrPort, r *dns.Msg) {
			if !broken {
				return
			}
			if typ == dns.TypeDS { // the referral says nothing, so that they are asked for
				r.Ns = slices.DeleteFunc(r.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeDS })
			}
			if r.Question[0].Qtype != typ || !strings.EqualFold(r.Question[0].Name, "example.test.") {
				return
			}
			for i, rr := range r.Answer {
				if sig, ok := rr.(*dns.RRSIG); ok {
					sig = dns.Copy(sig).(*dns.RRSIG)
					sig.OrigTtl++
					r.Answer[i] = sig
				}
			}
		}
		for range 12 {
			if a, m := w.resolve(question("www.example.test.", wire.TypeA)); m.Rcode != dns.RcodeServerFailure {
				t.Fatalf("%s: %v, AD %v", dns.TypeToString[typ], m.Rcode, a.AD)
			}
			w.run(10 * time.Second)
		}
		w.resolve(question("www.example.test.", wire.TypeA))
		broken = false
		w.run(defaultFailureTTL*time.Second + time.Second)
		for _, name := range []string{"alias.example.test.", "www.example.test."} {
			if a, m := w.resolve(question(name, wire.TypeA)); !a.AD {
				t.Errorf("%s, %s, when failures are forgotten: %v (%s)", dns.TypeToString[typ], name, m.Rcode, a.EDEText)
			}
		}
		w.idle()
	}
}
