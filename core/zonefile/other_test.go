package zonefile

import (
	"encoding/hex"
	"strconv"
	"strings"
	"testing"

	"heimdall/core/wire"
)

// The forms of the types, and what they are on the wire.
func TestTypesByName(t *testing.T) {
	long := strings.Repeat("x", 300)
	longHex := strings.Repeat("78", 300)
	for _, c := range []struct{ text, want string }{
		{"MD a.", "016100"}, {"MF a.", "016100"}, {"MB a.", "016100"}, {"MG a.", "016100"}, {"MR a.", "016100"}, {"NSAP-PTR a.", "016100"},
		{"WKS 192.0.2.1 6 25 80", "c00002010600000040000000000000" + "80"},
		{"WKS 192.0.2.1 tcp smtp", "c00002010600000040"},
		{"HINFO a \"b c\"", "0161" + "03622063"}, {"MINFO a. b.", "016100016200"}, {"RP a. b.", "016100016200"}, {"TALINK a. b.", "016100016200"},
		{"AFSDB 1 a.", "0001016100"}, {"RT 10 a.", "000a016100"}, {"KX 10 a.", "000a016100"}, {"LP 10 a.", "000a016100"},
		{"PX 10 a. b.", "000a016100016200"}, {"X25 31161", "053331313631"}, {"ISDN \"15\" \"00\"", "0231350230" + "30"}, {"ISDN 15", "023135"},
		{"NSAP 0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00", "47000580005a0000000001e133ffffff00016100"},
		{"SIG A 13 2 60 4294967295 0 1 . AQID", "00010d020000003cffffffff00000000000100010203"},
		{"KEY 256 3 8 AQID", "01000308010203"}, {"KEY 49152 3 3", "c0000303"}, {"RKEY 0 255 1 AQID", "0000ff01010203"},
		{"GPOS -32.6882 116.8652 10.0", "082d33322e36383832083131362e383635320431302e30"},
		{"LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m", "000016138b3cf018810cbce0009895b8"},
		{"LOC 0 N 0 E 0", "00121613800000008000000000989680"},
		{"LOC 0 0 2.030 N 0 E 0", "00121613800007ee8000000000989680"},
		{"NXT a. A NS", "01610060"}, {"EID e32c 6f78", "e32c6f78"}, {"NIMLOC 3251a3", "3251a3"},
		{"ATMA +61200000000", "013631323030303030303030"}, {"ATMA 39.246f", "0039246f"},
		{"CERT PKIX 0 0 AQID", "0001000000010203"}, {"CERT 65534 65535 RSASHA256 AQ==", "fffeffff0801"},
		{"A6 0 2001:db8::1", "0020010db8000000000000000000000001"}, {"A6 64 ::1 a.", "400000000000000001016100"}, {"A6 128 a.", "80016100"},
		{"SINK 1 0 0 AQID", "010000010203"},
		{"APL", ""}, {"APL 1:192.0.2.0/24 !2:2001:db8::/32", "00011803c00002" + "0002208420010db8"},
		{"SSHFP 4 2 aabb", "0402aabb"}, {"TLSA 3 1 1 aa bb", "030101aabb"}, {"SMIMEA 3 1 1 aabb", "030101aabb"},
		{"IPSECKEY 10 0 0 .", "0a0000"}, {"IPSECKEY 10 1 2 192.0.2.1 AQID", "0a0102c0000201010203"}, {"IPSECKEY 10 3 2 a. AQID", "0a0302016100010203"},
		{"DHCID AQID", "010203"}, {"OPENPGPKEY AQ ID", "010203"}, {"HHIT AQID", "010203"}, {"BRID AQID", "010203"},
		{"HIP 2 2001 AQID a. b.", "020200032001010203016100016200"},
		{"NINFO a b", "01610162"}, {"AVC a", "0161"}, {"RESINFO qname-min", "09716e616d652d6d696e"}, {"WALLET BTC abc", "0342544303616263"}, {"CLA a", "0161"},
		{"CSYNC 1 3 A NS", "0000000100030001" + "60"}, {"CSYNC 1 3", "000000010003"},
		{"ZONEMD 1 1 240 000102030405060708090a0b", "0000000101f0000102030405060708090a0b"},
		{"DSYNC CDS NOTIFY 5359 a.", "003b0114ef016100"}, {"DSYNC CSYNC 1 53 a.", "003e010035016100"},
		{"UINFO a", "0161"}, {"UID 1", "00000001"}, {"GID 1", "00000001"}, {"IPN 18446744073709551615", "ffffffffffffffff"},
		{"NID 10 14:4fff:ff20:ee64", "000a00144fffff20ee64"}, {"L64 10 2001:db8:1140:1000", "000a20010db811401000"}, {"L32 10 192.0.2.1", "000ac0000201"},
		{"EUI48 00-00-5e-00-53-2a", "00005e00532a"}, {"EUI64 00-00-5e-ef-10-00-00-2a", "00005eef1000002a"},
		{"URI 10 1 \"" + long + "\"", "000a0001" + longHex}, {"URI 1 2 x", "0001000278"},
		{"CAA 0 issue \"" + long + "\"", "00056973737565" + longHex}, {"CAA 128 issue \"\"", "80056973737565"}, {"CAA 0 issue ca.test", "0005697373756563612e74657374"},
		{"DOA 1 2 3 \"text/plain\" AQID", "0000000100000002030a746578742f706c61696e010203"}, {"DOA 0 1 2 \"\" -", "00000000000000010200"},
		{"AMTRELAY 10 0 0 .", "0a00"}, {"AMTRELAY 10 1 1 192.0.2.1", "0a81c0000201"}, {"AMTRELAY 10 1 3 a.", "0a83016100"},
		{"TA 1 13 99 aabb", "00010d63aabb"}, {"DLV 1 13 2 aabb", "00010d02aabb"},
		{"LOC 0 N 0 E 0.m", "00121613800000008000000000989680"}, {"LOC 0 0 59. N 0 E +1", "00121613" + "8000e678" + "80000000" + "009896e4"},
		{"TXT \"a\\\nb\"", "03610a62"}, {"SVCB 1 . key65535=x", "000100" + "ffff000178"}, {"MX 10 \"a.\"", "000a016100"},
		{"DS 1 rsasha256 99 aa", "00010863aa"}, {"NSEC3 1 0 0 - 0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM", "0100000000" + "14065368abeed7ec6e9feba96b8c8bc3e8b791f716"},
		{"RKEY 0 255 rsasha1 AQID", "0000ff05010203"}, {"SVCB 1 . key2 alpn=h2", "000100" + "00010003026832" + "00020000"},
		// RFC 4034, section 3.1.5: 2222 is modulo 2^32.
		{"RRSIG A 13 2 60 21060207062816 21060207062815 1 . AQID", "00010d020000003c00000000ffffffff000100010203"},
		// RFC 9460, section 2.1: what follows keyNNNNN is the wire form.
		{"SVCB 1 . alpn=h2 key8", "000100" + "00010003026832" + "00080000"}, {`SVCB 1 . key1="\002h2"`, "000100" + "00010003026832"},
		{`SVCB 1 . key7="/q{?dns}" alpn=h2`, "000100" + "00010003026832" + "000700082f717b3f646e737d"},
		{"HTTPS 1 . ipv6hint=::ffff:192.0.2.1", "000100" + "0006001000000000000000000000ffffc0000201"},
		{`HTTPS 1 . alpn="f\\\\oo\\,bar,h2"`, "000100" + "0001000c08665c6f6f2c626172026832"},
		{"SVCB 1 . port=53 mandatory=port,alpn alpn=h2", "000100" + "0000000400010003" + "00010003026832" + "000300020035"},
		{`SVCB 16 a. key667="hello\210qoo"`, "0010016100" + "029b000968656c6c6fd2716f6f"}, {"SVCB 0 a.", "0000016100"},
		{"HTTPS 1 . ipv4hint=192.0.2.1,192.0.2.2 ech=AQID no-default-alpn alpn=h2", "000100" + "00010003026832" + "00020000" + "00040008c0000201c0000202" + "00050003010203"},
	} {
		name, _, _ := strings.Cut(c.text, " ")
		if typ, err := wire.ParseType(name); err != nil || typ.String() != name {
			t.Errorf("%s: %s, %v", name, typ, err)
		}
		records, err := readAll("a 60 " + c.text + "\n")
		if err != nil {
			t.Errorf("%.80s: %v", c.text, err)
			continue
		}
		if got := hex.EncodeToString(records[0].rdata); got != c.want {
			t.Errorf("%.80s:\ngot  %s\nwant %s", c.text, got, c.want)
			continue
		}
		// The same octets are as good in the form of RFC 3597.
		if _, err := readAll("a 60 " + name + ` \# ` + strconv.Itoa(len(records[0].rdata)) + " " + c.want + "\n"); err != nil {
			t.Errorf("%s as octets: %v", name, err)
		}
	}
}

// What other servers refuse: fields that are missing, left over, out of range or of another form.
func TestTypesRefused(t *testing.T) {
	for _, text := range []string{
		"TLSA 3 1 1", "TLSA 3 1 256 aa", "TLSA 3 1 1 aab", "SMIMEA 3 1 1", "SSHFP 4 2", "CERT PKIX 0 0", "CERT FOO 0 0 AQ==", "KEY 256 3 8",
		"DS 1 13 2", "CDS 1 13 2", "DNSKEY 256 3 8", "DLV 1 13 2", "TA 1 13 2", "OPENPGPKEY", "DHCID", "HHIT", "BRID", "EID", "NIMLOC", "RKEY 0 1 1",
		"HINFO a", "HINFO a b c", "X25", "X25 1 2", "ISDN", "ISDN a b c", "NINFO", "WALLET", "RESINFO", "MB", "MB a. b.", "MINFO a.", "RP a.",
		"AFSDB 1", "AFSDB 65536 a.", "AFSDB -1 a.", "RT 1", "PX 1 a.", "KX 1 a. b.", "GPOS 1 2", "GPOS 1 2 3 4", "LP 1",
		"NSAP", "NSAP 47", "NSAP 0x", "NSAP 0x4", "WKS 192.0.2.1", "WKS 192.0.2.1 6 65536", "WKS 192.0.2.1 256 1", "WKS 192.0.2.1 6 nowhere",
		"LOC", "LOC 91 N 0 E 0", "LOC 0 N 181 E 0", "LOC 0 60 N 0 E 0", "LOC 0 N 0 E", "LOC 90 0 1 N 0 E 0", "LOC 0 N 0 E 0 1 1 1 1", "LOC 0 E 0 N 0",
		"LOC 0 N 0 E 42849672.96m", "LOC 0 N 0 E -100000.01", "LOC 0 0 0.0001 N 0 E 0",
		"NXT a.", "NXT a. TYPE128", "ATMA", "ATMA +", "ATMA +x", "A6 129 ::", "A6 0", "A6 64 ::1", "A6 0 ::1 a.", "SINK 1 0 0",
		"APL 3:192.0.2.0/24", "APL 1:192.0.2.0/33", "APL 1:2001:db8::/32", "APL 192.0.2.0/24", "APL 1:192.0.2.0",
		"IPSECKEY 10 1 2 192.0.2.1", "IPSECKEY 10 4 2 . AQID", "IPSECKEY 10 0 2 a. AQID", "IPSECKEY 10 1 2 :: AQID",
		"HIP 2 20", "HIP 2 2001", "CSYNC 1", "ZONEMD 1 1 1", "ZONEMD 1 1 240 aabb", "DSYNC CDS NOTIFY 5359", "DSYNC CDS FOO 1 a.",
		"IPN 18446744073709551616", "IPN", "UID x", "NID 1 1:2:3", "NID 1 1:2:3:12345", "NID 1 1::2:3", "L64 1", "L32 1", "L32 1 a.",
		"EUI48 00-00-5e-00-53", "EUI48 00-00-5e-00-53-2a-2b", "EUI48 00005e00532a", "EUI64 0-00-5e-ef-10-00-00-2a",
		"URI 1 2", "URI 1 2 \"\"", "URI 1 2 a b", "CAA 0 issue", "CAA 256 issue \"x\"", "CAA 0 \"\" \"x\"", "CAA 0 is-sue x", "CAA 0 issue a b",
		"DOA 1 2 3 a", "DOA 1 2 3 a - b", "AMTRELAY 10 0 1", "AMTRELAY 10 2 0 .", "AMTRELAY 10 0 4 .", "AMTRELAY 10 0 128 .", "AMTRELAY 10 0 0 a.",
		"NULL", "NULL x", "UNSPEC x",
		"SVCB", "SVCB 1", "SVCB 65536 .", "SVCB 1 . alpn", "SVCB 1 . alpn=", "SVCB 1 . alpn=h2,", "SVCB 1 . mandatory=alpn", "SVCB 1 . mandatory=mandatory",
		"SVCB 1 . mandatory=alpn,alpn alpn=h2", "SVCB 1 . alpn=h2 alpn=h3", "SVCB 1 . alpn=h2 key1=\"\\002h3\"", "SVCB 1 . port", "SVCB 1 . port=65536",
		"SVCB 1 . port=1,2", "SVCB 1 . ipv4hint=::1", "SVCB 1 . ipv4hint=", "SVCB 1 . ipv6hint=192.0.2.1", "SVCB 1 . ohttp=x", "SVCB 1 . no-default-alpn=x alpn=h2",
		"SVCB 1 . key1=h2", "SVCB 1 . key01=x", "SVCB 1 . key65536", "SVCB 1 . foo=x", "SVCB 1 . \"alpn=h2\"", "SVCB 1 . alpn=\"h2\"port=1",
		"SVCB 1 . ech=x", "SVCB 1 . key0=\"\\000\\001\"",
		// Only text and names may be quoted.
		"A \"192.0.2.1\"", "AAAA \"2001:db8::1\"", "SOA a b 1 2 3 4 \"5\"", "MX \"10\" a.", "WKS \"192.0.2.1\" tcp smtp", "NSAP \"0x47\"", "KEY 256 3 8 \"AQID\"",
		"KEY 256 3 8 AQID \"\"", "EID \"aabb\"", "ATMA \"+612\"", "CERT \"PKIX\" 0 0 AQID", "CERT PKIX 0 0 \"AQID\"", "A6 0 \"::1\"", "SINK 1 0 0 \"AQID\"",
		"APL \"1:192.0.2.0/24\"", "DS 1 \"RSASHA256\" 99 aabb", "DS 1 8 99 \"aabb\"", "DS 1 8 99 aabb \"\"", "SSHFP 4 2 \"aabb\"", "IPSECKEY 10 2 2 \"::1\" AQID",
		"IPSECKEY 10 0 2 \".\" AQID", "RRSIG A 13 2 \"60\" 2 1 1 . AQID", "RRSIG A 13 2 60 \"2\" 1 1 . AQID", "RRSIG A 13 2 60 2 1 1 . \"AQID\"", "NSEC a. \"A\"",
		"DNSKEY 256 3 8 \"AQID\"", "NSEC3 1 0 0 \"-\" 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "NSEC3 1 0 0 - \"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom\"", "NSEC3PARAM 1 0 0 \"aa\"",
		"TLSA 3 1 1 \"aabb\"", "HIP 2 \"2001\" AQID", "HIP 2 2001 \"AQID\"", "RKEY 0 1 1 \"AQID\"", "OPENPGPKEY \"AQID\"", "DHCID \"AQID\"", "DSYNC CDS \"NOTIFY\" 1 a.",
		"DSYNC \"CDS\" 1 1 a.", "EUI48 \"00-00-5e-00-53-2a\"", "NID 1 \"1:2:3:4\"", "L32 1 \"192.0.2.1\"", "DOA 1 2 3 a \"AQID\"", "DOA 1 2 3 a \"-\"",
		"AMTRELAY 10 0 1 \"192.0.2.1\"", "AMTRELAY 10 0 0 \".\"", "LOC \"0\" N 0 E 0", "TYPE777 \\# 1 \"aa\"",
		// What is cut off, and what no server takes.
		"RRSIG A 13 2 1h 2 1 1 . AQID", "NSEC3 1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3to", "NSEC3 1 0 0 - 65535", "NSEC3 2 0 0 - 65535", "NSEC3 1 0 0 - 01", "OPENPGPKEY AQJ=",
		"RKEY 1 255 1 AQID", "TA 1 8 2 aabb", "HIP \\# 4 00000000", "HIP \\# 8 0102000100aabbcc", "SVCB 1 . no-default-alpn= alpn=h2", "SVCB 1 . no-default-alpn=\"\" alpn=h2",
		"DS 1 FOO 1 aa", "NSEC3 \\# 7 01000000000100",
	} {
		if _, err := readAll("a 60 " + text + "\n"); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
	// Only APL and NULL may be empty.
	for _, name := range strings.Fields("TLSA SMIMEA SSHFP CERT KEY DNSKEY DS CDS DLV TA OPENPGPKEY DHCID HHIT BRID EID NIMLOC RKEY HINFO X25 ISDN NINFO WALLET RESINFO " +
		"AVC CLA MB MINFO RP AFSDB RT PX KX GPOS LP NSAP WKS LOC NXT ATMA A6 SINK IPSECKEY HIP CSYNC ZONEMD DSYNC IPN UID GID UINFO NID L64 L32 EUI48 EUI64 URI CAA DOA " +
		"AMTRELAY SVCB HTTPS TALINK SIG NSAP-PTR") {
		if _, err := readAll("a 60 " + name + " \\# 0\n"); err == nil {
			t.Errorf("%s is empty: no error", name)
		}
	}
	if _, err := readAll("a 60 APL \\# 0\na 60 NULL \\# 0\n"); err != nil {
		t.Error(err)
	}
}
