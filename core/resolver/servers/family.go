package servers

import (
	"net/netip"
	"slices"
	"time"
)

const (
	ShutAfter  = 8                       // distinct networks in a row without a route until their family is taken to have none
	familyShut = int64(60 * time.Second) // how long such a family is left alone
)

// Families tells whether this host can reach IPv4 and IPv6 addresses at all. An address that cannot be sent to says
// little, as does a network: strangers name them. The zero value is that both can be reached.
type Families [2]familyState

type familyState struct {
	networks [ShutAfter]uint32 // without a route, since a server of the family answered last
	count    uint8
	until    int64 // the family is left alone
}

// NoRoute counts an address that no route leads to.
func (f *Families) NoRoute(ip netip.Addr, now int64) {
	s, n := &f[Family(ip)], networkOf(ip)
	if s.count < ShutAfter && !slices.Contains(s.networks[:s.count], n) {
		s.networks[s.count] = n
		s.count++
	}
	if s.count == ShutAfter {
		s.until = now + familyShut
	}
}

// Answered tells that a server of the family of ip has answered.
func (f *Families) Answered(ip netip.Addr) {
	s := &f[Family(ip)]
	s.count, s.until = 0, 0
}

// Shut says whether the servers of a family are left alone for now: only while those of the other family, unless that is
// off, may be asked.
func (f *Families) Shut(family int, off [2]bool, now int64) bool {
	return now < f[family].until && !off[1-family] && now >= f[1-family].until
}

// networkOf is what is likely to share a fate with an address: 256 to the IPv4 Internet, as many as there are providers
// to the IPv6 Internet, and one for all IPv6 addresses that are not of it, or lead to IPv4 ones.
func networkOf(ip netip.Addr) uint32 {
	if ip.Is4() {
		return uint32(ip.As4()[0])
	}
	a := ip.As16()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	if n>>29 != 1 || n>>16 == 0x2002 || n == 0x20010000 {
		return 0
	}
	return n
}

// Family is 0 for IPv4 and 1 for IPv6 addresses.
func Family(ip netip.Addr) int {
	if ip.Is4() {
		return 0
	}
	return 1
}
