package wire

import (
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
)

// recordTexts has records of all types with structure, and some of unknown ones, names in mixed case.
var recordTexts = []string{
	"a.Example.com. 300 IN A 192.0.2.1",
	"a.Example.com. 300 IN AAAA 2001:db8::1",
	"Example.com. 300 IN NS Ns1.Example.com.",
	"Example.com. 300 IN MD Md.Example.com.",
	"Example.com. 300 IN MF Mf.Example.com.",
	"www.Example.com. 300 IN CNAME A.Example.com.",
	"Example.com. 300 IN SOA Ns1.Example.com. Host.Example.com. 1 7200 3600 86400 300",
	"Example.com. 300 IN MB Mb.Example.com.",
	"Example.com. 300 IN MG Mg.Example.com.",
	"Example.com. 300 IN MR Mr.Example.com.",
	"Example.com. 300 IN NULL \\# 3 616263",
	"Example.com. 300 IN TYPE11 \\# 7 c00002010642ff",
	"1.2.0.192.in-addr.arpa. 300 IN PTR A.Example.com.",
	"Example.com. 300 IN HINFO \"Cpu\" \"Os\"",
	"Example.com. 300 IN MINFO Rm.Example.com. Em.Example.com.",
	"Example.com. 300 IN MX 10 Mail.Example.com.",
	"Example.com. 300 IN TXT \"Some Text\" \"\" \"more\"",
	"Example.com. 300 IN RP Host.Example.com. Txt.Example.com.",
	"Example.com. 300 IN AFSDB 1 Afs.Example.com.",
	"Example.com. 300 IN X25 311061700956",
	"Example.com. 300 IN ISDN \"150862028003217\" \"004\"",
	"Example.com. 300 IN RT 10 Relay.Example.com.",
	"Example.com. 300 IN NSAP-PTR Nsap.Example.com.",
	"Example.com. 300 IN SIG A 13 2 300 20300101000000 20200101000000 1 Example.com. YWJj",
	"Example.com. 300 IN KEY 256 3 13 YWJj",
	"Example.com. 300 IN PX 10 Map822.Example.com. MapX400.Example.com.",
	"Example.com. 300 IN GPOS -32.6882 116.8652 10.0",
	"Example.com. 300 IN LOC 51 30 12.748 N 0 7 39.612 W 0.00m 1m 10000m 10m",
	"Example.com. 300 IN NXT Next.Example.com. A MX",
	"_dns._udp.Example.com. 300 IN SRV 1 2 53 Ns1.Example.com.",
	"Example.com. 300 IN NAPTR 100 10 \"S\" \"SIP+D2U\" \"!^.*$!x!\" Sip.Example.com.",
	"Example.com. 300 IN KX 10 Kx.Example.com.",
	"Example.com. 300 IN CERT 1 0 0 YWJj",
	"Example.com. 300 IN DNAME Other.Example.net.",
	"Example.com. 300 IN APL 1:192.168.32.0/21 !1:192.168.38.0/28",
	"Example.com. 300 IN DS 1 13 2 0123456789abcdef",
	"Example.com. 300 IN SSHFP 1 1 0123456789abcdef",
	"Example.com. 300 IN IPSECKEY 10 3 2 Gw.Example.com. YWJj",
	"Example.com. 300 IN RRSIG A 13 2 300 20300101000000 20200101000000 1 Example.com. YWJj",
	"Example.com. 300 IN NSEC Next.Example.com. A MX TYPE1234",
	"Example.com. 300 IN DNSKEY 257 3 13 YWJj",
	"Example.com. 300 IN DHCID YWJj",
	"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.Example.com. 300 IN NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG",
	"Example.com. 300 IN NSEC3PARAM 1 0 0 -",
	"Example.com. 300 IN TLSA 3 1 1 0123456789abcdef",
	"Example.com. 300 IN SMIMEA 3 1 1 0123456789abcdef",
	"Example.com. 300 IN HIP 2 200100107b1a74df365639cc39f1d578 YWJj Rvs.Example.com.",
	"Example.com. 300 IN CDS 0 0 0 00",
	"Example.com. 300 IN CDNSKEY 0 3 0 AA==",
	"Example.com. 300 IN OPENPGPKEY YWJj",
	"Example.com. 300 IN CSYNC 66 3 A NS AAAA",
	"Example.com. 300 IN ZONEMD 2018031500 1 1 62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637",
	"Example.com. 300 IN SVCB 1 Svc.Example.com. alpn=h2 port=8443",
	"Example.com. 300 IN HTTPS 0 Svc.Example.com.",
	"Example.com. 300 IN SPF \"v=spf1 -all\"",
	"Example.com. 300 IN NID 10 0014:4fff:ff20:ee64",
	"Example.com. 300 IN L32 10 10.1.2.0",
	"Example.com. 300 IN L64 10 2001:0db8:1140:1000",
	"Example.com. 300 IN LP 10 L64.Example.com.",
	"Example.com. 300 IN EUI48 00-00-5e-00-53-2a",
	"Example.com. 300 IN EUI64 00-00-5e-ef-10-00-00-2a",
	"Example.com. 300 IN URI 10 1 \"https://Example.com/\"",
	"Example.com. 300 IN CAA 0 issue \"Ca.Example.net\"",
	"Example.com. 300 IN AMTRELAY 10 0 3 Amt.Example.com.",
	"Example.com. 300 IN DLV 1 13 2 0123456789abcdef",
	"Example.com. 300 IN TYPE65280 \\# 4 03616263",
	"Example.com. 300 CH A \\# 5 0001610042",
	"version.bind. 0 CH TXT \"x\"",
}

// mustRR reads a record from its text through miekg/dns.
func mustRR(tb testing.TB, text string) dns.RR {
	tb.Helper()
	rr, err := dns.NewRR(text)
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return rr
}

// mustPack packs a response with the given records, question Example.com, with compressed names.
func mustPack(tb testing.TB, answer, authority, additional []dns.RR) []byte {
	tb.Helper()
	m := new(dns.Msg)
	m.SetQuestion("Example.com.", dns.TypeANY)
	m.Id, m.Response, m.Compress = 4711, true, true
	m.Answer, m.Ns, m.Extra = answer, authority, additional
	msg, err := m.Pack()
	if err != nil {
		tb.Fatal(err)
	}
	return msg
}

// allRecords are recordTexts, read.
func allRecords(tb testing.TB) []dns.RR {
	tb.Helper()
	var rrs []dns.RR
	for _, text := range recordTexts {
		rrs = append(rrs, mustRR(tb, text))
	}
	return rrs
}

// compressAll packs msg's single question and an answer of type t whose RDATA is rdata with every name in it
// replaced, from the first label on where the name ends in that of the question, by a pointer to it.
func compressAll(tb testing.TB, t Type, c Class, rdata []byte) []byte {
	tb.Helper()
	zone := dnametest.Name("example.com.")
	msg := AppendQuery(nil, 1, FlagQR, zone, TypeANY, c)
	var packed []byte
	for off := 0; off < len(rdata); {
		rest := rdata[off:]
		if len(rest) >= len(zone) && string(rest[:len(zone)]) == "\x07Example\x03com\x00" {
			packed = append(packed, 0xC0, HeaderLen)
			off += len(zone)
			continue
		}
		packed = append(packed, rdata[off])
		off++
	}
	return appendRR(msg, Answer, zone, t, c, 300, packed)
}

// rdataOf returns the RDATA of a record of miekg/dns without compression.
func rdataOf(tb testing.TB, rr dns.RR) []byte {
	tb.Helper()
	buf := make([]byte, 2048)
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		tb.Fatalf("%v: %v", rr, err)
	}
	data, ok := dname.Skip(buf, 0)
	if !ok {
		tb.Fatalf("%v: bad owner", rr)
	}
	return buf[data+rrFixedLen : end]
}
