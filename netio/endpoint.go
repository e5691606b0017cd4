package netio

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Endpoint is the far side of a conversation and the local address it was held
// with: all that is needed to send a response back the way the query came.
// It is comparable, holds no pointers and costs nothing to copy. The zero value
// is no endpoint.
type Endpoint struct {
	// Addr is the peer's address; IPv4 is written as ::ffff:a.b.c.d.
	Addr [16]byte
	// Local is the address the datagram came to, in the same form. Zero when the
	// socket is bound to one address: the kernel then needs no telling.
	Local [16]byte
	// Port is the peer's port in host byte order.
	Port uint16
	// Scope is the interface index that a link-local Addr or Local needs, else zero. Ports
	// that build frames themselves (netio/xsk) keep the way back to the peer here instead;
	// it means something to the port that set it only.
	Scope uint32
}

// EndpointFrom returns the endpoint of a peer without a local address.
// A zone is honoured when it is a number, else ignored.
func EndpointFrom(ap netip.AddrPort) Endpoint {
	e := Endpoint{Addr: ap.Addr().As16(), Port: ap.Port()}
	if zone := ap.Addr().Zone(); zone != "" {
		if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
			e.Scope = uint32(n)
		}
	}
	return e
}

// Is4 reports whether the peer's address is IPv4.
func (e *Endpoint) Is4() bool {
	return binary.LittleEndian.Uint64(e.Addr[:8]) == 0 &&
		binary.LittleEndian.Uint32(e.Addr[8:12]) == 0xffff0000
}

// IP returns the peer's address, IPv4 unmapped, without a zone. It does not allocate.
func (e *Endpoint) IP() netip.Addr { return netip.AddrFrom16(e.Addr).Unmap() }

// LocalIP returns the address the datagram came to, IPv4 unmapped, or the zero
// Addr when the socket is bound to one address.
func (e *Endpoint) LocalIP() netip.Addr {
	if e.Local == ([16]byte{}) {
		return netip.Addr{}
	}
	return netip.AddrFrom16(e.Local).Unmap()
}

// AddrPort returns the peer's address and port, IPv4 unmapped, without a zone.
// It does not allocate.
func (e *Endpoint) AddrPort() netip.AddrPort { return netip.AddrPortFrom(e.IP(), e.Port) }

// String returns the peer for logs: "192.0.2.1:53", "[fe80::1%2]:53".
func (e *Endpoint) String() string {
	ip := e.IP()
	if e.Scope != 0 && ip.IsLinkLocalUnicast() && ip.Is6() {
		ip = ip.WithZone(strconv.FormatUint(uint64(e.Scope), 10))
	}
	return netip.AddrPortFrom(ip, e.Port).String()
}
