package netiotest

import (
	"net/netip"
	"strconv"

	"heimdall/netio"
)

// From returns the endpoint of a peer without a local address. A zone counts when it is a number.
func From(ap netip.AddrPort) netio.Endpoint {
	e := netio.Endpoint{Addr: ap.Addr().As16(), Port: ap.Port()}
	if n, err := strconv.ParseUint(ap.Addr().Zone(), 10, 32); err == nil {
		e.Scope = uint32(n)
	}
	return e
}

// Peer returns the peer's address and port, IPv4 unmapped, without a zone.
func Peer(e netio.Endpoint) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(e.Addr).Unmap(), e.Port)
}

// Local returns the address that the datagram came to, IPv4 unmapped; the zero Addr when the socket is bound to one
// address.
func Local(e netio.Endpoint) netip.Addr {
	if e.Local == ([16]byte{}) {
		return netip.Addr{}
	}
	return netip.AddrFrom16(e.Local).Unmap()
}
