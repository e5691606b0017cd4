package dnssec

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// pick returns the RRsets of the zone text that wanted lists as "owner TYPE", with their signatures.
func pick(t testing.TB, zone, wanted string) string {
	t.Helper()
	var text strings.Builder
	for _, want := range strings.Split(wanted, ",") {
		fields := strings.Fields(want)
		if len(fields) == 0 {
			continue
		}
		found := false
		for _, line := range strings.Split(zone, "\n") {
			f := strings.Fields(line)
			if len(f) > 2 && f[0] == fields[0] && (f[1] == fields[1] || f[1] == "RRSIG" && f[2] == fields[1]) {
				text.WriteString(line + "\n")
				found = true
			}
		}
		if !found {
			t.Fatalf("the zone has no %s", want)
		}
	}
	return text.String()
}

// example is a response of an RFC's appendix B.
type example struct {
	name, qname       string
	qtype             uint16
	rcode             int
	answer, authority string
	kind              Kind
	want              Result
	// needed are the RRsets of the authority section without which the response is bogus.
	needed string
}

var rfc4035Examples = []example{
	{name: "apex", qname: "example.", qtype: dns.TypeMX, answer: "example. MX", authority: "example. NS",
		kind: Positive, want: Result{Status: Secure}},
	{name: "B.2 name error", qname: "ml.example.", qtype: dns.TypeA, rcode: dns.RcodeNameError,
		authority: "example. SOA,b.example. NSEC,example. NSEC",
		kind:      NameError, want: Result{Status: Secure}, needed: "b.example. NSEC,example. NSEC"},
	{name: "B.3 no data", qname: "ns1.example.", qtype: dns.TypeMX, authority: "example. SOA,ns1.example. NSEC",
		kind: NoData, want: Result{Status: Secure}, needed: "ns1.example. NSEC"},
	{name: "B.6 wildcard expansion", qname: "a.z.w.example.", qtype: dns.TypeMX, answer: "a.z.w.example. MX",
		authority: "example. NS,x.y.w.example. NSEC",
		kind:      Positive, want: Result{Status: Secure}, needed: "x.y.w.example. NSEC"},
	{name: "B.7 wildcard no data", qname: "a.z.w.example.", qtype: dns.TypeAAAA,
		authority: "example. SOA,x.y.w.example. NSEC,*.w.example. NSEC",
		kind:      NoData, want: Result{Status: Secure}, needed: "x.y.w.example. NSEC,*.w.example. NSEC"},
	{name: "name below an unsigned delegation", qname: "mc.b.example.", qtype: dns.TypeMX, rcode: dns.RcodeNameError,
		authority: "example. SOA,b.example. NSEC",
		kind:      NameError, want: Result{Insecure, ReasonInsecureDelegation}, needed: "b.example. NSEC"},
	{name: "type of the child at an unsigned delegation", qname: "b.example.", qtype: dns.TypeMX,
		authority: "example. SOA,b.example. NSEC",
		kind:      NoData, want: Result{Insecure, ReasonInsecureDelegation}, needed: "b.example. NSEC"},
	{name: "type that exists", qname: "ns1.example.", qtype: dns.TypeA, authority: "example. SOA,ns1.example. NSEC",
		kind: NoData, want: Result{Bogus, ReasonTypeExists}},
	{name: "name that exists", qname: "ns1.example.", qtype: dns.TypeA, rcode: dns.RcodeNameError,
		authority: "example. SOA,ns1.example. NSEC", kind: NameError, want: Result{Bogus, ReasonDenialFails}},
}

var rfc5155Examples = []example{
	{name: "B.1 name error", qname: "a.c.x.w.example.", qtype: dns.TypeA, rcode: dns.RcodeNameError,
		authority: "example. SOA,0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3,b4um86eghhds6nea196smvmlo4ors995.example. NSEC3,35mthgpgcu1qg68fab165klnsnk3dpvl.example. NSEC3",
		// All spans of the zone are opt-out.
		kind: NameError, want: Result{Insecure, ReasonOptOut},
		needed: "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3,b4um86eghhds6nea196smvmlo4ors995.example. NSEC3,35mthgpgcu1qg68fab165klnsnk3dpvl.example. NSEC3"},
	{name: "B.2 no data", qname: "ns1.example.", qtype: dns.TypeMX,
		authority: "example. SOA,2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. NSEC3",
		kind:      NoData, want: Result{Status: Secure}, needed: "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. NSEC3"},
	{name: "B.2.1 no data, empty non-terminal", qname: "y.w.example.", qtype: dns.TypeA,
		authority: "example. SOA,ji6neoaepv8b5o6k4ev33abha8ht9fgc.example. NSEC3",
		kind:      NoData, want: Result{Status: Secure}, needed: "ji6neoaepv8b5o6k4ev33abha8ht9fgc.example. NSEC3"},
	{name: "B.4 wildcard expansion", qname: "a.z.w.example.", qtype: dns.TypeMX, answer: "a.z.w.example. MX",
		authority: "example. NS,q04jkcevqvmu85r014c7dkba38o0ji5r.example. NSEC3",
		kind:      Positive, want: Result{Insecure, ReasonOptOut}, needed: "q04jkcevqvmu85r014c7dkba38o0ji5r.example. NSEC3"},
	{name: "B.5 wildcard no data", qname: "a.z.w.example.", qtype: dns.TypeAAAA,
		authority: "example. SOA,k8udemvp1j2f7eg6jebps17vp3n8i58h.example. NSEC3,q04jkcevqvmu85r014c7dkba38o0ji5r.example. NSEC3,r53bq7cc2uvmubfu5ocmm6pers9tk9en.example. NSEC3",
		kind:      NoData, want: Result{Insecure, ReasonOptOut},
		// Without the wildcard's record the name may be an unsigned delegation.
		needed: "k8udemvp1j2f7eg6jebps17vp3n8i58h.example. NSEC3,q04jkcevqvmu85r014c7dkba38o0ji5r.example. NSEC3"},
	{name: "the wildcard itself", qname: "*.w.example.", qtype: dns.TypeMX, answer: "*.w.example. MX",
		kind: Positive, want: Result{Status: Secure}},
	{name: "NSEC3 owner asked for", qname: "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.", qtype: dns.TypeNSEC3, rcode: dns.RcodeNameError,
		authority: "example. SOA,0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3,q04jkcevqvmu85r014c7dkba38o0ji5r.example. NSEC3,gjeqe526plbf1g8mklp59enfd789njgi.example. NSEC3",
		kind:      NameError, want: Result{Insecure, ReasonOptOut}},
	{name: "DS inside the zone", qname: "ai.example.", qtype: dns.TypeDS,
		authority: "example. SOA,gjeqe526plbf1g8mklp59enfd789njgi.example. NSEC3",
		kind:      NoData, want: Result{Status: Secure}, needed: "gjeqe526plbf1g8mklp59enfd789njgi.example. NSEC3"},
	{name: "DS in an opt-out span", qname: "c.example.", qtype: dns.TypeDS,
		authority: "example. SOA,0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3,35mthgpgcu1qg68fab165klnsnk3dpvl.example. NSEC3",
		kind:      NoData, want: Result{Insecure, ReasonOptOut},
		needed: "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3,35mthgpgcu1qg68fab165klnsnk3dpvl.example. NSEC3"},
}

func TestRFC4035AppendixB(t *testing.T) {
	testExamples(t, rfc4035Zone, "20040501000000", rfc4035Examples)
}
func TestRFC5155AppendixB(t *testing.T) {
	testExamples(t, rfc5155Zone, "20120420235959", rfc5155Examples)
}

// exampleZone validates the zone's keys by the DS record of its KSK.
func exampleZone(t *testing.T, zone, time string) (*Validator, *Zone) {
	t.Helper()
	v := validator(t, time)
	set := rrset(t, records(t, pick(t, zone, "example. DNSKEY")))
	ds, _ := MakeDS(set.Owner, set.Data[1], DigestSHA256)
	z := v.ValidateKeys(set.Owner, set, []DS{ds}, 3600)
	if z.Status != Secure || len(z.Keys.keys) != 2 {
		t.Fatalf("ValidateKeys = %v", z)
	}
	return v, z
}

func testExamples(t *testing.T, zone, time string, examples []example) {
	for _, x := range examples {
		t.Run(x.name, func(t *testing.T) {
			v, z := exampleZone(t, zone, time)
			validate := func(without string) (Part, Verdict, *Response) {
				authority := slices.DeleteFunc(strings.Split(x.authority, ","), func(s string) bool { return s == without })
				r := response(t, x.qname, x.qtype, x.rcode, pick(t, zone, x.answer), pick(t, zone, strings.Join(authority, ",")))
				parts := Plan(r)
				if len(parts) != 1 {
					t.Fatalf("Plan = %v, want one part", parts)
				}
				return parts[0], v.Validate(r, parts, []*Zone{z}), r
			}
			part, verdict, r := validate("")
			if part.Kind != x.kind || part.Target(nil).String() != "example." {
				t.Errorf("part is %v of %v, want %v of example.", part.Kind, part.Target(nil), x.kind)
			}
			if verdict.Result != x.want || verdict.Rcode != wire.Rcode(x.rcode) {
				t.Errorf("Validate = %v %v, want %v", verdict.Result, verdict.Rcode, x.want)
			}
			for i := range r.Sets {
				if s := &r.Sets[i]; s.Status != Secure && x.want.Status == Secure {
					t.Errorf("%v %v is %v, want secure", s.Owner, s.Type, s.Result)
				}
			}
			for _, needed := range strings.FieldsFunc(x.needed, func(r rune) bool { return r == ',' }) {
				if _, verdict, _ := validate(needed); verdict.Status != Bogus {
					t.Errorf("without %s: %v, want bogus", needed, verdict.Result)
				}
			}
		})
	}
}

func TestRFC4035Delegations(t *testing.T) {
	v, z := exampleZone(t, rfc4035Zone, "20040501000000")
	referral := func(authority string) *Response {
		return response(t, "mc.a.example.", dns.TypeMX, 0, "", pick(t, rfc4035Zone, authority))
	}
	r := referral("a.example. NS,a.example. DS")
	if parts := Plan(r); parts[0].Kind != Referral {
		t.Errorf("Plan = %v, want a referral", parts)
	}
	d := v.ValidateDelegation(r, dnametest.Name("A.example."), z)
	if d.Status != Secure || d.NoCut || len(d.DS) != 1 || d.DS[0].KeyTag != 57855 || d.Name.String() != "a.example." || d.TTL != 3600 {
		t.Errorf("B.4, referral to signed zone: %v", d)
	}
	r = response(t, "mc.b.example.", dns.TypeMX, 0, "", pick(t, rfc4035Zone, "b.example. NS,b.example. NSEC"))
	if d := v.ValidateDelegation(r, dnametest.Name("b.example."), z); d.Result != (Result{Insecure, ReasonInsecureDelegation}) {
		t.Errorf("B.5, referral to unsigned zone: %v", d)
	}
	if d := v.ValidateDelegation(referral("a.example. NS"), dnametest.Name("a.example."), z); d.Result != (Result{Bogus, ReasonNoDenial}) {
		t.Errorf("referral without DS or proof: %v", d)
	}
	// B.8: the child's own denial of its DS records.
	if d := v.ValidateDelegation(referral("example. SOA,example. NSEC"), dnametest.Name("example."), z); d.Status != Bogus {
		t.Errorf("B.8, DS of the child zone: %v", d)
	}
	r = response(t, "ns1.example.", dns.TypeDS, 0, "", pick(t, rfc4035Zone, "example. SOA,ns1.example. NSEC"))
	if d := v.ValidateDelegation(r, dnametest.Name("ns1.example."), z); d.Status != Secure || !d.NoCut {
		t.Errorf("DS of a host: %v", d)
	}
	r = response(t, "w.example.", dns.TypeDS, 0, "", pick(t, rfc4035Zone, "example. SOA,ns1.example. NSEC"))
	if d := v.ValidateDelegation(r, dnametest.Name("w.example."), z); d.Status != Bogus {
		t.Errorf("DS with the wrong NSEC record: %v", d)
	}
}

func TestRFC5155Delegations(t *testing.T) {
	v, z := exampleZone(t, rfc5155Zone, "20120420235959")
	const optOut = "35mthgpgcu1qg68fab165klnsnk3dpvl.example. NSEC3,0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3"
	r := response(t, "mc.c.example.", dns.TypeMX, 0, "", "c.example. NS ns1.c.example.\n"+pick(t, rfc5155Zone, optOut))
	if d := v.ValidateDelegation(r, dnametest.Name("c.example."), z); d.Result != (Result{Insecure, ReasonOptOut}) || d.TTL != 3600 {
		t.Errorf("B.3, referral to an opt-out unsigned zone: %v", d)
	}
	// The record at a.example says that there are DS records.
	if d := v.ValidateDelegation(r, dnametest.Name("a.example."), z); d.Result != (Result{Bogus, ReasonTypeExists}) {
		t.Errorf("denial of DS records that exist: %v", d)
	}
	if d := v.ValidateDelegation(r, dnametest.Name("x.a.example."), z); d.Status != Bogus {
		t.Errorf("denial below a signed delegation: %v", d)
	}
	// B.6: the child's own denial.
	if d := v.ValidateDelegation(r, dnametest.Name("example."), z); d.Status != Bogus {
		t.Errorf("B.6, DS of the child zone: %v", d)
	}
}
