package udp

import (
	"encoding/binary"

	"heimdall/netio"

	"golang.org/x/sys/unix"
)

// rawAddr is a struct sockaddr_in or sockaddr_in6.
//
//	offset size
//	0      2    family, native order
//	2      2    port, network order
//	4      4    IPv4: address            IPv6: flow label
//	8      8    IPv4: zero               IPv6: address, 16 bytes
//	24     4                             IPv6: scope, native order
type rawAddr [unix.SizeofSockaddrInet6]byte

// mappedPrefix is bytes 8 to 11 of an IPv4-mapped address, read little-endian.
const mappedPrefix = 0xffff0000

// get4 reads an IPv4 sender.
func (a *rawAddr) get4(e *netio.Endpoint) {
	binary.LittleEndian.PutUint64(e.Addr[0:8], 0)
	binary.LittleEndian.PutUint32(e.Addr[8:12], mappedPrefix)
	*(*[4]byte)(e.Addr[12:16]) = *(*[4]byte)(a[4:8])
	e.Port = binary.BigEndian.Uint16(a[2:4])
	e.Scope = 0
}

// get6 reads an IPv6 sender. The kernel gives a scope for link-local senders only.
func (a *rawAddr) get6(e *netio.Endpoint) {
	e.Addr = *(*[16]byte)(a[8:24])
	e.Port = binary.BigEndian.Uint16(a[2:4])
	e.Scope = binary.NativeEndian.Uint32(a[24:28])
}

// put4 writes an IPv4 receiver over an address whose family is already set. It
// reports false for an IPv6 receiver, which an IPv4 socket cannot reach.
func (a *rawAddr) put4(e *netio.Endpoint) bool {
	binary.BigEndian.PutUint16(a[2:4], e.Port)
	*(*[4]byte)(a[4:8]) = *(*[4]byte)(e.Addr[12:16])
	return e.Is4()
}

// put6 writes an IPv6 receiver over an address whose family is already set.
// The kernel ignores the scope but for link-local receivers.
func (a *rawAddr) put6(e *netio.Endpoint) {
	binary.BigEndian.PutUint16(a[2:4], e.Port)
	*(*[16]byte)(a[8:24]) = e.Addr
	binary.NativeEndian.PutUint32(a[24:28], e.Scope)
}

func (a *rawAddr) setFamily(is6 bool) {
	family := uint16(unix.AF_INET)
	if is6 {
		family = unix.AF_INET6
	}
	binary.NativeEndian.PutUint16(a[0:2], family)
}
