package lab

import (
	"testing"

	"github.com/miekg/dns"
)

// A zone with the flaw KeyTrap has many different keys with one tag, and many different signatures none of which
// is right.
func TestKeyTrap(t *testing.T) {
	z := build(t).origins["keytrap.alpha."]
	keys, tag := map[string]bool{}, z.keys[0].public.KeyTag()
	for _, rr := range z.nodes[z.origin][dns.TypeDNSKEY] {
		k := rr.(*dns.DNSKEY)
		if keys[k.PublicKey] = true; k.KeyTag() != tag {
			t.Errorf("%s has the tag %d, want %d", k, k.KeyTag(), tag)
		}
	}
	if len(keys) != trapKeys {
		t.Errorf("%d keys", len(keys))
	}
	www := z.nodes["www."+z.origin][dns.TypeA]
	signatures := map[string]bool{}
	for _, rr := range z.sigs[rrset{"www." + z.origin, dns.TypeA}] {
		s := rr.(*dns.RRSIG)
		signatures[s.Signature] = true
		if s.KeyTag != tag || s.Verify(z.keys[0].public, www) == nil {
			t.Errorf("%s is right", s)
		}
	}
	if len(signatures) != trapSignatures {
		t.Errorf("%d signatures", len(signatures))
	}
}
