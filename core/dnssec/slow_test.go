package dnssec

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
)

// slowVerify is the plain twin of Verify, for the arithmetic only: miekg/dns on records in presentation form.
func slowVerify(key *dns.DNSKEY, sig *dns.RRSIG, rrs []dns.RR) bool {
	return sig.Verify(key, rrs) == nil
}

// randomName makes a name below zone with labels in random letter case.
func randomName(r *rand.Rand, zone string) string {
	var b strings.Builder
	for range r.IntN(4) {
		for range 1 + r.IntN(5) {
			b.WriteByte("abcXYZ019-"[r.IntN(10)])
		}
		b.WriteByte('.')
	}
	return b.String() + zone
}

// randomSet makes an RRset of a type whose canonical form has something to it.
func randomSet(r *rand.Rand, zone string) string {
	owner := randomName(r, zone)
	if r.IntN(4) == 0 {
		owner = "*." + owner
	}
	forms := []func() string{
		func() string { return fmt.Sprintf("A 192.0.2.%d", r.IntN(256)) },
		func() string { return "NS " + randomName(r, "Example.") },
		func() string { return fmt.Sprintf("MX %d %s", r.IntN(3), randomName(r, "Example.")) },
		func() string { return fmt.Sprintf("TXT \"%s\" \"%d\"", strings.Repeat("T", r.IntN(5)), r.IntN(3)) },
		func() string { return fmt.Sprintf("SRV 0 %d 53 %s", r.IntN(3), randomName(r, "ORG.")) },
		func() string {
			return fmt.Sprintf("NAPTR 1 %d \"U\" \"SIP\" \"!^.*$!x!\" %s", r.IntN(3), randomName(r, "ORG."))
		},
		func() string { return "PTR " + randomName(r, "Arpa.") },
		func() string { return "RP " + randomName(r, "A.") + " " + randomName(r, "B.") },
		func() string {
			return fmt.Sprintf("SOA %s %s %d 1 2 3 4", randomName(r, "A."), randomName(r, "B."), r.IntN(9))
		},
		func() string { return fmt.Sprintf("CAA 0 issue \"Ca%d.example\"", r.IntN(3)) },
		func() string { return fmt.Sprintf("TYPE65400 \\# 2 4%d41", r.IntN(9)) },
		func() string { return fmt.Sprintf("HTTPS 1 Svc%d.Example. alpn=h2", r.IntN(3)) },
	}
	form := forms[r.IntN(len(forms))]
	var b strings.Builder
	for range 1 + r.IntN(4) {
		fmt.Fprintf(&b, "%s 300 IN %s\n", owner, form())
	}
	return b.String()
}

// TestVerifyAgainstTwin signs random RRsets with miekg/dns, and changes a random octet in every second one.
func TestVerifyAgainstTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := newSigner(t, "Test.example.", ECDSAP256SHA256, 256)
	keys := s.link(t).Keys
	good := 0
	for i := range 400 {
		text := randomSet(r, s.zone)
		rrs := records(t, text)
		sig := s.sign(t, rrs)
		if i%2 == 1 {
			switch r.IntN(4) {
			case 0:
				sig.OrigTtl++
			case 1:
				sig.KeyTag, sig.Inception = s.key.KeyTag(), sig.Inception+1
			case 2:
				rrs[0].Header().Name = "x" + strings.TrimPrefix(rrs[0].Header().Name, "*.")
				for _, rr := range rrs {
					rr.Header().Name = rrs[0].Header().Name
				}
			case 3:
				rrs = rrs[1:]
			}
		}
		if len(rrs) == 0 {
			continue
		}
		want := slowVerify(s.key, sig, rrs)
		set := rrset(t, append(append([]dns.RR{}, rrs...), sig))
		v := testValidator()
		v.Policy.SkewMin = 0
		got := v.Verify(set, keys)
		if (got.Status == Secure) != want {
			t.Errorf("%v\n%v\nVerify = %v, miekg/dns says %v", rrs, sig, got, want)
		}
		if want {
			good++
		}
	}
	if good < 200 {
		t.Errorf("only %d good signatures among 400", good)
	}
}

// TestDigestsAgainstTwin compares key tags, digests and NSEC3 hashes.
func TestDigestsAgainstTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := newSigner(t, "Test.example.", ED25519, 256)
	for range 200 {
		k := *s.key
		k.Flags, k.Algorithm = uint16(r.Uint32()), uint8(2+r.IntN(250))
		raw := rdata(t, &k)
		if got := KeyTag(raw); got != k.KeyTag() {
			t.Fatalf("KeyTag(% x) = %d, miekg/dns says %d", raw, got, k.KeyTag())
		}
		for _, digest := range []DigestType{DigestSHA1, DigestSHA256, DigestSHA384} {
			d, ok := MakeDS(dnametest.Name(s.zone), raw, digest)
			if want := k.ToDS(uint8(digest)); !ok || fmt.Sprintf("%x", d.Digest) != want.Digest {
				t.Fatalf("MakeDS(%v) = %x, miekg/dns says %s", digest, d.Digest, want.Digest)
			}
		}
		n, iterations, salt := randomName(r, "Example."), uint16(r.IntN(20)), []byte{byte(r.Uint32()), byte(r.Uint32())}[:r.IntN(3)]
		sum := hashName(dnametest.Name(n), iterations, salt)
		got, want := base32Hex.EncodeToString(sum[:]), dns.HashName(n, hashSHA1, iterations, fmt.Sprintf("%x", salt))
		if !strings.EqualFold(got, want) {
			t.Fatalf("hashName(%s) = %v, miekg/dns says %s", n, got, want)
		}
	}
}
