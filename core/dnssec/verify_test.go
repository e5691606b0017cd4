package dnssec

import (
	"encoding/base64"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

var algorithms = []Algorithm{RSASHA1, RSASHA1NSEC3SHA1, RSASHA256, RSASHA512, ECDSAP256SHA256, ECDSAP384SHA384, ED25519, ED448}

func TestVerifyAlgorithms(t *testing.T) {
	for _, a := range algorithms {
		t.Run(a.String(), func(t *testing.T) {
			s := newSigner(t, "Example.org.", a, 257)
			v := testValidator()
			zone := v.ValidateKeys(dnametest.Name("example.org."), s.dnskey(t), []DS{s.ds(t, DigestSHA256)}, 3600)
			if zone.Status != Secure {
				t.Fatalf("ValidateKeys = %v", zone.Result)
			}
			set := s.set(t, "www.example.org. 300 IN A 192.0.2.1\nwww.example.org. 300 IN A 192.0.2.2\n")
			set.TTL = 86400
			if r := v.Verify(set, zone.Keys); r.Status != Secure || set.TTL != 300 || set.Expanded() {
				t.Errorf("Verify = %v, TTL %d", r, set.TTL)
			}
			set.Data[0][3] ^= 1
			set.Result = Result{}
			if r := v.Verify(set, zone.Keys); r != (Result{Bogus, ReasonInvalid}) {
				t.Errorf("Verify of changed data = %v", r)
			}
		})
	}
}

// TestVerifyRefuses changes one thing at a time in what would be Secure.
func TestVerifyRefuses(t *testing.T) {
	s := newSigner(t, "example.org.", ECDSAP256SHA256, 256)
	other := newSigner(t, "example.com.", ECDSAP256SHA256, 256)
	for _, c := range []struct {
		name   string
		mutate func(v *Validator, set *RRset, sig *RRSIG, key *dns.DNSKEY)
		want   Result
	}{
		{"nothing", func(*Validator, *RRset, *RRSIG, *dns.DNSKEY) {}, Result{Secure, ReasonNone}},
		{"no signature", func(_ *Validator, set *RRset, sig *RRSIG, _ *dns.DNSKEY) { set.Sigs, sig.Signer = nil, nil }, Result{Bogus, ReasonUnsigned}},
		{"short signature record", func(_ *Validator, set *RRset, sig *RRSIG, _ *dns.DNSKEY) {
			set.Sigs[0], sig.Signer = set.Sigs[0][:18], nil
		}, Result{Bogus, ReasonSignatureMalformed}},
		{"other type covered", func(_ *Validator, _ *RRset, sig *RRSIG, _ *dns.DNSKEY) { sig.TypeCovered = wire.TypeMX }, Result{Bogus, ReasonSignatureMalformed}},
		{"other signer", func(_ *Validator, _ *RRset, sig *RRSIG, _ *dns.DNSKEY) { sig.Signer = dnametest.Name(other.zone) }, Result{Bogus, ReasonSignerName}},
		{"parent as signer", func(_ *Validator, _ *RRset, sig *RRSIG, _ *dns.DNSKEY) { sig.Signer = dnametest.Name("org.") }, Result{Bogus, ReasonSignerName}},
		{"owner out of the zone", func(_ *Validator, set *RRset, _ *RRSIG, _ *dns.DNSKEY) {
			set.Owner = dnametest.Name("www.example.com.")
		}, Result{Bogus, ReasonSignerName}},
		{"more labels than the name", func(_ *Validator, _ *RRset, sig *RRSIG, _ *dns.DNSKEY) { sig.Labels = 4 }, Result{Bogus, ReasonLabelCount}},
		{"fewer labels than the zone", func(_ *Validator, _ *RRset, sig *RRSIG, _ *dns.DNSKEY) { sig.Labels = 1 }, Result{Bogus, ReasonLabelCount}},
		{"label count of a wildcard", func(_ *Validator, _ *RRset, sig *RRSIG, _ *dns.DNSKEY) { sig.Labels = 2 }, Result{Bogus, ReasonInvalid}},
		{"unknown algorithm", func(_ *Validator, _ *RRset, sig *RRSIG, _ *dns.DNSKEY) { sig.Algorithm = 200 }, Result{Bogus, ReasonUnsupportedAlgorithm}},
		{"algorithm of no key", func(_ *Validator, _ *RRset, sig *RRSIG, _ *dns.DNSKEY) { sig.Algorithm = ED25519 }, Result{Bogus, ReasonNoKey}},
		{"key tag of no key", func(_ *Validator, _ *RRset, sig *RRSIG, _ *dns.DNSKEY) { sig.KeyTag++ }, Result{Bogus, ReasonNoKey}},
		{"other original TTL", func(_ *Validator, _ *RRset, sig *RRSIG, _ *dns.DNSKEY) { sig.OriginalTTL++ }, Result{Bogus, ReasonInvalid}},
		{"other class", func(_ *Validator, set *RRset, _ *RRSIG, _ *dns.DNSKEY) { set.Class = wire.ClassCH }, Result{Bogus, ReasonInvalid}},
		{"expired", func(v *Validator, _ *RRset, _ *RRSIG, _ *dns.DNSKEY) { v.Now += 20 * day }, Result{Bogus, ReasonExpired}},
		{"not yet valid", func(v *Validator, _ *RRset, _ *RRSIG, _ *dns.DNSKEY) { v.Now -= 20 * day }, Result{Bogus, ReasonNotYetValid}},
		{"no zone key", func(_ *Validator, _ *RRset, _ *RRSIG, key *dns.DNSKEY) { key.Flags = 1 }, Result{Bogus, ReasonNoZoneKeyBit}},
		{"other protocol", func(_ *Validator, _ *RRset, _ *RRSIG, key *dns.DNSKEY) { key.Protocol = 4 }, Result{Bogus, ReasonKeyProtocol}},
		{"revoked key", func(_ *Validator, _ *RRset, _ *RRSIG, key *dns.DNSKEY) { key.Flags |= FlagRevoke }, Result{Bogus, ReasonKeyRevoked}},
		{"point not on the curve", func(_ *Validator, _ *RRset, _ *RRSIG, key *dns.DNSKEY) {
			key.PublicKey = base64.StdEncoding.EncodeToString(make([]byte, 64))
		}, Result{Bogus, ReasonUnusableKey}},
		{"no budget", func(v *Validator, _ *RRset, _ *RRSIG, _ *dns.DNSKEY) { v.Budget.Signatures = 0 }, Result{Bogus, ReasonSignatureBudget}},
		{"no verification allowed", func(v *Validator, _ *RRset, _ *RRSIG, _ *dns.DNSKEY) { v.Policy.MaxSignatures = 0 }, Result{Bogus, ReasonTooManySignatures}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, key := testValidator(), *s.key
			set := s.set(t, "www.example.org. 300 IN A 192.0.2.1\n")
			sig, _ := ParseRRSIG(set.Sigs[0])
			c.mutate(v, set, &sig, &key)
			keys := v.Policy.newKeySet(dnametest.Name("example.org."), &RRset{Data: [][]byte{rdata(t, &key)}})
			keys.keys[0].tag = s.key.KeyTag()
			if sig.Signer != nil {
				set.Sigs[0] = sig.Append(nil)
			}
			if r := v.Verify(set, keys); r != c.want {
				t.Errorf("Verify = %v, want %v", r, c.want)
			}
			if set.Result != c.want || (set.Signer != nil) != (c.want.Status == Secure) {
				t.Errorf("set: %v by %v", set.Result, set.Signer)
			}
		})
	}
}

// TestVerifyTakesAnyGoodSignature puts bad signatures before and after a good one (RFC 6840, section 5.4).
func TestVerifyTakesAnyGoodSignature(t *testing.T) {
	s := newSigner(t, "example.org.", ECDSAP256SHA256, 256)
	v, keys := testValidator(), s.link(t).Keys
	set := s.set(t, "www.example.org. 300 IN A 192.0.2.1\n")
	bad := append([]byte(nil), set.Sigs[0]...)
	bad[len(bad)-1] ^= 1
	set.Sigs = [][]byte{bad, {1, 2, 3}, set.Sigs[0], bad}
	if r := v.Verify(set, keys); r.Status != Secure {
		t.Errorf("Verify = %v", r)
	}
}

func TestVerifyWildcard(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	v, keys := testValidator(), s.link(t).Keys
	set := s.set(t, "*.w.example.org. 300 IN A 192.0.2.1\n")
	if r := v.Verify(set, keys); r.Status != Secure || set.Expanded() {
		t.Errorf("the wildcard itself: %v, encloser %v", r, set.Encloser)
	}
	set.Owner, set.Result = dnametest.Name("A.b.W.example.org."), Result{}
	if r := v.Verify(set, keys); r.Status != Secure || set.Encloser.String() != "W.example.org." {
		t.Errorf("expanded: %v, encloser %v", r, set.Encloser)
	}
	// The asterisk inside a name is a label like others.
	set.Owner, set.Result = dnametest.Name("*.*.w.example.org."), Result{}
	if r := v.Verify(set, keys); r.Status != Secure || set.Encloser.String() != "w.example.org." {
		t.Errorf("expanded to a wildcard: %v, encloser %v", r, set.Encloser)
	}
	for _, text := range []string{"*.w.example.org. DNAME x.example.", "*.w.example.org. DS 1 13 2 00"} {
		set := s.set(t, text)
		set.Owner = dnametest.Name("a.w.example.org.")
		if r := v.Verify(set, keys); r != (Result{Bogus, ReasonWildcardAlias}) {
			t.Errorf("%s expanded: %v", text, r)
		}
	}
}

func TestVerifyDenialOwners(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	v, keys := testValidator(), s.link(t).Keys
	for _, c := range []struct {
		text string
		want Result
	}{
		{"a.example.org. NSEC b.example.org. A RRSIG NSEC", Result{Secure, ReasonNone}},
		{"a.example.org. NSEC b.example.com. A RRSIG NSEC", Result{Bogus, ReasonOwnerName}},
		{"a.example.org. NSEC org. A RRSIG NSEC", Result{Bogus, ReasonOwnerName}},
		{"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org. NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A", Result{Secure, ReasonNone}},
		{"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.a.example.org. NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A", Result{Bogus, ReasonOwnerName}},
		{"example.org. NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A", Result{Bogus, ReasonOwnerName}},
	} {
		if r := v.Verify(s.set(t, c.text), keys); r != c.want {
			t.Errorf("%s: %v, want %v", c.text, r, c.want)
		}
	}
	// A DS RRset is not its own zone's.
	if r := v.Verify(s.set(t, "example.org. DS 1 13 2 00"), keys); r != (Result{Bogus, ReasonSignerName}) {
		t.Errorf("DS signed by the child: %v", r)
	}
}

func TestVerifyKeepsSecure(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	v, keys := testValidator(), s.link(t).Keys
	set := s.set(t, "www.example.org. 300 IN A 192.0.2.1\n")
	v.Verify(set, keys)
	before := *v.Budget
	set.Sigs = nil // a cache need not keep them
	if r := v.Verify(set, keys); r.Status != Secure || *v.Budget != before {
		t.Errorf("Verify of a Secure set = %v, budget %v", r, *v.Budget)
	}
	other := newSigner(t, "example.com.", ED25519, 256)
	if r := v.Verify(set, other.link(t).Keys); r.Status != Bogus {
		t.Errorf("Verify of a set that is another zone's = %v", r)
	}
}
