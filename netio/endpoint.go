package netio

import "encoding/binary"

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
	// LocalPort is the port a connection came to. Zero for datagrams, whose socket tells.
	LocalPort uint16
	// Scope is the interface index that a link-local Addr or Local needs, else zero. Ports
	// that build frames themselves (netio/xsk) keep the way back to the peer here instead;
	// it means something to the port that set it only.
	Scope uint32
}

// Is4 reports whether the peer's address is IPv4.
func (e *Endpoint) Is4() bool {
	return binary.LittleEndian.Uint64(e.Addr[:8]) == 0 &&
		binary.LittleEndian.Uint32(e.Addr[8:12]) == 0xffff0000
}
