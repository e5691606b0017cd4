package dnssec

import (
	"testing"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// TestAllocs holds what runs on a shard for every name to no allocation.
func TestAllocs(t *testing.T) {
	var anchors Anchors
	anchors.Set(RootAnchor())
	root := anchors.Closest(dnametest.Name("."))
	host := dnametest.Name("root-key-sentinel-is-ta-20326.Example.org.")
	key, sig, nsec := make([]byte, 260), append(make([]byte, 18), 0, 1), NSEC{Next: host, Types: appendBitmap(nil, wire.TypeA)}.Append(nil)
	zone := newSigner(t, "org.", ED25519, 256).link(t)
	for name, f := range map[string]func(){
		"Closest":        func() { anchors.Closest(host) },
		"SentinelFails":  func() { root.SentinelFails(host) },
		"KeyTag":         func() { KeyTag(key) },
		"ParseRRSIG":     func() { ParseRRSIG(sig) },
		"ParseNSEC":      func() { ParseNSEC(nsec) },
		"NSEC3 hash":     func() { hashName(host, 10, nil) },
		"Walk":           func() { w := NewWalk(zone, host); w.Need() },
		"Reason strings": func() { _ = ReasonExpired.String() },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
