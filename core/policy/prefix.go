package policy

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// prefix is what tells one client from another: the leading bits of its address, in two halves of the
// 16-octet form. IPv4 addresses lie in ::ffff:0:0/96.
type prefix struct{ high, low uint64 }

// grouping says how many leading bits make a client.
type grouping struct{ ipv4, ipv6 prefix }

// newGrouping makes a grouping from prefix lengths in bits: up to 32 for IPv4, up to 128 for IPv6.
func newGrouping(ipv4Bits, ipv6Bits int) grouping {
	return grouping{ipv4: mask(96 + ipv4Bits), ipv6: mask(ipv6Bits)}
}

func mask(n int) prefix {
	if n <= 64 {
		return prefix{high: ^uint64(0) << (64 - max(n, 0))}
	}
	return prefix{high: ^uint64(0), low: ^uint64(0) << (128 - min(n, 128))}
}

// of returns the prefix that addr belongs to.
func (g *grouping) of(addr netip.Addr) prefix {
	a := addr.As16()
	p := prefix{high: binary.BigEndian.Uint64(a[:8]), low: binary.BigEndian.Uint64(a[8:])}
	m := &g.ipv6
	if p.high == 0 && p.low>>32 == 0xffff {
		m = &g.ipv4
	}
	return prefix{p.high & m.high, p.low & m.low}
}

// first is the first address of p.
func (p prefix) first() netip.Addr {
	var a [16]byte
	binary.BigEndian.PutUint64(a[:8], p.high)
	binary.BigEndian.PutUint64(a[8:], p.low)
	return netip.AddrFrom16(a).Unmap()
}

// hash mixes p with a secret seed, so that nobody can choose addresses that meet in one chain.
func (p prefix) hash(seed uint64) uint64 {
	const a, b = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93 // odd, irregular
	high, low := bits.Mul64(p.high^seed^a, p.low^bits.RotateLeft64(seed, 32)^b)
	high, low = bits.Mul64(high^low^seed, b)
	return high ^ low
}
