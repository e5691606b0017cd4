package ebpf

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// flags returns what each prefix of the table of clients may do: of several that hold an address the kernel finds
// the longest, so that it has to have the flags of all.
func flags(c Clients) map[prefix]uint8 {
	lists := [...]struct {
		flag uint8
		list []netip.Prefix
	}{{uint8(xdpClientCLIENT_DENY), c.Deny}, {uint8(xdpClientCLIENT_EXEMPT), c.Exempt}, {uint8(xdpClientCLIENT_ASK), c.Ask}}
	var tables [len(lists)]bart.Lite
	for i := range lists {
		for _, p := range lists[i].list {
			tables[i].Insert(unmap(p))
		}
	}
	all := map[prefix]uint8{}
	for i := range lists {
		for _, p := range lists[i].list {
			p = unmap(p)
			key := prefix{uint8(p.Bits()), p.Addr().Is6(), words(p.Addr())}
			for k := range tables {
				if tables[k].LookupPrefix(p) {
					all[key] |= lists[k].flag
				}
			}
		}
	}
	return all
}
