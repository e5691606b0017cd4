package zone_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/wire"
	"heimdall/core/zone"
)

// summary is a response in one line: rcode, flags, and the sections as "owner type rdata".
func summary(m *dns.Msg) string {
	text := dns.RcodeToString[m.Rcode]
	if m.Authoritative {
		text += " aa"
	}
	if m.Truncated {
		text += " tc"
	}
	for i, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		text += " " + []string{"|", "/", "+"}[i]
		for _, rr := range section {
			h := rr.Header()
			text += fmt.Sprintf(" %s %s %s;", h.Name, dns.Type(h.Rrtype), strings.TrimPrefix(rr.String(), h.String()))
		}
	}
	return text
}

// RFC 4592, section 2.2.1.
const wildcardZone = `example. 3600 IN SOA ns.example.com. host.example. 1 2 3 4 60
example. 3600 NS ns.example.com.
example. 3600 NS ns.example.net.
*.example. 3600 TXT "this is a wildcard"
*.example. 3600 MX 10 host1.example.
sub.*.example. 3600 TXT "this is not a wildcard"
host1.example. 3600 A 192.0.2.1
_ssh._tcp.host1.example. 3600 SRV 0 0 22 host1.example.
_ssh._tcp.host2.example. 3600 SRV 0 0 22 host1.example.
subdel.example. 3600 NS ns.example.com.
subdel.example. 3600 NS ns.example.net.
`

const rootZone = `. 3600 IN SOA a.root. host.root. 1 2 3 4 60
. 3600 NS a.root.
a.root. 3600 A 192.0.2.53
tld. 3600 NS ns.tld.
ns.tld. 3600 A 192.0.2.1
alias. 3600 CNAME a.root.
`

func TestAppendReply(t *testing.T) {
	soa := "/ example. SOA ns.example.com. host.example. 1 2 3 4 60; +"
	root := "/ . SOA a.root. host.root. 1 2 3 4 60; +"
	parent := "t. 60 SOA a. b. 1 2 3 4 5\nt. 60 NS a.\nc.t. 60 NS ns.c.t.\nc.t. 60 DS 1 13 2 00\nns.c.t. 60 A 192.0.2.7\nup.t. 60 CNAME x.c.t.\n"
	child := "c.t. 60 SOA a. b. 1 2 3 4 5\nc.t. 60 NS ns.c.t.\nns.c.t. 60 A 192.0.2.7\nx.c.t. 60 A 192.0.2.8\nto.c.t. 60 CNAME c.t.\n"
	for _, c := range []struct {
		zones []string
		name  string
		qtype uint16
		want  string
	}{
		{[]string{wildcardZone}, "host3.example.", dns.TypeMX, "NOERROR aa | host3.example. MX 10 host1.example.; / + host1.example. A 192.0.2.1;"},
		{[]string{wildcardZone}, "host3.example.", dns.TypeA, "NOERROR aa | " + soa},
		{[]string{wildcardZone}, "foo.bar.example.", dns.TypeTXT, `NOERROR aa | foo.bar.example. TXT "this is a wildcard"; / +`},
		{[]string{wildcardZone}, "host1.example.", dns.TypeMX, "NOERROR aa | " + soa},
		{[]string{wildcardZone}, "sub.*.example.", dns.TypeMX, "NOERROR aa | " + soa},
		{[]string{wildcardZone}, "_telnet._tcp.host1.example.", dns.TypeSRV, "NXDOMAIN aa | " + soa},
		{[]string{wildcardZone}, "host.subdel.example.", dns.TypeA, "NOERROR | / subdel.example. NS ns.example.com.; subdel.example. NS ns.example.net.; +"},
		{[]string{wildcardZone}, "ghost.*.example.", dns.TypeMX, "NXDOMAIN aa | " + soa},
		{[]string{wildcardZone}, "HOST1.Example.", dns.TypeANY, "NOERROR aa | HOST1.Example. A 192.0.2.1; / +"},
		{[]string{wildcardZone}, "example.", dns.TypeAXFR, "REFUSED | / +"},

		{[]string{rootZone}, ".", dns.TypeNS, "NOERROR aa | . NS a.root.; / + a.root. A 192.0.2.53;"},
		{[]string{rootZone}, ".", dns.TypeSOA, "NOERROR aa | . SOA a.root. host.root. 1 2 3 4 60; / +"},
		{[]string{rootZone}, ".", dns.TypeA, "NOERROR aa | " + root},
		{[]string{rootZone}, "nowhere.", dns.TypeA, "NXDOMAIN aa | " + root},
		{[]string{rootZone}, "www.tld.", dns.TypeA, "NOERROR | / tld. NS ns.tld.; + ns.tld. A 192.0.2.1;"},
		{[]string{rootZone}, "alias.", dns.TypeA, "NOERROR aa | alias. CNAME a.root.; a.root. A 192.0.2.53; / +"},

		{[]string{parent}, "c.t.", dns.TypeA, "NOERROR | / c.t. NS ns.c.t.; + ns.c.t. A 192.0.2.7;"},
		{[]string{parent, child}, "x.c.t.", dns.TypeA, "NOERROR aa | x.c.t. A 192.0.2.8; / +"},
		{[]string{parent, child}, "c.t.", dns.TypeDS, "NOERROR aa | c.t. DS 1 13 2 00; / +"},
		{[]string{child}, "c.t.", dns.TypeDS, "NOERROR aa | / c.t. SOA a. b. 1 2 3 4 5; +"},
		{[]string{parent, child}, "up.t.", dns.TypeA, "NOERROR aa | up.t. CNAME x.c.t.; x.c.t. A 192.0.2.8; / +"},
		{[]string{parent, child}, "to.c.t.", dns.TypeDS, "NOERROR aa | to.c.t. CNAME c.t.; c.t. DS 1 13 2 00; / +"},
		{[]string{parent, child}, "other.", dns.TypeA, ""},
	} {
		m := ask(t, set(t, c.zones...), query(t, c.name, c.qtype, false), 65535)
		got := ""
		if m != nil {
			got = summary(m)
		}
		if got != c.want {
			t.Errorf("%s %s: got\n%s\nwant\n%s", c.name, dns.Type(c.qtype), got, c.want)
		}
	}
}

// RFC 2308, section 3: the TTL is that of the SOA record or its MINIMUM, whichever is less.
func TestNegativeTTL(t *testing.T) {
	for _, c := range []struct {
		ttl, minimum, want uint32
	}{{60, 300, 60}, {300, 60, 60}, {0, 60, 0}} {
		s := set(t, fmt.Sprintf("t. %d SOA a. b. 1 2 3 4 %d\nt. 60 NS a.\n", c.ttl, c.minimum))
		if m := ask(t, s, query(t, "x.t.", dns.TypeA, false), 512); m.Ns[0].Header().Ttl != c.want {
			t.Errorf("TTL %d, MINIMUM %d: got %d", c.ttl, c.minimum, m.Ns[0].Header().Ttl)
		}
	}
}

// RFC 2181, section 9, and RFC 9471: TC when the answer or glue below the cut does not fit, and not for other
// addresses.
func TestTruncation(t *testing.T) {
	text := "t. 60 SOA a. b. 1 2 3 4 5\nt. 60 NS a.\n"
	for i := range 40 {
		text += fmt.Sprintf("many.t. 60 A 192.0.2.%d\nfew.t. 60 MX 1 mx%d.t.\nmx%d.t. 60 AAAA 2001:db8::%d\n", i, i%10, i%10, i)
		text += fmt.Sprintf("cut.t. 60 NS ns%d.cut.t.\nns%d.cut.t. 60 AAAA 2001:db8::%d\n", i%12, i%12, i)
	}
	text += "sibling.t. 60 NS ns1.cut.t.\nsibling.t. 60 NS a.x.\n"
	s := set(t, text)
	for _, c := range []struct {
		name  string
		qtype uint16
		limit int
		tc    bool
	}{
		{"many.t.", dns.TypeA, 512, true}, {"many.t.", dns.TypeA, 700, false}, {"few.t.", dns.TypeMX, 512, false},
		{"x.cut.t.", dns.TypeA, 512, true}, {"x.cut.t.", dns.TypeA, 4096, false}, {"x.sibling.t.", dns.TypeA, 70, false},
	} {
		m := ask(t, s, query(t, c.name, c.qtype, false), c.limit)
		if m.Truncated != c.tc {
			t.Errorf("%s in %d octets: TC is %v", c.name, c.limit, m.Truncated)
		}
		if c.qtype == dns.TypeA && len(m.Answer) != 0 && len(m.Answer) != 40 {
			t.Errorf("%s: %d records of an RRset", c.name, len(m.Answer))
		}
	}
}

// Flags of the caller stay, but for those that say something about the answer.
func TestFlags(t *testing.T) {
	s := set(t, "t. 60 SOA a. b. 1 2 3 4 5\nt. 60 NS a.\nc.t. 60 NS a.\n")
	for _, name := range []string{"t.", "x.t.", "c.t."} {
		q := query(t, name, dns.TypeSOA, false)
		msg, rcode, _ := s.AppendReply(nil, q, 512, wire.FlagQR|wire.FlagRD|wire.FlagAA|wire.FlagTC|15)
		want := wire.FlagQR | wire.FlagRD | uint16(rcode)
		if name != "c.t." {
			want |= wire.FlagAA
		}
		if got := wire.Flags(msg); got != want {
			t.Errorf("%s: flags %04x, want %04x", name, got, want)
		}
	}
}

// FuzzAdd: records that no reader of text would let through are refused, or do no harm.
func FuzzAdd(f *testing.F) {
	f.Add([]byte("\x00\x01\x04\x7f\x00\x00\x01"), []byte("\x01a"))
	f.Add([]byte("\x00\x05\x03\x01a\x00\x00\x27\x03\x01b\x00"), []byte("\x01a"))
	f.Add([]byte("\x00\x2e\x15\x00\x01\x0d\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), []byte(""))
	f.Add([]byte("\x00\x32\x08\x01\x00\x00\x00\x00\x01\xff\x00\x00\x33\x05\x01\x00\x00\x00\x00"), []byte("\x200123456789abcdefghijklmnopqrstuv"))
	f.Fuzz(func(t *testing.T, records, label []byte) {
		owner := append(append([]byte{}, label...), "\x01t\x00"...)
		q := query(t, "t.", dns.TypeA, true)
		if m := append(append(append([]byte{}, q.Msg[:12]...), owner...), q.Msg[15:]...); q.Parse(m) != wire.QueryOK || !q.Name.In(owner[len(label):]) {
			return
		}
		b := zone.NewBuilder(owner[len(label):], zone.Options{Checks: true, Now: 1})
		b.Add(owner[len(label):], wire.TypeSOA, wire.ClassIN, 60, make([]byte, 22))
		for i := 0; len(records) >= 3; i++ {
			qtype, size := wire.Type(records[0])<<8|wire.Type(records[1]), min(int(records[2]), len(records)-3)
			b.Add(owner[len(label)*(i%2):], qtype, wire.ClassIN, 60, records[3:3+size])
			records = records[3+size:]
		}
		z, _ := b.Finish(nil)
		if z == nil {
			return
		}
		s := zone.NewSet([]*zone.Zone{z})
		for _, qtype := range []wire.Type{wire.TypeA, wire.TypeNS, wire.TypeMX, wire.TypeANY, wire.TypeRRSIG, wire.TypeDS, wire.TypeSRV, wire.TypeCNAME} {
			q.Type = qtype
			msg, _, ok := s.AppendReply(nil, q, 4096, wire.FlagQR)
			var r wire.Reader
			if !ok || !r.Reset(msg) {
				t.Fatalf("%x", msg)
			}
			var rr wire.RR
			for _, more := r.Next(&rr); more; _, more = r.Next(&rr) {
			}
			if r.Err() {
				t.Fatalf("%x", msg)
			}
		}
		z.Each(func(*zone.Record) bool { return true })
	})
}
