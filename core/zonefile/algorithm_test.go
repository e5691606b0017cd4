package zonefile

import (
	"encoding/hex"
	"strings"
	"testing"
)

// The mnemonics of the IANA registry of DNSSEC algorithm numbers, in either letter case.
func TestAlgorithmMnemonics(t *testing.T) {
	registry := map[string]string{
		"DELETE": "00", "RSAMD5": "01", "DH": "02", "DSA": "03", "RSASHA1": "05", "DSA-NSEC3-SHA1": "06", "RSASHA1-NSEC3-SHA1": "07", "RSASHA256": "08",
		"RSASHA512": "0a", "ECC-GOST": "0c", "ECDSAP256SHA256": "0d", "ECDSAP384SHA384": "0e", "ED25519": "0f", "ED448": "10", "SM2SM3": "11", "ECC-GOST12": "17",
		"INDIRECT": "fc", "PRIVATEDNS": "fd", "PRIVATEOID": "fe",
		// as BIND calls them
		"NSEC3DSA": "06", "NSEC3RSASHA1": "07", "ECCGOST": "0c",
		"0": "00", "99": "63", "255": "ff",
	}
	for name, want := range registry {
		for _, text := range []string{name, strings.ToLower(name)} {
			records, err := readAll("a 60 DS 1 " + text + " 99 aa\n")
			if err != nil {
				t.Errorf("%s: %v", text, err)
			} else if got := hex.EncodeToString(records[0].rdata[2:3]); got != want {
				t.Errorf("%s is %s, want %s", text, got, want)
			}
		}
	}
	for _, text := range []string{"256", "RSASHA", "-1", "8x", "\"8\""} {
		if _, err := readAll("a 60 DS 1 " + text + " 99 aa\n"); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}
