package ebpf

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// The flags of a prefix are those of all prefixes that hold it.
func TestFlags(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	list := func() (out []netip.Prefix) {
		for range 60 {
			addr := netip.AddrFrom4([4]byte{10, byte(rnd.IntN(4)), byte(rnd.IntN(4))})
			if rnd.IntN(2) == 0 {
				addr = netip.AddrFrom16([16]byte{0x20, 1, byte(rnd.IntN(4)), byte(rnd.IntN(4))})
			}
			out = append(out, netip.PrefixFrom(addr, rnd.IntN(25)))
		}
		return append(out, netip.MustParsePrefix("::ffff:10.1.0.0/112"))
	}
	c := Clients{Deny: list(), Exempt: list(), Ask: list()}
	got := flags(c)
	for i, from := range [][]netip.Prefix{c.Deny, c.Exempt, c.Ask} {
		for _, p := range from {
			want := uint8(0)
			for k, other := range [][]netip.Prefix{c.Deny, c.Exempt, c.Ask} {
				for _, o := range other {
					if o, p := unmap(o), unmap(p); o.Bits() <= p.Bits() && o.Contains(p.Addr()) {
						want |= 1 << k // as enum client has them
					}
				}
			}
			p = unmap(p)
			if key := (prefix{uint8(p.Bits()), p.Addr().Is6(), words(p.Addr())}); got[key] != want {
				t.Errorf("list %d, %v: flags %b, want %b", i, p, got[key], want)
			}
		}
	}
}
