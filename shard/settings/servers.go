package settings

import (
	"net/netip"

	"heimdall/core/config"
	"heimdall/core/resolver"
)

// Bounds on how many servers stand for all that are asked.
const (
	manyGroups = 32 // servers of [[forward]] and [[stub]]
	manyHints  = 4  // root servers of a family
)

// FirstServers are those that are asked first: forwarders, servers of stub zones, and some of the root's.
func FirstServers(c *config.Config, hints []resolver.Hint) (list []netip.AddrPort) {
	for _, groups := range [][]config.Upstream{c.Forward, c.Stub} {
		for i := range groups {
			for _, addr := range groups[i].Servers {
				if len(list) < manyGroups {
					list = append(list, addr)
				}
			}
		}
	}
	if !c.Recursion.Enabled {
		return list
	}
	four, six := 0, 0
	for _, h := range hints {
		count, on := &four, c.Recursion.IPv4
		if h.Addr.Is6() {
			count, on = &six, c.Recursion.IPv6
		}
		if on && *count < manyHints {
			*count++
			list = append(list, netip.AddrPortFrom(h.Addr, 53))
		}
	}
	return list
}
