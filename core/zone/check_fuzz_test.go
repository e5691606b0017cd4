package zone_test

import (
	"strings"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/zone"
	"heimdall/core/zonefile"
)

// FuzzChecks: the checks of a zone bear whatever can be read, and every problem at a name that has records has a line.
func FuzzChecks(f *testing.F) {
	const head = "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n"
	for _, text := range []string{
		"a 60 NS ns.a\na 60 DS 1 13 2 00\nb.a 60 TXT x\n", "a 60 DNAME b\nc.a 60 A 192.0.2.1\n", "a 60 MX 1 b\nb 60 CNAME c\n", "a 60 SRV 0 0 1 192.0.2.1.\n",
		"a 60 HTTPS 1 . no-default-alpn\na 60 X25 1\na 60 GPOS a b c\na 60 SSHFP 1 1 00\na 60 TLSA 3 1 1 00\na 60 DNSKEY 256 1 8 AQID\n",
		"a 60 A 192.0.2.1\na 70 A 192.0.2.1\n*.a 60 NS ns\ny. 60 A 192.0.2.1\n", "a 60 NSEC z. A\na 60 RRSIG A 8 2 60 2 1 1 z. AQID\n",
		"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 60 NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n@ 60 NSEC3PARAM 1 0 0 -\n", "@ 60 ZONEMD 1 1 1 00112233445566778899aabb\n",
	} {
		f.Add(head + text)
	}
	origin := dname.Name("\x01z\x00")
	f.Fuzz(func(t *testing.T, text string) {
		owners := map[string]bool{}
		read := func(f func(*zonefile.Record) error) error {
			return zonefile.Read(strings.NewReader(text), zonefile.Options{Name: "f", Origin: origin}, f)
		}
		b := zone.NewBuilder(origin, zone.Options{Checks: true, Now: 1})
		err := read(func(r *zonefile.Record) error {
			owners[string(dname.AppendLower(nil, r.Owner))] = true
			return b.Add(r.Owner, r.Type, r.Class, r.TTL, r.RData)
		})
		if err != nil || b.Records() > 10_000 {
			b.Discard()
			return
		}
		_, problems := b.Finish(nil)
		l := zone.NewLocator(problems)
		read(func(r *zonefile.Record) error {
			l.Record(r.Owner, r.Type, r.RData, r.File, r.Line)
			return nil
		})
		for _, p := range problems {
			if p.Owner != nil && p.Line == 0 && owners[string(p.Owner)] {
				t.Errorf("no line: %s", p)
			}
		}
	})
}
