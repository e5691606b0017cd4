package dnssec

import (
	"testing"

	"heimdall/core/dname/dnametest"
)

func TestSentinel(t *testing.T) {
	root := RootAnchor()
	for n, fails := range map[string]bool{
		"root-key-sentinel-is-ta-20326.example.":   false,
		"Root-Key-Sentinel-IS-TA-20326.example.":   false,
		"root-key-sentinel-is-ta-12345.example.":   true,
		"root-key-sentinel-not-ta-20326.example.":  true,
		"root-key-sentinel-not-ta-12345.example.":  false,
		"root-key-sentinel-is-ta-1234.example.":    false, // not five digits: an ordinary name
		"root-key-sentinel-is-ta-99999.example.":   false,
		"root-key-sentinel-is-ta-1234x.example.":   false,
		"x.root-key-sentinel-is-ta-12345.example.": false,
		"www.example.": false,
		".":            false,
	} {
		if got := root.SentinelFails(dnametest.Name(n)); got != fails {
			t.Errorf("%s: %v, want %v", n, got, fails)
		}
	}
}
