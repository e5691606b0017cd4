package resolver

import (
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// Below a trust anchor whose algorithm or digest nobody knows everything is insecure (RFC 4035, section 5.2), and as
// complete as it came: who sets DO gets the signatures and denials.
func TestAnchorOfUnknownAlgorithm(t *testing.T) {
	for _, zone := range []string{"example.test.", "test.", "."} {
		for _, ds := range []dnssec.DS{
			{KeyTag: 1, Algorithm: 200, DigestType: dnssec.DigestSHA256, Digest: make([]byte, 32)},
			{KeyTag: 1, Algorithm: dnssec.ED25519, DigestType: 200, Digest: make([]byte, 32)},
		} {
			w := newSignedWorld(t, func(o *Options) { o.Anchors.Set(dnssec.Anchor{Zone: dnametest.Name(zone), DS: []dnssec.DS{ds}}) })
			for range 2 { // then from what is known
				for _, c := range []struct {
					name  string
					typ   wire.Type
					rcode int
					sigs  int
				}{
					{"www.example.test.", wire.TypeA, 0, 1}, {"alias.example.test.", wire.TypeA, 0, 2}, {"x.wild.example.test.", wire.TypeA, 0, 2},
					{"www.example.test.", wire.TypeTXT, 0, 2}, {"b.example.test.", wire.TypeA, dns.RcodeNameError, 2}, {"example.test.", wire.TypeDNSKEY, 0, 1},
					{"example.test.", wire.TypeDS, 0, 1},
				} {
					q := question(c.name, c.typ)
					q.DO = true
					a, m := w.resolve(q)
					sigs := 0
					for _, rr := range append(m.Answer, m.Ns...) {
						if rr.Header().Rrtype == dns.TypeRRSIG {
							sigs++
						}
					}
					ad := zone == "example.test." && c.typ == wire.TypeDS // which is its parent's
					if m.Rcode != c.rcode || a.AD != ad || sigs < c.sigs {
						t.Errorf("below %s, algorithm %d: %s %v: rcode %d, AD %v, %d signatures, want %d (%s)", zone, ds.Algorithm, c.name, c.typ, m.Rcode, a.AD, sigs, c.sigs, a.EDEText)
					}
				}
			}
			w.idle()
		}
	}
}
