package hot

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"heimdall/ebpf"
)

// setEndpoints writes the listen addresses to the program, with the addresses of this machine for wildcards. Addresses
// beyond the program's bound are served through kernel sockets.
func (t *Tier) setEndpoints() error {
	list, err := endpoints(t.o.Listen, net.InterfaceAddrs)
	if err != nil {
		return err
	}
	return t.program.SetEndpoints(list)
}

// endpoints returns the listen addresses in order, at most ebpf.MaxEndpoints of each family. own lists this machine's.
func endpoints(listen []netip.AddrPort, own func() ([]net.Addr, error)) (list []netip.AddrPort, err error) {
	var local []net.Addr
	for _, ap := range listen {
		if !ap.Addr().IsUnspecified() {
			list = append(list, ap)
			continue
		}
		if local == nil {
			if local, err = own(); err != nil {
				return nil, fmt.Errorf("list the addresses that %v stands for: %w", ap, err)
			}
		}
		for _, a := range local {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && p.Addr().Is4() == ap.Addr().Is4() && !p.Addr().IsLoopback() {
				list = append(list, netip.AddrPortFrom(p.Addr().WithZone(""), ap.Port()))
			}
		}
	}
	slices.SortFunc(list, netip.AddrPort.Compare)
	list = slices.Compact(list)
	for _, v6 := range []bool{false, true} {
		n := 0
		list = slices.DeleteFunc(list, func(ap netip.AddrPort) bool {
			if ap.Addr().Is6() == v6 {
				n++
			}
			return ap.Addr().Is6() == v6 && n > ebpf.MaxEndpoints
		})
	}
	return list, nil
}
