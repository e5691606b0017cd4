package dnssec

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// vectors are the examples of the RFCs that define the algorithms: a key, its DS record, an RRset and its
// signature.
var vectors = []struct {
	name, time string
	tag        uint16
	records    string
}{
	{"RFC 5702 6.1", "20150101000000", 9033, `
example.net. DNSKEY 256 3 8 AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/DlUmObdk=
www.example.net. A 192.0.2.91
www.example.net. RRSIG A 8 3 3600 20300101000000 20000101000000 9033 example.net. kRCOH6u7l0QGy9qpC9l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriShZNz85mwlMgNEacFYK/lPtPiVYP4bwg==`},
	{"RFC 5702 6.2", "20150101000000", 3740, `
example.net. DNSKEY 256 3 10 AwEAAdHoNTOW+et86KuJOWRDp1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFDxj13tOnD9u/1kTg7cV6rklMrZDtJCQ5PCl/D7QNPsgVsMu1J2Q8gpMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL
www.example.net. A 192.0.2.91
www.example.net. RRSIG A 10 3 3600 20300101000000 20000101000000 3740 example.net. tsb4wnjRUDnB1BUi+t6TMTXThjVnG+eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDtsuJRaeUw1ep94PzEWzr0iGYgZBWm/zpq+9fOuagYJRfDqfReKBzMweOLDiNa8iP5g9vMhpuv6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw=`},
	{"RFC 6605 6.1", "20100901000000", 55648, `
example.net. DNSKEY 257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==
example.net. DS 55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17
www.example.net. A 192.0.2.1
www.example.net. RRSIG A 13 3 3600 20100909100439 20100812100439 55648 example.net. qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==`},
	{"RFC 6605 6.2", "20100901000000", 10771, `
example.net. DNSKEY 257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40
example.net. DS 10771 14 4 72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6
www.example.net. A 192.0.2.1
www.example.net. RRSIG A 14 3 3600 20100909102025 20100812102025 10771 example.net. /L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0RSMROxxwGipWcJm`},
	// RFC 8080's signatures are those of erratum 4935.
	{"RFC 8080 6.1, first", "20150801000000", 3613, `
example.com. DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=
example.com. DS 3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b
example.com. MX 10 mail.example.com.
example.com. RRSIG MX 15 2 3600 1440021600 1438207200 3613 example.com. oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==`},
	{"RFC 8080 6.1, second", "20150801000000", 35217, `
example.com. DNSKEY 257 3 15 zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs=
example.com. DS 35217 15 2 401781b934e392de492ec77ae2e15d70f6575a1c0bc59c5275c04ebe80c6614c
example.com. MX 10 mail.example.com.
example.com. RRSIG MX 15 2 3600 1440021600 1438207200 35217 example.com. zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pcBg==`},
	{"RFC 8080 6.2, first", "20150801000000", 9713, `
example.com. DNSKEY 257 3 16 3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx1FYYUcJKm1MDpJtIA
example.com. DS 9713 16 2 6ccf18d5bc5d7fc2fceb1d59d17321402f2aa8d368048db93dd811f5cb2b19c7
example.com. MX 10 mail.example.com.
example.com. RRSIG MX 16 2 3600 1440021600 1438207200 9713 example.com. 3cPAHkmlnxcDHMyg7vFC34l0blBhuG1qpwLmjInI8w1CMB29FkEAIJUA0amxWndkmnBZ6SKiwZSAxGILn/NBtOXft0+Gj7FSvOKxE/07+4RQvE581N3Aj/JtIyaiYVdnYtyMWbSNyGEY2213WKsJlwEA`},
	{"RFC 8080 6.2, second", "20150801000000", 38353, `
example.com. DNSKEY 257 3 16 kkreGWoccSDmUBGAe7+zsbG6ZAFQp+syPmYUurBRQc3tDjeMCJcVMRDmgcNLp5HlHAMy12VoISsA
example.com. DS 38353 16 2 645ff078b3568f5852b70cb60e8e696cc77b75bfaaffc118cf79cbda1ba28af4
example.com. MX 10 mail.example.com.
example.com. RRSIG MX 16 2 3600 1440021600 1438207200 38353 example.com. E1/oLjSGIbmLny/4fcgM1z4oL6aqo+izT3urCyHyvEp4Sp8Syg1eI+lJ57CSnZqjJP41O/9l4m0AsQ4f7qI1gVnML8vWWiyW2KXhT9kuAICUSxv5OWbf81Rq7Yu60npabODB0QFPb/rkW3kUZmQ0YQUA`},
}

func TestVerifyVectors(t *testing.T) {
	for _, vec := range vectors {
		t.Run(vec.name, func(t *testing.T) {
			v := validator(t, vec.time)
			rrs := records(t, vec.records)
			zone := zoneOf(t, v, rrs[0])
			key := rdata(t, rrs[0])
			if tag := KeyTag(key); tag != vec.tag {
				t.Errorf("KeyTag = %d, want %d", tag, vec.tag)
			}
			rest := rrs[1:]
			if ds, ok := rest[0].(*dns.DS); ok {
				got, ok := MakeDS(zone.Name, key, DigestType(ds.DigestType))
				if !ok || hex.EncodeToString(got.Digest) != strings.ToLower(ds.Digest) || got.KeyTag != ds.KeyTag {
					t.Errorf("MakeDS = %x, %v, want %s", got.Digest, ok, ds.Digest)
				}
				rest = rest[1:]
			}
			set := rrset(t, rest)
			if r := v.Verify(set, zone.Keys); r.Status != Secure {
				t.Fatalf("Verify = %v, want secure", r)
			}
			// One bit of the data, of the signature, of the key: the signature is no good.
			for _, part := range [][]byte{set.Data[0], set.Sigs[0], key} {
				part[len(part)-2] ^= 1
				keys := v.Policy.newKeySet(zone.Name, &RRset{Data: [][]byte{key}})
				keys.keys[0].tag = vec.tag
				set.Result = Result{}
				if r := v.Verify(set, keys); r.Status != Bogus {
					t.Errorf("Verify with a bit changed = %v, want bogus", r)
				}
				part[len(part)-2] ^= 1
			}
		})
	}
}

// TestRootKeys holds the built-in anchor against the keys themselves.
func TestRootKeys(t *testing.T) {
	keys := records(t, `
. DNSKEY 257 3 8 AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=
. DNSKEY 257 3 8 AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBosZBU5eeHspaQWOmOElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+siFUiRAAxm9qyJNg/wOZqqzL/dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzGOHOijtzN+u1TQNatX2XBuzZNQ1K+s2CXkPIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayffKC73PYc=`)
	root := RootAnchor()
	if len(root.DS) != len(keys) || !root.Zone.IsRoot() {
		t.Fatalf("RootAnchor = %v, want %d keys", root, len(keys))
	}
	for i, tag := range []uint16{20326, 38696} {
		key := rdata(t, keys[i])
		if root.DS[i].KeyTag != tag || KeyTag(key) != tag || !root.DS[i].vouches(root.Zone, key) {
			t.Errorf("the anchor %v does not match the key with tag %d", root.DS[i], tag)
		}
	}
}
