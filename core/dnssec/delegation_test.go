package dnssec

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
)

func TestValidateDelegation(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	zone := s.link(t)
	const soa = "example.org. SOA ns.example.org. h.example.org. 1 1 1 1 300\n"
	wildAlias := s.signed(t, "*.example.org. CNAME www.example.net.")
	for _, rr := range wildAlias {
		rr.Header().Name = "sub.example.org."
	}
	for _, c := range []struct {
		name              string
		rcode             int
		answer, authority []dns.RR
		want              Result
		noCut             bool
	}{
		{name: "SERVFAIL", rcode: dns.RcodeServerFailure, want: Result{Bogus, ReasonNoAnswer}},
		{name: "DS", answer: s.signed(t, "sub.example.org. DS 1 15 2 00"), want: Result{Status: Secure}},
		{name: "DS without signature", answer: records(t, "sub.example.org. DS 1 15 2 00"), want: Result{Bogus, ReasonUnsigned}},
		{name: "DS of an unknown algorithm", answer: s.signed(t, "sub.example.org. DS 1 200 2 00"), want: Result{Insecure, ReasonUnsupportedAlgorithm}},
		{name: "DS of an unknown digest type", answer: s.signed(t, "sub.example.org. DS 1 15 200 00"), want: Result{Insecure, ReasonUnsupportedDigest}},
		{name: "alias", answer: s.signed(t, "sub.example.org. CNAME www.example.net."), want: Result{Status: Secure}, noCut: true},
		{name: "alias without signature", answer: records(t, "sub.example.org. CNAME www.example.net."), want: Result{Bogus, ReasonUnsigned}},
		{name: "alias made from a wildcard", answer: wildAlias, want: Result{Bogus, ReasonWildcardAlias}},
		{name: "nothing", want: Result{Bogus, ReasonNoDenial}},
		{name: "NSEC without signature", authority: records(t, "sub.example.org. NSEC x.example.org. NS RRSIG NSEC"), want: Result{Bogus, ReasonUnsigned}},
		{name: "unsigned delegation", authority: s.signed(t, soa+"sub.example.org. NSEC x.example.org. NS RRSIG NSEC"), want: Result{Insecure, ReasonInsecureDelegation}},
		{name: "the child's NSEC", authority: s.signed(t, soa+"sub.example.org. NSEC x.sub.example.org. NS SOA RRSIG NSEC"), want: Result{Bogus, ReasonDenialFails}},
		{name: "NSEC with DS", authority: s.signed(t, soa+"sub.example.org. NSEC x.example.org. NS DS RRSIG NSEC"), want: Result{Bogus, ReasonTypeExists}},
		{name: "host", authority: s.signed(t, soa+"sub.example.org. NSEC x.example.org. A RRSIG NSEC"), want: Result{Status: Secure}, noCut: true},
		{name: "empty non-terminal", authority: s.signed(t, soa+"a.example.org. NSEC x.sub.example.org. A RRSIG NSEC"), want: Result{Status: Secure}, noCut: true},
		{name: "empty non-terminal with NXDOMAIN", rcode: dns.RcodeNameError, authority: s.signed(t, soa+"a.example.org. NSEC x.sub.example.org. A RRSIG NSEC"),
			want: Result{Status: Secure}, noCut: true},
		{name: "no such name", rcode: dns.RcodeNameError, authority: s.signed(t, soa+"example.org. NSEC x.example.org. SOA NS RRSIG NSEC"), want: Result{Bogus, ReasonNameMissing}},
		{name: "wildcard", authority: s.signed(t, soa+"*.example.org. NSEC x.example.org. A RRSIG NSEC"), want: Result{Status: Secure}, noCut: true},
		{name: "wildcard unknown", authority: s.signed(t, soa+"a.example.org. NSEC x.example.org. A RRSIG NSEC"), want: Result{Bogus, ReasonDenialFails}},
		{name: "below a DNAME", authority: s.signed(t, soa+"org. NSEC x.example.org. A RRSIG NSEC"), want: Result{Bogus, ReasonSignerName}},
		{name: "too many iterations", authority: s.signed(t, soa+"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org. NSEC3 1 0 200 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A"),
			want: Result{Insecure, ReasonNSEC3Iterations}},
		{name: "too many iterations, not signed", authority: records(t, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org. NSEC3 1 0 200 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A"),
			want: Result{Bogus, ReasonUnsigned}},
		{name: "unknown hash algorithm", authority: s.signed(t, soa+"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org. NSEC3 2 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A"),
			want: Result{Bogus, ReasonNoDenial}},
		{name: "unknown flags", authority: s.signed(t, soa+"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org. NSEC3 1 3 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A"),
			want: Result{Bogus, ReasonNoDenial}},
		{name: "two chains", authority: s.signed(t, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org. NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n"+
			"1p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.org. NSEC3 1 0 1 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A"), want: Result{Bogus, ReasonNSEC3Mixed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := respond(t, "sub.example.org.", dns.TypeDS, c.rcode, c.answer, c.authority)
			d := testValidator().ValidateDelegation(r, dnametest.Name("Sub.example.org."), zone)
			if d.Result != c.want || d.NoCut != c.noCut || (len(d.DS) > 0) != (c.want.Status == Secure && !c.noCut) {
				t.Errorf("%v, no cut %v, DS %v; want %v, %v", d.Result, d.NoCut, d.DS, c.want, c.noCut)
			}
			if ttl := map[bool]uint32{true: brokenTTL, false: 3600}[d.Status == Bogus]; d.TTL != ttl {
				t.Errorf("TTL %d, want %d", d.TTL, ttl)
			}
		})
	}
}

// TestLongNames asks about names below which no wildcard has room.
func TestLongNames(t *testing.T) {
	label := strings.Repeat("x", 63) + "."
	zone := label + label + label + strings.Repeat("y", 59) + "." // 253 octets
	d := NewDenial(dnametest.Name(zone))
	for _, set := range secure(t, zone, zone+" NSEC "+zone+" SOA NS RRSIG NSEC") {
		d.Add(set)
	}
	n := dnametest.Name("a." + zone)
	if r := d.NameError(testValidator(), n); r.Status != Secure {
		t.Errorf("NameError = %v", r)
	}
	if _, ok := wildcard(dnametest.Name("a." + zone)); ok {
		t.Error("a wildcard of more than 255 octets")
	}
	long := &RRset{Owner: dnametest.Name("d."), Type: 39, Data: [][]byte{n}}
	if _, ok := substitute(dnametest.Name("abc.d."), long); ok {
		t.Error("a DNAME made a name of more than 255 octets")
	}
}
