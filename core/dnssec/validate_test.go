package dnssec

import (
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// check plans and validates a response with zones found by name.
func check(t *testing.T, r *Response, zones ...*Zone) ([]Part, Verdict) {
	t.Helper()
	parts := Plan(r)
	found := make([]*Zone, len(parts))
	for i := range parts {
		target := parts[i].Target(nil)
		for _, z := range zones {
			if target.In(z.Name) && (found[i] == nil || len(z.Name) > len(found[i].Name)) {
				found[i] = z
			}
		}
		if found[i] == nil {
			t.Fatalf("no zone for %v", target)
		}
	}
	return parts, testValidator().Validate(r, parts, found)
}

func TestValidateAliases(t *testing.T) {
	org, com := newSigner(t, "example.org.", ED25519, 256), newSigner(t, "example.com.", ED25519, 256)
	zones := []*Zone{org.link(t), com.link(t), {Name: dnametest.Name("example.net."), Result: Result{Insecure, ReasonInsecureDelegation}}}
	join := func(sets ...[]dns.RR) (all []dns.RR) {
		for _, s := range sets {
			all = append(all, s...)
		}
		return all
	}
	unsigned := func(text string) []dns.RR { return records(t, text) }
	const orgSOA = "example.org. SOA ns.example.org. h.example.org. 1 1 1 1 300\n"
	for _, c := range []struct {
		name              string
		qname             string
		qtype             uint16
		rcode             int
		answer, authority []dns.RR
		complete          bool
		parts             int
		last              Kind
		want              Result
	}{
		{name: "across signed zones", qname: "a.example.org.", qtype: dns.TypeA, parts: 2,
			answer: join(org.signed(t, "a.example.org. CNAME b.example.com."), com.signed(t, "b.example.com. A 192.0.2.1")),
			want:   Result{Status: Secure}},
		{name: "in any order", qname: "a.example.org.", qtype: dns.TypeA, parts: 2,
			answer: join(com.signed(t, "b.example.com. A 192.0.2.1"), org.signed(t, "a.example.org. CNAME b.example.com.")),
			want:   Result{Status: Secure}},
		{name: "into an unsigned zone", qname: "a.example.org.", qtype: dns.TypeA, parts: 2,
			answer: join(org.signed(t, "a.example.org. CNAME b.example.net."), unsigned("b.example.net. A 192.0.2.1")),
			want:   Result{Insecure, ReasonInsecureDelegation}},
		{name: "unsigned in a signed zone", qname: "a.example.org.", qtype: dns.TypeA, parts: 2,
			answer: join(unsigned("a.example.org. CNAME b.example.com."), com.signed(t, "b.example.com. A 192.0.2.1")),
			want:   Result{Bogus, ReasonUnsigned}},
		{name: "to an unsigned answer of a signed zone", qname: "a.example.org.", qtype: dns.TypeA, parts: 2,
			answer: join(org.signed(t, "a.example.org. CNAME b.example.com."), unsigned("b.example.com. A 192.0.2.1")),
			want:   Result{Bogus, ReasonUnsigned}},
		{name: "that end elsewhere", qname: "a.example.org.", qtype: dns.TypeA, parts: 1, last: Alias,
			answer: org.signed(t, "a.example.org. CNAME b.example.com."), want: Result{Status: Secure}},
		{name: "that end with NODATA", qname: "a.example.org.", qtype: dns.TypeA, parts: 2, last: AliasEnd,
			answer:    org.signed(t, "a.example.org. CNAME b.example.org."),
			authority: org.signed(t, orgSOA+"b.example.org. NSEC c.example.org. MX RRSIG NSEC"), want: Result{Status: Secure}},
		{name: "that end with NXDOMAIN", qname: "a.example.org.", qtype: dns.TypeA, rcode: dns.RcodeNameError, parts: 2, last: AliasEnd,
			answer:    org.signed(t, "a.example.org. CNAME b.example.org."),
			authority: org.signed(t, orgSOA+"example.org. NSEC a.example.org. SOA NS RRSIG NSEC\na.example.org. NSEC c.example.org. CNAME RRSIG NSEC"), want: Result{Status: Secure}},
		{name: "that end without proof", qname: "a.example.org.", qtype: dns.TypeA, parts: 2, last: AliasEnd,
			answer: org.signed(t, "a.example.org. CNAME b.example.org."), authority: org.signed(t, orgSOA), want: Result{Bogus, ReasonNoDenial}},
		{name: "that end with nothing", qname: "a.example.org.", qtype: dns.TypeA, parts: 2, last: AliasEnd, complete: true,
			answer: org.signed(t, "a.example.org. CNAME b.example.org."), want: Result{Bogus, ReasonUnsigned}},
		{name: "in a circle", qname: "a.example.org.", qtype: dns.TypeA, parts: 2, last: Alias,
			answer: org.signed(t, "a.example.org. CNAME b.example.org.\nb.example.org. CNAME a.example.org."), want: Result{Status: Secure}},
		{name: "asked for", qname: "a.example.org.", qtype: dns.TypeCNAME, parts: 1, last: Positive,
			answer: org.signed(t, "a.example.org. CNAME b.example.org."), want: Result{Status: Secure}},
		{name: "with two targets", qname: "a.example.org.", qtype: dns.TypeA, parts: 1, last: Alias,
			answer: org.signed(t, "a.example.org. CNAME b.example.org.\na.example.org. CNAME c.example.org."), want: Result{Status: Secure}},
		{name: "made from a DNAME", qname: "x.d.example.org.", qtype: dns.TypeA, parts: 2,
			answer: join(org.signed(t, "D.example.org. DNAME example.com."), unsigned("x.d.example.org. CNAME X.example.com."), com.signed(t, "x.example.com. A 192.0.2.1")),
			want:   Result{Status: Secure}},
		{name: "left to be made from a DNAME", qname: "x.d.example.org.", qtype: dns.TypeA, parts: 2,
			answer: join(org.signed(t, "d.example.org. DNAME example.com."), com.signed(t, "x.example.com. A 192.0.2.1")),
			want:   Result{Status: Secure}},
		{name: "that a DNAME does not make", qname: "x.d.example.org.", qtype: dns.TypeA, parts: 2,
			answer: join(org.signed(t, "d.example.org. DNAME example.com."), unsigned("x.d.example.org. CNAME y.example.com."), com.signed(t, "y.example.com. A 192.0.2.1")),
			want:   Result{Bogus, ReasonDNAMETarget}},
		{name: "made from an unsigned DNAME", qname: "x.d.example.org.", qtype: dns.TypeA, parts: 2,
			answer: join(unsigned("d.example.org. DNAME example.com.\nx.d.example.org. CNAME x.example.com."), com.signed(t, "x.example.com. A 192.0.2.1")),
			want:   Result{Bogus, ReasonUnsigned}},
		{name: "made from a DNAME and asked for", qname: "x.d.example.org.", qtype: dns.TypeCNAME, parts: 1, last: Positive,
			answer: join(org.signed(t, "d.example.org. DNAME example.com."), unsigned("x.d.example.org. CNAME x.example.com.")),
			want:   Result{Status: Secure}},
		{name: "at the DNAME itself", qname: "d.example.org.", qtype: dns.TypeDNAME, parts: 1, last: Positive,
			answer: org.signed(t, "d.example.org. DNAME example.com."), want: Result{Status: Secure}},
		{name: "below the DNAME that is asked for", qname: "x.d.example.org.", qtype: dns.TypeDNAME, parts: 1, last: Alias,
			answer: join(org.signed(t, "d.example.org. DNAME example.com."), unsigned("x.d.example.org. CNAME x.example.com.")), want: Result{Status: Secure}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := respond(t, c.qname, c.qtype, c.rcode, c.answer, c.authority)
			r.Complete = c.complete
			parts, verdict := check(t, r, zones...)
			if len(parts) != c.parts || parts[len(parts)-1].Kind != c.last {
				t.Errorf("parts %v, want %d that end with %v", parts, c.parts, c.last)
			}
			if verdict.Result != c.want {
				t.Errorf("Validate = %v, want %v", verdict.Result, c.want)
			}
		})
	}
}

func TestValidateWildcardAlias(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	zone := s.link(t)
	rrs := s.signed(t, "*.w.example.org. CNAME www.example.net.")
	for _, rr := range rrs {
		rr.Header().Name = "x.w.example.org."
	}
	denial := s.signed(t, "*.w.example.org. NSEC z.example.org. CNAME RRSIG NSEC")
	r := respond(t, "x.w.example.org.", dns.TypeA, 0, rrs, denial)
	parts, verdict := check(t, r, zone)
	if len(parts) != 1 || verdict.Status != Secure || !r.Sets[0].Expanded() {
		t.Errorf("parts %v, verdict %v", parts, verdict)
	}
	_, verdict = check(t, respond(t, "x.w.example.org.", dns.TypeA, 0, rrs, nil), zone)
	if verdict.Result != (Result{Bogus, ReasonWildcardUnproven}) && verdict.Result != (Result{Bogus, ReasonNoDenial}) {
		t.Errorf("without proof: %v", verdict)
	}
	// The span shows a closer encloser than the wildcard's.
	denial = s.signed(t, "*.w.example.org. NSEC a.x.w.example.org. CNAME RRSIG NSEC")
	if _, verdict = check(t, respond(t, "x.w.example.org.", dns.TypeA, 0, rrs, denial), zone); verdict.Status != Bogus {
		t.Errorf("with the proof that the name exists: %v", verdict)
	}
}

func TestValidateWrongRcode(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	zone := s.link(t)
	const soa = "example.org. SOA ns.example.org. h.example.org. 1 1 1 1 300\n"
	// NXDOMAIN for an empty non-terminal, as some servers say.
	ent := s.signed(t, soa+"example.org. NSEC a.ent.example.org. SOA NS RRSIG NSEC")
	_, verdict := check(t, respond(t, "ent.example.org.", dns.TypeA, dns.RcodeNameError, nil, ent), zone)
	if verdict.Status != Secure || verdict.Rcode != wire.RcodeNoError {
		t.Errorf("empty non-terminal with NXDOMAIN: %v, %v", verdict.Result, verdict.Rcode)
	}
	// NOERROR for a name that does not exist.
	nx := s.signed(t, soa+"example.org. NSEC example.org. SOA NS RRSIG NSEC")
	_, verdict = check(t, respond(t, "nx.example.org.", dns.TypeA, 0, nil, nx), zone)
	if verdict.Status != Bogus {
		t.Errorf("name error with NOERROR: %v", verdict.Result)
	}
}

func TestValidateMarksSets(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	answer := s.signed(t, "www.example.org. A 192.0.2.1")
	authority := append(s.signed(t, "example.org. NS ns.example.org."), records(t, "www.example.org. TXT spurious")...)
	r := respond(t, "www.example.org.", dns.TypeA, 0, append(answer, records(t, "x.example.org. A 192.0.2.2")...), authority)
	if _, verdict := check(t, r, s.link(t)); verdict.Status != Secure {
		t.Fatalf("Validate = %v", verdict)
	}
	want := map[wire.Type]Status{wire.TypeA: Secure, wire.TypeNS: Secure, wire.TypeTXT: Unchecked}
	for i := range r.Sets {
		s := &r.Sets[i]
		w := want[s.Type]
		if s.Owner.String() == "x.example.org." {
			w = Unchecked
		}
		if s.Status != w {
			t.Errorf("%v %v is %v, want %v", s.Owner, s.Type, s.Status, w)
		}
	}
	// What is not needed may fail.
	for i := range r.Sets {
		r.Sets[i].Result = Result{}
		if r.Sets[i].Type == wire.TypeNS {
			r.Sets[i].Sigs[0][25] ^= 1
		}
	}
	if _, verdict := check(t, r, s.link(t)); verdict.Status != Secure {
		t.Errorf("with a bad NS RRset: %v", verdict)
	}
}

func TestValidateOthers(t *testing.T) {
	s := newSigner(t, "example.org.", ED25519, 256)
	zone := s.link(t)
	www := s.signed(t, "www.example.org. A 192.0.2.1\nwww.example.org. AAAA 2001:db8::1")
	if _, v := check(t, respond(t, "www.example.org.", dns.TypeANY, 0, www, nil), zone); v.Status != Secure {
		t.Errorf("ANY: %v", v)
	}
	if _, v := check(t, respond(t, "www.example.org.", dns.TypeANY, 0, append(www[:2:2], records(t, "www.example.org. TXT x")...), nil), zone); v.Result != (Result{Bogus, ReasonUnsigned}) {
		t.Errorf("ANY with an unsigned RRset: %v", v)
	}
	if _, v := check(t, respond(t, "www.example.org.", dns.TypeRRSIG, 0, www[1:2], nil), zone); v.Result != (Result{Insecure, ReasonSignatureQuery}) {
		t.Errorf("RRSIG: %v", v)
	}
	if parts, v := check(t, respond(t, "www.example.org.", dns.TypeA, dns.RcodeRefused, nil, nil), zone); v.Status != Indeterminate || parts[0].Kind != Unvalidatable {
		t.Errorf("REFUSED: %v %v", parts, v)
	}
	if _, v := check(t, respond(t, "www.example.org.", dns.TypeA, 0, nil, nil), zone); v.Result != (Result{Bogus, ReasonUnsigned}) {
		t.Errorf("an empty response: %v", v)
	}
	for _, status := range []Result{{Insecure, ReasonOptOut}, {Bogus, ReasonNoDSMatch}, {Indeterminate, ReasonNoAnchor}} {
		r := respond(t, "www.example.org.", dns.TypeA, 0, www[:2], nil)
		if _, v := check(t, r, &Zone{Name: zone.Name, Result: status}); v.Result != status || r.Sets[0].Result != status {
			t.Errorf("in a zone that is %v: %v", status, v)
		}
	}
	if v := testValidator().Validate(&Response{}, nil, nil); v.Status != Indeterminate {
		t.Errorf("no parts: %v", v)
	}
}

func TestReasons(t *testing.T) {
	seen := map[string]bool{}
	for r := ReasonNone; r < reasonCount; r++ {
		if text := r.String(); text == "" || seen[text] {
			t.Errorf("reason %d has the text %q", r, text)
		} else {
			seen[text] = true
		}
	}
	for r, want := range map[Reason]wire.EDE{
		ReasonUnsupportedAlgorithm: 1, ReasonUnsupportedDigest: 2, ReasonNoAnchor: 5, ReasonInvalid: 6, ReasonExpired: 7,
		ReasonNotYetValid: 8, ReasonNoKey: 9, ReasonNoDSMatch: 9, ReasonUnsigned: 10, ReasonNoZoneKeyBit: 11,
		ReasonNoDenial: 12, ReasonNSEC3Iterations: 27,
	} {
		if got, ok := r.EDE(); got != want || !ok {
			t.Errorf("%v: extended error %d, want %d", r, got, want)
		}
	}
	if _, ok := ReasonOptOut.EDE(); ok {
		t.Error("an opt-out span is no error")
	}
}
