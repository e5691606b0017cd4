package dnssec

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cloudflare/circl/sign/ed448"
	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// testNow is the time at which what a signer signs is valid: 2026-01-01.
const testNow = 1767225600

// signer is a zone with one key that signs everything.
type signer struct {
	zone string
	key  *dns.DNSKEY
	priv crypto.Signer

	inception, expiration uint32
}

// newSigner makes a key. RSA keys have 1024 bits, so that tests take no time.
func newSigner(t testing.TB, zone string, algorithm Algorithm, flags uint16) *signer {
	t.Helper()
	s := &signer{zone: dns.Fqdn(zone), inception: testNow - 10*day, expiration: testNow + 10*day}
	s.key = &dns.DNSKEY{Flags: flags, Protocol: protocolDNSSEC, Algorithm: uint8(algorithm)}
	s.key.Hdr = dns.RR_Header{Name: s.zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600}
	if algorithm == ED448 {
		public, private, err := ed448.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s.key.PublicKey = base64.StdEncoding.EncodeToString(public)
		s.priv = private
		return s
	}
	bits, ok := map[Algorithm]int{ECDSAP256SHA256: 256, ECDSAP384SHA384: 384, ED25519: 256}[algorithm]
	if !ok {
		bits = 1024
	}
	priv, err := s.key.Generate(bits)
	if err != nil {
		t.Fatal(err)
	}
	s.priv = priv.(crypto.Signer)
	return s
}

// regenerate makes another key of the given length.
func (s *signer) regenerate(t testing.TB, bits int) {
	t.Helper()
	priv, err := s.key.Generate(bits)
	if err != nil {
		t.Fatal(err)
	}
	s.priv = priv.(crypto.Signer)
}

// sign returns the signature of the RRset.
func (s *signer) sign(t testing.TB, rrs []dns.RR) *dns.RRSIG {
	t.Helper()
	h := rrs[0].Header()
	sig := &dns.RRSIG{Algorithm: s.key.Algorithm, KeyTag: s.key.KeyTag(), SignerName: s.zone,
		Inception: s.inception, Expiration: s.expiration}
	sig.Hdr = dns.RR_Header{Name: h.Name, Rrtype: dns.TypeRRSIG, Class: h.Class, Ttl: h.Ttl}
	if s.key.Algorithm != uint8(ED448) {
		if err := sig.Sign(s.priv, rrs); err != nil {
			t.Fatal(err)
		}
		return sig
	}
	sig.TypeCovered, sig.OrigTtl, sig.Labels = h.Rrtype, h.Ttl, uint8(signableLabels(dnametest.Name(h.Name)))
	sig.Signature = base64.StdEncoding.EncodeToString([]byte{0})
	form, _ := ParseRRSIG(rdata(t, sig))
	set := rrset(t, rrs)
	sum := ed448.Sign(s.priv.(ed448.PrivateKey), newCanonical(set).signed(&form), "")
	sig.Signature = base64.StdEncoding.EncodeToString(sum)
	return sig
}

// signed returns the records with a signature for each RRset.
func (s *signer) signed(t testing.TB, text string) []dns.RR {
	t.Helper()
	var out []dns.RR
	rest := records(t, text)
	for len(rest) > 0 {
		var set []dns.RR
		first := rest[0].Header()
		rest = slices.DeleteFunc(rest, func(rr dns.RR) bool {
			same := rr.Header().Rrtype == first.Rrtype && strings.EqualFold(rr.Header().Name, first.Name)
			if same {
				set = append(set, rr)
			}
			return same
		})
		out = append(append(out, set...), s.sign(t, set))
	}
	return out
}

// set returns one signed RRset.
func (s *signer) set(t testing.TB, text string) *RRset {
	t.Helper()
	return rrset(t, s.signed(t, text))
}

// dnskey returns the signed DNSKEY RRset, with other keys in it if there are any.
func (s *signer) dnskey(t testing.TB, others ...*dns.DNSKEY) *RRset {
	t.Helper()
	rrs := []dns.RR{s.key}
	for _, k := range others {
		rrs = append(rrs, k)
	}
	return rrset(t, append(rrs, s.sign(t, rrs)))
}

// ds returns the DS record of the key.
func (s *signer) ds(t testing.TB, digest DigestType) DS {
	t.Helper()
	d, ok := MakeDS(dnametest.Name(s.zone), rdata(t, s.key), digest)
	if !ok {
		t.Fatalf("no DS of type %v", digest)
	}
	return d
}

// dsText returns the DS record in presentation form.
func (s *signer) dsText(t testing.TB) string {
	d := s.ds(t, DigestSHA256)
	return fmt.Sprintf("%s 3600 IN DS %d %d %d %X\n", s.zone, d.KeyTag, d.Algorithm, d.DigestType, d.Digest)
}

// link returns the zone as it is when its keys are trusted.
func (s *signer) link(t testing.TB) *Zone {
	t.Helper()
	return zoneOf(t, testValidator(), s.key)
}

// respond builds a response of signed records.
func respond(t testing.TB, qname string, qtype uint16, rcode int, answer, authority []dns.RR) *Response {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(qname, qtype)
	m.Rcode, m.Response, m.Answer, m.Ns = rcode, true, answer, authority
	m.Compress = true
	return readMsg(t, m)
}

func testValidator() *Validator {
	p, b := DefaultPolicy(), DefaultBudget()
	return &Validator{Policy: &p, Now: testNow, Budget: &b}
}

// secure returns sets that count as verified for the zone.
func secure(t testing.TB, zone, text string) []*RRset {
	t.Helper()
	r := response(t, zone, dns.TypeA, 0, "", text)
	var sets []*RRset
	for i := range r.Sets {
		r.Sets[i].Result, r.Sets[i].Signer = Result{Status: Secure}, dnametest.Name(zone)
		sets = append(sets, &r.Sets[i])
	}
	return sets
}

// appendBitmap appends the bit map of the given types, which may be in any order, to dst.
func appendBitmap(dst []byte, types ...wire.Type) []byte {
	types = slices.Sorted(slices.Values(types))
	for i := 0; i < len(types); {
		var bits [maxWindow]byte
		window := types[i] >> 8
		length := 0
		for ; i < len(types) && types[i]>>8 == window; i++ {
			at := int(types[i]&0xff) / 8
			bits[at] |= 0x80 >> (types[i] % 8)
			length = at + 1
		}
		dst = append(dst, byte(window), byte(length))
		dst = append(dst, bits[:length]...)
	}
	return dst
}

// Append appends p as RDATA to dst.
func (p NSEC3PARAM) Append(dst []byte) []byte {
	dst = append(dst, p.Hash, p.Flags)
	dst = binary.BigEndian.AppendUint16(dst, p.Iterations)
	dst = append(dst, byte(len(p.Salt)))
	return append(dst, p.Salt...)
}

// Append appends n as RDATA to dst.
func (n NSEC) Append(dst []byte) []byte {
	dst = append(dst, n.Next...)
	return append(dst, n.Types...)
}

// Append appends n as RDATA to dst.
func (n NSEC3) Append(dst []byte) []byte {
	dst = n.NSEC3PARAM.Append(dst)
	dst = append(dst, byte(len(n.Next)))
	dst = append(dst, n.Next...)
	return append(dst, n.Types...)
}
