package policy

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// ACL is a set of address prefixes: those who may do something, or those who may not. Its zero value is empty.
// Contains remembers the last client: not safe for concurrent use; owned by one shard.
type ACL struct {
	table bart.Lite
	last  netip.Addr // the address that was looked up last
	found bool       // whether it is in the set
}

// NewACL makes an ACL of prefixes. Bits beyond the prefix length are ignored; ::ffff:0:0/96 prefixes stand
// for their IPv4 ones.
func NewACL(prefixes []netip.Prefix) *ACL {
	a := new(ACL)
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		a.table.Insert(p.Masked())
	}
	return a
}

// Contains tells whether addr is in the set. IPv4 addresses may come as ::ffff:a.b.c.d; a zone is ignored. It
// costs 4 ns for the client of the call before, ten times that for another one, and never allocates.
func (a *ACL) Contains(addr netip.Addr) bool {
	if addr == a.last {
		return a.found
	}
	return a.look(addr)
}

// Match returns the longest prefix of the set that addr is in; one that is not valid: none.
func (a *ACL) Match(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() {
		return netip.Prefix{}
	}
	p, _ := a.table.LookupPrefixLPM(netip.PrefixFrom(addr, addr.BitLen()))
	return p
}

func (a *ACL) look(addr netip.Addr) bool {
	a.last = addr
	addr = addr.Unmap()
	if addr.Zone() != "" {
		addr = addr.WithZone("")
	}
	a.found = addr.IsValid() && a.table.Contains(addr)
	return a.found
}
