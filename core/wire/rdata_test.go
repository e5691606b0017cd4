package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
)

// TestUnpackRDataTypes: for every type, what a message with compressed names holds unpacks to what another
// implementation writes without compression.
func TestUnpackRDataTypes(t *testing.T) {
	for _, text := range recordTexts {
		rec := mustRR(t, text)
		want := rdataOf(t, rec)
		var r Reader
		var rr RR
		msg := mustPack(t, []dns.RR{rec}, nil, nil)
		if !r.Reset(msg) {
			t.Fatalf("%s: unreadable", text)
		}
		if s, ok := r.Next(&rr); !ok || s != Answer {
			t.Fatalf("%s: unreadable", text)
		}
		if got, ok := UnpackRData(nil, msg, &rr); !ok || !bytes.Equal(got, want) {
			t.Errorf("%s: UnpackRData = %x, %v; want %x", text, got, ok, want)
		}
	}
}

// TestUnpackRDataCompressed: names are decompressed in the types of RFC 1035, in those that RFC 3597, section
// 4, adds, and in DNAME, RRSIG and NSEC; in others a pointer is not followed.
func TestUnpackRDataCompressed(t *testing.T) {
	for _, text := range recordTexts {
		rec := mustRR(t, text)
		typ, class, want := Type(rec.Header().Rrtype), Class(rec.Header().Class), rdataOf(t, rec)
		msg := compressAll(t, typ, class, want)
		var r Reader
		var rr RR
		r.Reset(msg)
		if _, ok := r.Next(&rr); !ok {
			t.Fatalf("%s: unreadable", text)
		}
		packed := msg[rr.Data:rr.End]
		got, ok := UnpackRData([]byte("kept"), msg, &rr)
		switch {
		case strings.Contains(layout(typ, class), "n"):
			if !ok || !dname.Equal(got[4:], want) {
				t.Errorf("%s: UnpackRData = %x, %v; want %x", text, got, ok, want)
			}
		case strings.Contains(layout(typ, class), "u"):
			if ok || string(got) != "kept" {
				t.Errorf("%s: UnpackRData = %x: a pointer was taken", text, got)
			}
		default:
			if ok && !bytes.Equal(got[4:], packed) {
				t.Errorf("%s: UnpackRData = %x: not verbatim", text, got)
			}
		}
	}
}

func TestUnpackRDataMalformed(t *testing.T) {
	for _, c := range []struct {
		name  string
		t     Type
		rdata string
	}{
		{"A of 3 octets", TypeA, "abc"},
		{"A of 5 octets", TypeA, "abcde"},
		{"AAAA of 4 octets", TypeAAAA, "abcd"},
		{"NS without name", TypeNS, ""},
		{"NS with an octet behind the name", TypeNS, "\x01a\x00b"},
		{"NS that runs out", TypeNS, "\x05abc"},
		{"NS with reserved label type", TypeNS, "\x41a\x00"},
		{"NS pointing to itself", TypeNS, "\xc0\x1c"},
		{"MX without name", TypeMX, "\x00\x01"},
		{"SOA cut short", TypeSOA, "\x00\x00" + strings.Repeat("x", 19)},
		{"TXT without string", TypeTXT, ""},
		{"TXT whose string runs out", TypeTXT, "\x05abc"},
		{"HINFO with three strings", TypeHINFO, "\x01a\x01b\x01c"},
		{"SRV cut short", TypeSRV, "\x00\x00\x00\x00\x00"},
		{"RRSIG without signature", TypeRRSIG, strings.Repeat("x", 18) + "\x00"},
		{"NSEC with an empty window", TypeNSEC, "\x00\x00\x00"},
		{"NSEC with a long window", TypeNSEC, "\x00\x00\x21" + strings.Repeat("x", 33)},
		{"NSEC with windows in wrong order", TypeNSEC, "\x00\x01\x01x\x00\x01x"},
		{"NSEC3 whose salt runs out", TypeNSEC3, "\x01\x00\x00\x00\x09a"},
		{"DS without digest", TypeDS, "\x00\x01\x0d\x02"},
		{"SVCB with keys in wrong order", TypeSVCB, "\x00\x01\x00\x00\x02\x00\x00\x00\x01\x00\x00"},
		{"SVCB whose value runs out", TypeSVCB, "\x00\x01\x00\x00\x02\x00\x03a"},
		{"OPT whose option runs out", TypeOPT, "\x00\x0a\x00\x08abc"},
	} {
		msg := appendRR(AppendQuery(nil, 1, FlagQR, dname.Root(), TypeANY, ClassIN), Answer, dname.Root(), c.t, ClassIN,
			300, []byte(c.rdata))
		var r Reader
		var rr RR
		r.Reset(msg)
		if _, ok := r.Next(&rr); !ok || rr.Data != HeaderLen+5+1+rrFixedLen {
			t.Fatalf("%s: unreadable, RDATA at %d", c.name, rr.Data)
		}
		if got, ok := UnpackRData([]byte("kept"), msg, &rr); ok || string(got) != "kept" {
			t.Errorf("%s: UnpackRData = %x, %v", c.name, got, ok)
		}
	}
}

// TestCanonicalRData: names are lowered in the types of RFC 4034, section 6.2, as RFC 6840, section 5.1, has
// it, and nothing else is changed.
func TestCanonicalRData(t *testing.T) {
	lowered := map[Type]bool{}
	for _, s := range strings.Fields("NS MD MF CNAME SOA MB MG MR PTR MINFO MX RP AFSDB RT SIG PX NXT NAPTR KX SRV DNAME RRSIG") {
		typ, err := ParseType(s)
		if err != nil {
			t.Fatal(err)
		}
		lowered[typ] = true
	}
	for _, text := range recordTexts {
		rec := mustRR(t, text)
		typ, rdata := Type(rec.Header().Rrtype), rdataOf(t, rec)
		want := rdata
		if lowered[typ] {
			// In recordTexts the names, and only they, hold Example.com or Example.net; lower them in the text.
			fields := strings.Fields(text)
			for i := 4; i < len(fields); i++ {
				if strings.Contains(fields[i], "Example.") {
					fields[i] = strings.ToLower(fields[i])
				}
			}
			want = rdataOf(t, mustRR(t, strings.Join(fields, " ")))
			if bytes.Equal(want, rdata) {
				t.Errorf("%s: nothing to lower", text)
			}
		}
		if got := CanonicalRData([]byte("kept"), typ, rdata); !bytes.Equal(got[4:], want) {
			t.Errorf("%s: CanonicalRData = %q, want %q", text, got[4:], want)
		}
	}
}
