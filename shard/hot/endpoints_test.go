package hot

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"

	"heimdall/ebpf"
)

// A wildcard stands for this machine's addresses of its family, loopback aside; no address stands twice.
func TestEndpoints(t *testing.T) {
	own := func() (list []net.Addr, err error) {
		for _, text := range []string{"127.0.0.1/8", "192.0.2.1/24", "::1/128", "2001:db8::1/64"} {
			ip, n, err := net.ParseCIDR(text)
			if err != nil {
				return nil, err
			}
			list = append(list, &net.IPNet{IP: ip, Mask: n.Mask})
		}
		return list, nil
	}
	for _, c := range []struct{ listen, want []string }{
		{[]string{"0.0.0.0:53"}, []string{"192.0.2.1:53"}},
		{[]string{"[::]:53"}, []string{"[2001:db8::1]:53"}},
		{[]string{"[::]:53", "0.0.0.0:54", "192.0.2.1:54", "127.0.0.1:53"}, []string{"127.0.0.1:53", "192.0.2.1:54", "[2001:db8::1]:53"}},
	} {
		var listen []netip.AddrPort
		for _, a := range c.listen {
			listen = append(listen, netip.MustParseAddrPort(a))
		}
		list, err := endpoints(listen, own)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range list {
			got = append(got, a.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.listen, got, c.want)
		}
	}
}

// The program knows a number of addresses of each family; the rest is left to the kernel's sockets.
func TestEndpointsBound(t *testing.T) {
	var listen []netip.AddrPort
	for i := range ebpf.MaxEndpoints + 5 {
		listen = append(listen, netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:53", i)), netip.MustParseAddrPort(fmt.Sprintf("[2001:db8::%x]:53", i)))
	}
	list, err := endpoints(listen, net.InterfaceAddrs)
	if err != nil {
		t.Fatal(err)
	}
	if v4 := slices.IndexFunc(list, func(a netip.AddrPort) bool { return a.Addr().Is6() }); v4 != ebpf.MaxEndpoints || len(list) != 2*v4 {
		t.Errorf("%d addresses, %d of IPv4", len(list), v4)
	}
}
