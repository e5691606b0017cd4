package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// zoneFile writes a master file and returns the [[zone]] table for it.
func zoneFile(t *testing.T, origin, text string) string {
	t.Helper()
	return zoneTable(origin, writeFile(t, "zone", text))
}

func zoneTable(origin, path string) string {
	return fmt.Sprintf("\n[[zone]]\nname = %q\nfile = %q\n", origin, path)
}

// replaceZone puts a new version in the place of a master file at once, as editors and tools should.
func replaceZone(t *testing.T, path, text string) {
	t.Helper()
	next := filepath.Join(filepath.Dir(path), "next")
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

// authoritativeOnly turns recursion off.
const authoritativeOnly = "[recursion]\nenabled = false\n"

const orgZone = `$TTL 300
@           SOA   ns1 hostmaster 7 3600 600 86400 60
@           NS    ns1
@           NS    ns2.example.net.
ns1         A     192.0.2.53
ns1         AAAA  2001:db8::53
www     120 A     192.0.2.1
www     120 A     192.0.2.2
www         TXT   "hello"
a.b.c       A     192.0.2.3
*.w         A     192.0.2.9
*.w         TXT   "star"
x.w         MX    10 ns1
alias       CNAME www
alias2      CNAME www.example.net.
alias3      CNAME alias2
gone        CNAME nothing.example.net.
away        CNAME host.elsewhere.
loop1       CNAME loop2
loop2       CNAME loop1
*.cw        CNAME www
d           DNAME example.net.
d           A     192.0.2.10
below.d     A     192.0.2.99
sub         NS    ns.sub
sub         NS    ns.elsewhere.
sub         DS    12345 13 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
ns.sub      A     192.0.2.60
hidden.sub  A     192.0.2.99
kid         NS    ns1.kid
ns1.kid     A     192.0.2.61
mx          MX    10 ns1
svc         SRV   0 0 53 ns1
odd         TYPE65280 \# 4 DEADBEEF
`

const netZone = `$TTL 300
@    SOA ns2 hostmaster 9 3600 600 86400 3600
@    NS  ns2
ns2  A   192.0.2.54
www  A   192.0.2.20
deep.er CNAME www.kid.example.org.
`

// kidZone is a zone below orgZone on the same server.
const kidZone = `$TTL 300
@    SOA ns1 hostmaster 1 3600 600 86400 30
@    NS  ns1
ns1  A   192.0.2.61
www  A   192.0.2.70
`

const (
	orgSOA = "example.org. SOA ns1.example.org. hostmaster.example.org. 7 3600 600 86400 60"
	netSOA = "example.net. SOA ns2.example.net. hostmaster.example.net. 9 3600 600 86400 3600"
	kidSOA = "kid.example.org. SOA ns1.kid.example.org. hostmaster.kid.example.org. 1 3600 600 86400 30"
	orgDS  = "sub.example.org. DS 12345 13 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
	subNS  = "sub.example.org. NS ns.elsewhere.|sub.example.org. NS ns.sub.example.org."
)

// textOf returns the records of a section without TTL and class, in order of their text, separated by bars.
func textOf(section []dns.RR) string {
	var lines []string
	for _, rr := range section {
		if rr.Header().Rrtype == dns.TypeOPT {
			continue
		}
		f := strings.Fields(rr.String())
		lines = append(lines, strings.Join(append(f[:1:1], f[3:]...), " "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "|")
}

// zoneAnswer is what is expected for a name and type.
type zoneAnswer struct {
	name                          string
	qtype                         uint16
	rcode                         int
	aa                            bool
	answer, authority, additional string
}

// check compares a response with what is expected.
func (want *zoneAnswer) check(t *testing.T, r *dns.Msg) {
	t.Helper()
	answer, authority, additional := textOf(r.Answer), textOf(r.Ns), textOf(r.Extra)
	if r.Rcode != want.rcode || r.Authoritative != want.aa || r.Truncated || answer != want.answer || authority != want.authority || additional != want.additional {
		t.Errorf("%s %s: got %s, AA %v, TC %v\nanswer     %s\nauthority  %s\nadditional %s\nwant %s, AA %v\nanswer     %s\nauthority  %s\nadditional %s",
			want.name, dns.TypeToString[want.qtype], dns.RcodeToString[r.Rcode], r.Authoritative, r.Truncated, answer, authority, additional,
			dns.RcodeToString[want.rcode], want.aa, want.answer, want.authority, want.additional)
	}
}

var zoneAnswers = []zoneAnswer{
	// RFC 1034, section 4.3.2: exact matches, with the addresses of hosts that an answer names.
	{"www.example.org.", dns.TypeA, 0, true, "www.example.org. A 192.0.2.1|www.example.org. A 192.0.2.2", "", ""},
	{"www.example.org.", dns.TypeTXT, 0, true, `www.example.org. TXT "hello"`, "", ""},
	{"example.org.", dns.TypeSOA, 0, true, orgSOA, "", ""},
	{"example.org.", dns.TypeNS, 0, true, "example.org. NS ns1.example.org.|example.org. NS ns2.example.net.", "", "ns1.example.org. A 192.0.2.53|ns1.example.org. AAAA 2001:db8::53"},
	{"mx.example.org.", dns.TypeMX, 0, true, "mx.example.org. MX 10 ns1.example.org.", "", "ns1.example.org. A 192.0.2.53|ns1.example.org. AAAA 2001:db8::53"},
	{"svc.example.org.", dns.TypeSRV, 0, true, "svc.example.org. SRV 0 0 53 ns1.example.org.", "", "ns1.example.org. A 192.0.2.53|ns1.example.org. AAAA 2001:db8::53"},
	{"odd.example.org.", 65280, 0, true, `odd.example.org. TYPE65280 \# 4 deadbeef`, "", ""},
	// RFC 2308: NODATA, also at empty non-terminals, and NXDOMAIN.
	{"www.example.org.", dns.TypeAAAA, 0, true, "", orgSOA, ""},
	{"b.c.example.org.", dns.TypeA, 0, true, "", orgSOA, ""},
	{"c.example.org.", dns.TypeTXT, 0, true, "", orgSOA, ""},
	{"w.example.org.", dns.TypeA, 0, true, "", orgSOA, ""},
	{"example.org.", dns.TypeDS, 0, true, "", orgSOA, ""},
	{"nothing.example.org.", dns.TypeA, dns.RcodeNameError, true, "", orgSOA, ""},
	{"x.a.b.c.example.org.", dns.TypeA, dns.RcodeNameError, true, "", orgSOA, ""},
	// RFC 4592: wildcards, also for several labels; not beside or below names that exist.
	{"1.w.example.org.", dns.TypeA, 0, true, "1.w.example.org. A 192.0.2.9", "", ""},
	{"3.2.1.w.example.org.", dns.TypeTXT, 0, true, `3.2.1.w.example.org. TXT "star"`, "", ""},
	{"*.w.example.org.", dns.TypeA, 0, true, "*.w.example.org. A 192.0.2.9", "", ""},
	{"1.*.w.example.org.", dns.TypeA, dns.RcodeNameError, true, "", orgSOA, ""},
	{"1.w.example.org.", dns.TypeMX, 0, true, "", orgSOA, ""},
	{"x.w.example.org.", dns.TypeA, 0, true, "", orgSOA, ""},
	{"y.x.w.example.org.", dns.TypeA, dns.RcodeNameError, true, "", orgSOA, ""},
	{"1.cw.example.org.", dns.TypeTXT, 0, true, `1.cw.example.org. CNAME www.example.org.|www.example.org. TXT "hello"`, "", ""},
	// RFC 1034, section 3.6.2: aliases, through all zones that are served here.
	{"alias.example.org.", dns.TypeTXT, 0, true, `alias.example.org. CNAME www.example.org.|www.example.org. TXT "hello"`, "", ""},
	{"alias.example.org.", dns.TypeCNAME, 0, true, "alias.example.org. CNAME www.example.org.", "", ""},
	{"alias.example.org.", dns.TypeAAAA, 0, true, "alias.example.org. CNAME www.example.org.", orgSOA, ""},
	{"alias3.example.org.", dns.TypeA, 0, true, "alias2.example.org. CNAME www.example.net.|alias3.example.org. CNAME alias2.example.org.|www.example.net. A 192.0.2.20", "", ""},
	{"deep.er.example.net.", dns.TypeA, 0, true, "deep.er.example.net. CNAME www.kid.example.org.|www.kid.example.org. A 192.0.2.70", "", ""},
	{"gone.example.org.", dns.TypeA, dns.RcodeNameError, true, "gone.example.org. CNAME nothing.example.net.", netSOA, ""},
	{"away.example.org.", dns.TypeA, 0, true, "away.example.org. CNAME host.elsewhere.", "", ""},
	// RFC 6672: DNAME redirects what is below its owner, whatever the zone holds there.
	{"www.d.example.org.", dns.TypeA, 0, true, "d.example.org. DNAME example.net.|www.d.example.org. CNAME www.example.net.|www.example.net. A 192.0.2.20", "", ""},
	{"below.d.example.org.", dns.TypeA, dns.RcodeNameError, true, "below.d.example.org. CNAME below.example.net.|d.example.org. DNAME example.net.", netSOA, ""},
	{"d.example.org.", dns.TypeA, 0, true, "d.example.org. A 192.0.2.10", "", ""},
	{"d.example.org.", dns.TypeDNAME, 0, true, "d.example.org. DNAME example.net.", "", ""},
	// RFC 1034, section 4.2.1: delegations with glue; what lies below a cut is not ours.
	{"sub.example.org.", dns.TypeA, 0, false, "", subNS, "ns.sub.example.org. A 192.0.2.60"},
	{"sub.example.org.", dns.TypeNS, 0, false, "", subNS, "ns.sub.example.org. A 192.0.2.60"},
	{"a.b.sub.example.org.", dns.TypeANY, 0, false, "", subNS, "ns.sub.example.org. A 192.0.2.60"},
	{"ns.sub.example.org.", dns.TypeA, 0, false, "", subNS, "ns.sub.example.org. A 192.0.2.60"},
	{"hidden.sub.example.org.", dns.TypeA, 0, false, "", subNS, "ns.sub.example.org. A 192.0.2.60"},
	// RFC 4035, section 3.1.4.1: DS records are the parent's.
	{"sub.example.org.", dns.TypeDS, 0, true, orgDS, "", ""},
	// A zone below a zone: the child answers, but for its DS.
	{"www.kid.example.org.", dns.TypeA, 0, true, "www.kid.example.org. A 192.0.2.70", "", ""},
	{"kid.example.org.", dns.TypeNS, 0, true, "kid.example.org. NS ns1.kid.example.org.", "", "ns1.kid.example.org. A 192.0.2.61"},
	{"nothing.kid.example.org.", dns.TypeA, dns.RcodeNameError, true, "", kidSOA, ""},
	{"kid.example.org.", dns.TypeDS, 0, true, "", orgSOA, ""},
	// Outside.
	{"example.com.", dns.TypeA, dns.RcodeRefused, false, "", "", ""},
	{"org.", dns.TypeSOA, dns.RcodeRefused, false, "", "", ""},
	{"xexample.org.", dns.TypeA, dns.RcodeRefused, false, "", "", ""},
	{"example.org.", dns.TypeAXFR, dns.RcodeRefused, false, "", "", ""},
}

func allZones(t *testing.T) string {
	return zoneFile(t, "example.org.", orgZone) + zoneFile(t, "Example.NET", netZone) + zoneFile(t, "kid.example.org.", kidZone)
}

// The answers of RFC 1034, section 4.3.2, over UDP and TCP, without EDNS and with it.
func TestZoneAnswers(t *testing.T) {
	t.Parallel()
	d := start(t, authoritativeOnly+allZones(t))
	for _, want := range zoneAnswers {
		want.check(t, d.ask(want.name, want.qtype))
		if want.qtype != dns.TypeAXFR { // the client takes it for a transfer
			want.check(t, d.exchange(question(want.name, want.qtype), "tcp"))
		}
		q := question(want.name, want.qtype)
		q.SetEdns0(1232, true)
		r := d.exchange(q, "udp")
		want.check(t, r)
		if opt := r.IsEdns0(); opt == nil || !opt.Do() || opt.Version() != 0 {
			t.Errorf("%s: OPT %v", want.name, opt)
		}
	}
}

// TTLs are those of the file; a negative one is the SOA's minimum (RFC 2308, section 5).
func TestZoneTTLs(t *testing.T) {
	t.Parallel()
	d := start(t, authoritativeOnly+allZones(t))
	for range 2 { // they do not count down
		if r := d.ask("www.example.org", dns.TypeA); r.Answer[0].Header().Ttl != 120 || r.Answer[1].Header().Ttl != 120 {
			t.Errorf("answer: %v", r.Answer)
		}
		if r := d.ask("nothing.example.org", dns.TypeA); r.Ns[0].Header().Ttl != 60 {
			t.Errorf("negative, minimum 60: %v", r.Ns)
		}
		if r := d.ask("nothing.example.net", dns.TypeA); r.Ns[0].Header().Ttl != 300 {
			t.Errorf("negative, minimum 3600, TTL 300: %v", r.Ns)
		}
		if r := d.ask("example.org", dns.TypeSOA); r.Answer[0].Header().Ttl != 300 {
			t.Errorf("SOA: %v", r.Answer)
		}
		if r := d.ask("www.d.example.org", dns.TypeA); len(r.Answer) != 3 || r.Answer[0].Header().Rrtype != dns.TypeDNAME || r.Answer[1].Header().Ttl != 300 {
			t.Errorf("DNAME: %v", r.Answer)
		}
	}
}

// Aliases come in the order in which they are followed.
func TestZoneAliasOrder(t *testing.T) {
	t.Parallel()
	d := start(t, authoritativeOnly+allZones(t))
	r := d.ask("alias3.example.org", dns.TypeA)
	var names []string
	for _, rr := range r.Answer {
		names = append(names, rr.Header().Name)
	}
	if want := []string{"alias3.example.org.", "alias2.example.org.", "www.example.net."}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

// ANY gets one RRset (RFC 8482, section 4.1), whatever server.minimal_any says.
func TestZoneANY(t *testing.T) {
	t.Parallel()
	zones := allZones(t)
	for _, minimal := range []string{"", "[server]\nminimal_any = true\n"} {
		testZoneANY(t, start(t, minimal+authoritativeOnly+zones))
	}
}

func testZoneANY(t *testing.T, d *daemon) {
	t.Helper()
	for _, name := range []string{"www.example.org.", "example.org.", "1.w.example.org.", "alias.example.org.", "d.example.org."} {
		r := d.ask(name, dns.TypeANY)
		if r.Rcode != dns.RcodeSuccess || !r.Authoritative || len(r.Answer) == 0 {
			t.Errorf("%s: %v", name, r)
			continue
		}
		for _, rr := range r.Answer {
			if h := rr.Header(); h.Name != name || h.Rrtype != r.Answer[0].Header().Rrtype {
				t.Errorf("%s: not one RRset: %v", name, r.Answer)
			}
		}
		// The RRset is whole.
		if whole := d.ask(name, r.Answer[0].Header().Rrtype); textOf(whole.Answer) != textOf(r.Answer) {
			t.Errorf("%s: %v of %v", name, r.Answer, whole.Answer)
		}
	}
	(&zoneAnswer{"b.c.example.org.", dns.TypeANY, 0, true, "", orgSOA, ""}).check(t, d.ask("b.c.example.org.", dns.TypeANY))
	(&zoneAnswer{"no.example.org.", dns.TypeANY, dns.RcodeNameError, true, "", orgSOA, ""}).check(t, d.ask("no.example.org.", dns.TypeANY))
}

// The question keeps the client's letter case, and so do owners that are the qname.
func TestZoneLetterCase(t *testing.T) {
	t.Parallel()
	d := start(t, authoritativeOnly+allZones(t))
	for _, name := range []string{"wWw.eXample.ORG.", "ANY.w.Example.org.", "ALIAS.example.org.", "www.D.example.org.", "NOTHING.example.org."} {
		r := d.ask(name, dns.TypeA)
		if r.Question[0].Name != name || !r.Authoritative {
			t.Errorf("%s: %v", name, r)
		}
		owned := slices.ContainsFunc(r.Answer, func(rr dns.RR) bool { return rr.Header().Name == name })
		if len(r.Answer) > 0 && !owned {
			t.Errorf("%s owns none of %v", name, r.Answer)
		}
	}
}

// Other classes and opcodes are not ours.
func TestZoneOtherClassesAndOpcodes(t *testing.T) {
	t.Parallel()
	d := start(t, authoritativeOnly+allZones(t))
	q := question("www.example.org", dns.TypeA)
	q.Question[0].Qclass = dns.ClassHESIOD
	if r := d.exchange(q, "udp"); r.Rcode != dns.RcodeRefused || len(r.Answer)+len(r.Ns) > 0 {
		t.Errorf("class HS: %v", r)
	}
	for _, opcode := range []int{dns.OpcodeNotify, dns.OpcodeUpdate, dns.OpcodeStatus} {
		q := question("www.example.org", dns.TypeSOA)
		q.Opcode = opcode
		if r := d.exchange(q, "udp"); r.Rcode != dns.RcodeNotImplemented || r.Opcode != opcode || len(r.Answer) > 0 {
			t.Errorf("opcode %d: %v", opcode, r)
		}
	}
}
