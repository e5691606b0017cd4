package policy

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

func TestACL(t *testing.T) {
	var prefixes []netip.Prefix
	for _, s := range []string{"127.0.0.0/8", "::1/128", "192.0.2.77/24", "::ffff:198.51.100.0/120", "fe80::/10"} {
		prefixes = append(prefixes, netip.MustParsePrefix(s))
	}
	a := NewACL(prefixes)
	for _, c := range []struct {
		addr string
		want bool
	}{
		{"127.0.0.1", true},
		{"::ffff:127.0.0.1", true},
		{"128.0.0.1", false},
		{"::1", true},
		{"::2", false},
		{"192.0.2.1", true},
		{"198.51.100.9", true},
		{"198.51.101.9", false},
		{"fe80::1%eth0", true},
		{"fe80::1", true},
	} {
		addr := netip.MustParseAddr(c.addr)
		for range 2 { // the second time from memory
			if got := a.Contains(addr); got != c.want {
				t.Errorf("%s: %v", c.addr, got)
			}
		}
	}
	if a.Contains(netip.Addr{}) {
		t.Error("no address is allowed")
	}
	if new(ACL).Contains(netip.MustParseAddr("127.0.0.1")) {
		t.Error("the zero value allows")
	}
}

// The table finds what a look at every prefix finds.
func TestACLAgainstScan(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	random := func() netip.Addr {
		if rnd.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(rnd.IntN(4)), byte(rnd.IntN(256)), byte(rnd.IntN(256))})
		}
		return netip.AddrFrom16([16]byte{0x20, 1, byte(rnd.IntN(4)), byte(rnd.IntN(256)), 15: byte(rnd.IntN(256))})
	}
	for range 50 {
		var prefixes []netip.Prefix
		for range rnd.IntN(20) {
			a := random()
			prefixes = append(prefixes, netip.PrefixFrom(a, rnd.IntN(a.BitLen()-7)+8))
		}
		acl := NewACL(prefixes)
		for range 500 {
			a := random()
			want := slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
			if got := acl.Contains(a); got != want {
				t.Fatalf("%s in %v: %v", a, prefixes, got)
			}
		}
	}
}
