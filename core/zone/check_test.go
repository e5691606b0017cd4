package zone_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

const apex = "z. 60 SOA ns h 1 2 3 4 5\nz. 60 NS ns\nns.z. 60 A 192.0.2.1\n"

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		label, text string
		want        string // part of the only problem; "" for none
		refused     bool
	}{
		{"sound", "$ORIGIN z.\n" + apex, "", false},
		{"sound hosts", "$ORIGIN z.\n" + apex + "a.z. 60 MX 0 .\nb.z. 60 SRV 0 0 0 .\nc.z. 60 MX 1 x.w.z.\n*.w.z. 60 A 192.0.2.1\nd.z. 60 MX 1 out.\n" +
			"e.z. 60 MX 1 x.del.z.\ndel.z. 60 NS ns.z.\nf.z. 60 MX 1 x.dn.z.\ndn.z. 60 DNAME y.\ng.z. 60 NS ns.z.\nh.z. 60 MX 1 i.z.\ni.z. 60 AAAA ::1", "", false},
		{"no SOA", "z. 60 NS ns.z.\nns.z. 60 A 192.0.2.1", "error: z. SOA: no SOA record", true},
		{"two SOA", apex + "z. 60 SOA ns h 2 2 3 4 5", "error: z. SOA: more than one", true},
		{"no NS", "z. 60 SOA ns h 1 2 3 4 5", "warning: z. NS: no NS records", false},
		{"outside", apex + "y. 60 A 192.0.2.1", "warning: y. A: not in the zone", false},
		{"CNAME and other", apex + "a.z. 60 CNAME b.z.\na.z. 60 A 192.0.2.1", "error: a.z. CNAME: CNAME and other", true},
		{"two CNAME", apex + "a.z. 60 CNAME b.z.\na.z. 60 CNAME c.z.", "error: a.z. CNAME: more than one", true},
		{"two DNAME", apex + "a.z. 60 DNAME b.z.\na.z. 60 DNAME c.z.", "error: a.z. DNAME: more than one", true},
		{"DNAME and NS", apex + "a.z. 60 DNAME b.z.\na.z. 60 NS ns.z.", "error: a.z. DNAME: DNAME and NS", true},
		{"below DNAME", apex + "a.z. 60 DNAME b.z.\nc.a.z. 60 TXT x", "warning: c.a.z. TXT: below", false},
		{"address below DNAME", apex + "a.z. 60 DNAME b.z.\nb.c.a.z. 60 A 192.0.2.1", "warning: b.c.a.z. A: below a DNAME", false},
		{"below DNAME at the apex", apex + "z. 60 DNAME b.", "warning: ns.z. A: below a DNAME", false},
		{"DS of a wrong length", apex + "a.z. 60 NS ns.z.\na.z. 60 DS 1 13 2 AABB", "warning: a.z. DS: digest of type 2 has 2 octets, not 32", false},
		{"DLV of a wrong length", apex + "a.z. 60 DLV 1 13 1 AABB", "warning: a.z. DLV: digest of type 1 has 2 octets, not 20", false},
		{"SSHFP of a wrong length", apex + "a.z. 60 SSHFP 1 2 " + strings.Repeat("AB", 20), "warning: a.z. SSHFP: fingerprint of type 2 has 20 octets, not 32", false},
		{"TLSA of a wrong length", apex + "a.z. 60 TLSA 3 1 2 " + strings.Repeat("AB", 32), "warning: a.z. TLSA: hash of type 2 has 32 octets, not 64", false},
		{"ZONEMD of a wrong length", apex + "a.z. 60 ZONEMD 1 1 2 " + strings.Repeat("AB", 48), "warning: a.z. ZONEMD: digest of type 2 has 48 octets, not 64", false},
		{"key of another protocol", apex + "a.z. 60 DNSKEY 256 2 8 AQID", "warning: a.z. DNSKEY: protocol is not 3", false},
		{"X25", apex + "a.z. 60 X25 12a45", "warning: a.z. X25: want an address", false},
		{"short X25", apex + "a.z. 60 X25 123", "warning: a.z. X25: want an address", false},
		{"longitude", apex + "a.z. 60 GPOS 180.1 0 0", "warning: a.z. GPOS: no longitude: \"180.1\"", false},
		{"latitude", apex + "a.z. 60 GPOS 0 -90.5 0", "warning: a.z. GPOS: no latitude", false},
		{"longitude that is no number", apex + "a.z. 60 GPOS NaN 0 0", "warning: a.z. GPOS: no longitude: \"NaN\"", false},
		{"hexadecimal latitude", apex + "a.z. 60 GPOS 0 0x1p4 0", "warning: a.z. GPOS: no latitude", false},
		{"infinite altitude", apex + "a.z. 60 GPOS 0 0 +Inf", "warning: a.z. GPOS: no altitude", false},
		{"places", apex + "a.z. 60 GPOS -32.6882 116.8652 10.0\na.z. 60 GPOS +.5 1. -10", "warning: a.z. GPOS: no latitude: \"116.8652\"", false},
		{"altitude", apex + "a.z. 60 GPOS 0 0 high", "warning: a.z. GPOS: no altitude", false},
		{"MX is an alias", apex + "a.z. 60 MX 1 b.z.\nb.z. 60 CNAME ns.z.", "warning: a.z. MX: b.z. is an alias", false},
		{"NS is an alias", apex + "a.z. 60 NS b.z.\nb.z. 60 CNAME ns.z.", "warning: a.z. NS: b.z. is an alias", false},
		{"NS of the apex is an alias", apex + "z. 60 NS b.z.\nb.z. 60 CNAME ns.z.", "warning: z. NS: b.z. is an alias", false},
		{"SRV of a wildcard alias", apex + "a.z. 60 SRV 0 0 1 c.b.z.\n*.b.z. 60 CNAME ns.z.", "warning: a.z. SRV: c.b.z. is an alias", false},
		{"MX without address", apex + "a.z. 60 MX 1 b.z.", "warning: a.z. MX: no address of b.z.", false},
		{"SRV without address", apex + "a.z. 60 SRV 0 0 1 b.z.\nb.z. 60 TXT x", "warning: a.z. SRV: no address of b.z.", false},
		{"MX is an address", apex + "a.z. 60 MX 1 192.0.2.1.", "warning: a.z. MX: 192.0.2.1. is an address", false},
		{"NS is an address", apex + "a.z. 60 NS 192.0.2.1.", "warning: a.z. NS: 192.0.2.1. is an address", false},
		{"DS at the apex", apex + "z. 60 DS 1 8 99 00", "warning: z. DS: at the apex", false},
		{"no-default-alpn alone", apex + "a.z. 60 HTTPS 1 b.z. no-default-alpn", "warning: a.z. HTTPS: no-default-alpn without alpn", false},
		{"below cut", apex + "a.z. 60 NS ns.z.\nc.a.z. 60 TXT x", "warning: c.a.z. TXT: below", false},
		{"no glue", apex + "a.z. 60 NS ns.a.z.", "warning: a.z. NS: no address of the name server ns.a.z.", false},
		{"no address", apex + "z. 60 NS ns2.z.", "warning: z. NS: no address of the name server ns2.z.", false},
		{"twice", apex + "a.z. 60 A 192.0.2.1\na.z. 60 A 192.0.2.1", "warning: a.z. A: record occurs more than once", false},
		{"twice but for case", apex + "b.z. 60 A 192.0.2.1\na.z. 60 MX 1 b.z.\na.z. 60 MX 1 B.Z.", "warning: a.z. MX: record occurs more than once", false},
		{"TTLs", apex + "a.z. 60 A 192.0.2.1\na.z. 70 A 192.0.2.2", "warning: a.z. A: TTLs differ", false},
		{"DS without cut", apex + "a.z. 60 DS 1 8 99 00", "warning: a.z. DS: no NS", false},
		{"wildcard cut", apex + "*.z. 60 NS ns.z.", "warning: *.z. NS: delegation of a wildcard", false},
		{"SOA below", apex + "a.z. 60 SOA ns.z. h.z. 1 2 3 4 5", "warning: a.z. SOA: SOA record below", false},
	} {
		t.Run(c.label, func(t *testing.T) {
			z, problems := load(t, "z.", strings.NewReader(strings.ReplaceAll(c.text, " ns h ", " ns.z. h.z. ")), zone.Options{Checks: true})
			if c.want != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0].Severity.String()+": "+problems[0].String(), c.want)) || c.want == "" && len(problems) > 0 {
				t.Errorf("problems %v, want %s", problems, c.want)
			}
			if (z == nil) != c.refused {
				t.Errorf("refused: %v", z == nil)
			}
		})
	}
}

// What is told of one kind of problem is bounded.
func TestProblemsBounded(t *testing.T) {
	_, problems := load(t, "z.", strings.NewReader(strings.ReplaceAll(apex, " ns", " ns.z.")+strings.Repeat("y. 60 A 192.0.2.1\n", 500)), zone.Options{})
	if len(problems) == 0 || len(problems) > 102 {
		t.Errorf("%d problems", len(problems))
	}
}

func TestAddErrors(t *testing.T) {
	origin := dname.Name("\x01z\x00")
	b := zone.NewBuilder(origin, zone.Options{})
	for _, c := range []struct {
		t     wire.Type
		c     wire.Class
		rdata string
	}{
		{wire.TypeA, wire.ClassIN, "\x01\x02\x03"}, {wire.TypeNS, wire.ClassIN, "\x01z"}, {wire.TypeSOA, wire.ClassIN, "\x00\x00"},
		{wire.TypeMX, wire.ClassIN, "\x00"}, {wire.TypeRRSIG, wire.ClassIN, "\x00"}, {wire.TypeNSEC3, wire.ClassIN, "\x01\x00\x00\x00\x09"},
		{wire.TypeANY, wire.ClassIN, ""}, {wire.TypeOPT, wire.ClassIN, ""}, {0, wire.ClassIN, ""}, {wire.TypeA, wire.ClassCH, "\x01\x02\x03\x04"},
		{wire.TypeTXT, wire.ClassIN, strings.Repeat("x", 65536)},
	} {
		if err := b.Add(origin, c.t, c.c, 60, []byte(c.rdata)); err == nil {
			t.Errorf("%s %s %x: no error", c.c, c.t, c.rdata)
		}
	}
	if b.Records() != 0 {
		t.Errorf("%d records", b.Records())
	}
}

// Memory that is not given is an error, and all of the log is given back.
func TestMemory(t *testing.T) {
	given := 0
	memory := zone.Memory{
		Alloc: func(size int) ([]byte, error) { given++; return make([]byte, size), nil },
		Free:  func([]byte) { given-- },
	}
	origin := dname.Name("\x05bench\x04test\x00")
	for _, fail := range []bool{false, true} {
		b := zone.NewBuilder(origin, zone.Options{Memory: memory})
		fill(t, b, 100_000)
		z, problems := b.Finish(func(size int) ([]byte, error) {
			if fail {
				return nil, errors.New("no memory")
			}
			return make([]byte, size), nil
		})
		if (z == nil) != fail {
			t.Errorf("%v", problems)
		}
		if given != 0 {
			t.Errorf("%d pieces of memory not given back", given)
		}
		if z != nil && (z.Names() != 100_003 || z.Records() != 100_005) {
			t.Errorf("%d names, %d records", z.Names(), z.Records())
		}
	}
}

// Records of one name in different chunks of the log, which are given back one by one, all arrive.
func TestChunks(t *testing.T) {
	memory := zone.Memory{
		Alloc: func(size int) ([]byte, error) { return make([]byte, size), nil },
		Free:  func(b []byte) { clear(b) },
	}
	for _, scattered := range []bool{false, true} {
		origin := dname.Name("\x01z\x00")
		b := zone.NewBuilder(origin, zone.Options{Memory: memory})
		add := func(owner dname.Name, t wire.Type, size, fill int) {
			rdata := make([]byte, size)
			if t == wire.TypeTXT {
				for i := range rdata {
					rdata[i] = byte(fill >> (8 * (i % 3)))
				}
			}
			b.Add(owner, t, wire.ClassIN, 60, rdata)
		}
		add(origin, wire.TypeSOA, 22, 0)
		for i := range 20_000 {
			owner := dname.Name(fmt.Sprintf("\x06%06d\x01z\x00", i))
			for k := range 3 {
				add(owner, wire.TypeTXT, 100+k, i)
			}
		}
		if scattered {
			add(dname.Name("\x06000000\x01z\x00"), wire.TypeTXT, 99, 0)
		}
		z, problems := b.Finish(nil)
		if z == nil {
			t.Fatal(problems)
		}
		count := 0
		z.Each(func(r *zone.Record) bool {
			if r.Type == wire.TypeTXT {
				number := int(r.RData[0]) | int(r.RData[1])<<8 | int(r.RData[2])<<16
				if want := fmt.Sprintf("%06d", number); want != string(r.Owner[1:7]) {
					t.Fatalf("%s has what belongs to %s", r.Owner, want)
				}
			}
			count++
			return true
		})
		if want := b.Records(); count != want || z.Records() != want {
			t.Errorf("%d records, %d counted, want %d", count, z.Records(), want)
		}
	}
}

// RFC 8976, appendix A.1 and A.2.
func TestDigest(t *testing.T) {
	simple := `example. 86400 IN SOA ns1.example. admin.example. 2018031900 1800 900 604800 86400
example. 86400 IN NS ns1.example.
example. 86400 IN NS ns2.example.
example. 86400 IN ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c
ns1.example. 3600 IN A 203.0.113.63
ns2.example. 3600 IN AAAA 2001:db8::63
`
	for _, c := range []struct {
		text string
		want zone.Digest
	}{
		{simple, zone.DigestVerified},
		{strings.Replace(simple, "203.0.113.63", "203.0.113.64", 1), zone.DigestWrong},
		{strings.Replace(simple, "ZONEMD 2018031900", "ZONEMD 2018031901", 1), zone.DigestUnsupported},
		{strings.Replace(simple, "1 1 c68", "1 240 c68", 1), zone.DigestUnsupported},
	} {
		z, problems := load(t, "example.", strings.NewReader(c.text), zone.Options{})
		switch {
		case c.want == zone.DigestWrong:
			if z != nil {
				t.Errorf("wrong digest: served")
			}
		case z == nil || z.Digest() != c.want:
			t.Errorf("%v: %v", c.want, problems)
		}
	}
}
