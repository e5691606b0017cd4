package zonefile

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// FuzzRead: no text makes the reader panic or give out malformed records, and what it and miekg/dns both
// accept they read alike.
func FuzzRead(f *testing.F) {
	for _, text := range samples {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readAll(text)
		for _, r := range got {
			if _, ok := dname.Parse(r.owner); !ok {
				t.Fatalf("owner %x", r.owner)
			}
			rr := wire.RR{Type: r.t, Class: r.class, End: len(r.rdata)}
			out, ok := wire.UnpackRData(nil, r.rdata, &rr)
			if !ok || !bytes.Equal(out, r.rdata) {
				t.Fatalf("%s %x", r.t, r.rdata)
			}
		}
		if err != nil || !comparable(text) {
			return
		}
		parser := dns.NewZoneParser(strings.NewReader(text), "example.", "")
		for i := 0; ; i++ {
			rr, ok := parser.Next()
			if !ok {
				if parser.Err() == nil && i != len(got) {
					t.Fatalf("%d records, miekg/dns reads %d", len(got), i)
				}
				return
			}
			if i == len(got) {
				return // miekg/dns may fail later on
			}
			if n, ok := rr.(*dns.NSEC3); ok && len(n.NextDomain) != 32 {
				return // packed as if it were 20 octets
			}
			if slices.Contains(alike, rr.Header().Rrtype) {
				compareRecord(t, got[i], rr)
			}
		}
	})
}

// alike are the types in which miekg/dns follows the RFCs to the octet. It packs some rare ones in its own way, such as NXT
// and ISDN, and rounds the seconds of LOC: TestTypesByName has their values.
var alike = []uint16{
	dns.TypeA, dns.TypeNS, dns.TypeCNAME, dns.TypeSOA, dns.TypePTR, dns.TypeMX, dns.TypeTXT, dns.TypeAAAA, dns.TypeSRV, dns.TypeNAPTR, dns.TypeDNAME,
	dns.TypeDS, dns.TypeSSHFP, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeDNSKEY, dns.TypeNSEC3, dns.TypeNSEC3PARAM, dns.TypeTLSA, dns.TypeCDS,
	dns.TypeCDNSKEY, dns.TypeSVCB, dns.TypeHTTPS, dns.TypeCAA,
}

// comparable reports whether text stays within what miekg/dns reads as RFC 1035, section 5.1, has it. It joins
// fields around a parenthesis or a quote without white space, and has its own idea of $GENERATE.
func comparable(text string) bool {
	if len(text) > 4096 || strings.Contains(text, "$") && strings.Contains(strings.ToUpper(text), "$GENERATE") {
		return false
	}
	if strings.Contains(strings.ReplaceAll(text, "\r\n", "\n"), "\r") {
		return false // white space here, nothing there
	}
	if strings.Contains(text, `\\.`) {
		return false // miekg/dns may take the dot for another one
	}
	for i := range len(text) {
		if strings.IndexByte("()\"", text[i]) >= 0 {
			if i == 0 || i+1 == len(text) || strings.IndexByte(" \n", text[i-1]) < 0 && strings.IndexByte(" \n", text[i+1]) < 0 {
				return false
			}
		}
		if strings.IndexByte("()", text[i]) >= 0 && (strings.IndexByte(" \n", text[i-1]) < 0 || strings.IndexByte(" \n", text[i+1]) < 0) {
			return false
		}
	}
	return true
}

func compareRecord(t *testing.T, got record, rr dns.RR) {
	buf := make([]byte, 70000)
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		return
	}
	want := buf[:end]
	owner, ok := dname.Parse(want)
	if !ok {
		t.Fatal("owner")
	}
	fixed := want[len(owner):]
	if rr.Header().Rrtype == dns.TypeRRSIG {
		withoutTopBits(got.rdata)
		withoutTopBits(fixed[10:])
	}
	if !bytes.Equal(owner, got.owner) || wire.Type(fixed[0])<<8|wire.Type(fixed[1]) != got.t || rr.Header().Ttl != got.ttl ||
		!bytes.Equal(fixed[10:], got.rdata) {
		t.Fatalf("got %v\nmiekg/dns: %s %x", got, rr, want)
	}
}

// withoutTopBits clears the top bits of both times in the RDATA of an RRSIG record: miekg/dns sets them in times after 2106,
// which wrap (RFC 4034, section 3.1.5).
func withoutTopBits(rdata []byte) {
	rdata[8] &^= 0x80
	rdata[12] &^= 0x80
}

// record is a copy of a Record.
type record struct {
	owner dname.Name
	t     wire.Type
	class wire.Class
	ttl   uint32
	rdata []byte
	line  int
}

// readAll reads a text with the origin example.
func readAll(text string) (list []record, err error) {
	origin, _ := dname.ParseText(nil, "example.")
	err = Read(strings.NewReader(text), Options{Name: "test", Origin: origin, Open: openSample}, func(r *Record) error {
		if len(list) == 1000 {
			return io.ErrShortBuffer
		}
		list = append(list, record{bytes.Clone(r.Owner), r.Type, r.Class, r.TTL, bytes.Clone(r.RData), r.Line})
		return nil
	})
	return list, err
}

func openSample(name string) (io.ReadCloser, error) {
	if text, ok := included[name]; ok {
		return io.NopCloser(strings.NewReader(text)), nil
	}
	return nil, io.ErrUnexpectedEOF
}

var included = map[string]string{
	"a":    "inside A 192.0.2.1\n$ORIGIN other.\nx A 192.0.2.2\n",
	"loop": "$INCLUDE loop\n",
	"bad":  "x A 192.0.2.300\n",
}

var samples = []string{
	"a 300 IN A 192.0.2.1\nb IN 300 AAAA 2001:db8::1\n c 1h30m NS ns\n",
	"$TTL 1d\n@ SOA ns host (1 ; serial\n 3600 600\n 1w 300)\n\tNS ns1\n\tNS ns2.example.\n",
	"$TTL 60\n*.x\\.y\\065 TXT \"quoted ; text\" plain \"esc\\\"aped\\000\" \"\"\n",
	"$ORIGIN sub\n$TTL 5\n@ MX 10 mail\nx SRV 0 1 2 @\ny CNAME .\nz PTR x.y.\n",
	"a 60 TYPE65280 \\# 3 01 0203\nb 60 A \\# 4 c0000201\nc 60 CLASS1 TXT x\nd 60 CH TXT y\n",
	"a 60 DS 1 13 2 ABCD EF01\na 60 DNSKEY 257 3 13 AwEA Aa==\na 60 NSEC b A NS TYPE1000 RRSIG\n",
	"a 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA\na 60 NSEC3PARAM 1 0 0 -\n",
	"a 60 RRSIG A 13 2 60 21520115000000 21060207062816 1 example. AAAA\n",
	"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 60 NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS DS\n",
	"a 60 SVCB 1 b alpn=h2,h3 port=53\na 60 HTTPS 0 .\na 60 CAA 0 issue \"x\"\na 60 LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\n",
	"$INCLUDE a\nx 60 A 192.0.2.9\n", "$INCLUDE loop\n", "$INCLUDE bad b\n",
	"$GENERATE 1-4/2 h$ 60 A 192.0.2.${10,3,d}\n", "$GENERATE 0-1 ${0,4,n}.x 60 PTR h$.\n",
	"(a 60 A\n192.0.2.1\n)", "a 60 A 1.2.3.4 ) \n", "a 60 TXT \"open\nb 60 A 1.2.3.4\n", "a 60 TXT x\\", "a\r\n", ";only\n\n  \n",
	"a 60 HINFO x y\na 60 NAPTR 1 2 \"s\" \"x\" \"\" .\na 60 SSHFP 1 1 aabb\na 60 TLSA 3 1 1 aabbcc\na 60 URI 1 2 \"x:y\"\n",
}
