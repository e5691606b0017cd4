package zone_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/zone"
	"heimdall/core/zonefile"
)

// Each problem has the line of the record that it is about.
func TestLocator(t *testing.T) {
	const head = "$ORIGIN z.\n$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n" // five lines
	for _, c := range []struct {
		text string
		want []string // beginnings
	}{
		{"a CNAME b\nb A 192.0.2.2\na CNAME c\n", []string{"f:8: a.z. CNAME: more than one CNAME"}},
		{"a DNAME b\nA DNAME c\n", []string{"f:7: a.z. DNAME: more than one"}},
		{"a TXT x\na CNAME c\n", []string{"f:7: a.z. CNAME: CNAME and other"}},
		{"a A 192.0.2.1\n 30 A 192.0.2.2\n", []string{"f:7: a.z. A: TTLs differ"}},
		{"a MX 1 b\nb A 192.0.2.1\n\nA MX 1 B\n", []string{"f:9: a.z. MX: record occurs"}},
		{"a RRSIG NS 13 2 60 1 1 1 z. AAAA\na RRSIG A 13 2 60 1 1 1 z. AAAA\na RRSIG A 13 2 60 1 1 1 z. AAAA\na A 192.0.2.1\n",
			[]string{"f:8: a.z. RRSIG: record occurs"}},
		{"y. TXT x\ny. TXT x\n", []string{"f:6: y. TXT: not in the zone", "f:7: y. TXT: not in the zone"}},
		{"a NS ns\na DS 1 13 2 (" + strings.Repeat("00", 32) + "\n)\na DS 1 13 2 00\n", []string{"f:9: a.z. DS: digest of type 2"}},
		{"a NS NS.b\na NS ns.a\nns.b A 192.0.2.1\n", []string{"f:7: a.z. NS: no address of the name server ns.a.z."}},
		{"a DNAME b\nx.a TXT x\n", []string{"f:7: x.a.z. TXT: below a DNAME"}},
		{"a TXT x\n SOA b c 1 2 3 4 5\n", []string{"f:7: a.z. SOA: SOA record below"}},
		{"@ DNSKEY 256 3 13 AAAA\nns NSEC z. A\n", []string{"f:4: z. NS: not signed", "f:3: z. SOA: not signed", "f:6: z. DNSKEY: not signed", "f:5: ns.z. A: not signed",
			"f:7: ns.z. NSEC: not signed", "f:3: z. NSEC: not in the chain", "f:7: ns.z. NSEC: next name", "f:7: ns.z. NSEC: type NSEC is not"}},
	} {
		origin := dname.Name("\x01z\x00")
		read := func(f func(*zonefile.Record) error) {
			if err := zonefile.Read(strings.NewReader(head+c.text), zonefile.Options{Name: "f"}, f); err != nil {
				t.Fatal(err)
			}
		}
		b := zone.NewBuilder(origin, zone.Options{Checks: true})
		read(func(r *zonefile.Record) error { return b.Add(r.Owner, r.Type, r.Class, r.TTL, r.RData) })
		_, problems := b.Finish(nil)
		l := zone.NewLocator(problems)
		read(func(r *zonefile.Record) error {
			l.Record(r.Owner, r.Type, r.RData, r.File, r.Line)
			return nil
		})
		l.Rest("rest")
		var got []string
		for _, p := range problems {
			got = append(got, p.String())
		}
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%q:\ngot  %q\nwant %q", c.text, got, c.want)
		}
	}
	_, problems := zone.NewBuilder(dname.Name("\x01z\x00"), zone.Options{}).Finish(nil)
	zone.NewLocator(problems).Rest("f")
	if got := fmt.Sprint(problems); got != "[f: z. SOA: no SOA record at the apex]" {
		t.Error(got)
	}
}
