package outbound

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// rawAddr is a struct sockaddr_in or sockaddr_in6.
//
//	offset size
//	0      2    family, native order
//	2      2    port, network order
//	4      4    IPv4: address            IPv6: flow label
//	8      8    IPv4: zero               IPv6: address, 16 bytes
//	24     4                             IPv6: scope, native order
type rawAddr [28]byte

// size is how many bytes of the address the kernel looks at.
func (a *rawAddr) size() int {
	if a.is6() {
		return 28
	}
	return 16
}

func (a *rawAddr) is6() bool { return binary.NativeEndian.Uint16(a[:]) == syscall.AF_INET6 }

func (a *rawAddr) setPort(port uint16) { binary.BigEndian.PutUint16(a[2:], port) }

// zoneNanos is how long the number of an interface is believed, or its absence:
// interfaces come and go, and each look costs some system calls.
const zoneNanos = int64(5 * time.Second)

// zone is an interface that link-local servers are reached through.
type zone struct {
	name   string
	index  uint32 // 0: there is none of that name
	looked int64
}

// address writes server's address for the kernel.
func (p *Pool) address(a *rawAddr, server netip.AddrPort) syscall.Errno {
	ip := server.Addr().Unmap()
	a.setPort(server.Port())
	switch {
	case !ip.IsValid():
		return syscall.EINVAL
	case ip.Is4():
		binary.NativeEndian.PutUint16(a[:], syscall.AF_INET)
		*(*[4]byte)(a[4:]) = ip.As4()
		clear(a[8:])
	default:
		binary.NativeEndian.PutUint16(a[:], syscall.AF_INET6)
		clear(a[4:8])
		*(*[16]byte)(a[8:]) = ip.As16()
		scope, ok := p.scope(ip.Zone())
		if !ok {
			return syscall.ENXIO
		}
		binary.NativeEndian.PutUint32(a[24:], scope)
	}
	return 0
}

// addrPort reads an address the kernel wrote.
func (p *Pool) addrPort(a *rawAddr) netip.AddrPort {
	port := binary.BigEndian.Uint16(a[2:])
	if !a.is6() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(a[4:8])), port)
	}
	ip := netip.AddrFrom16([16]byte(a[8:24]))
	if scope := binary.NativeEndian.Uint32(a[24:]); scope != 0 && ip.IsLinkLocalUnicast() {
		ip = ip.WithZone(p.zoneName(scope))
	}
	return netip.AddrPortFrom(ip, port)
}

// scope returns the number of the interface a zone names: its number or its name.
func (p *Pool) scope(name string) (uint32, bool) {
	if name == "" {
		return 0, true
	}
	for i := range p.zones {
		z := &p.zones[i]
		if z.name == name {
			if p.now-z.looked >= zoneNanos {
				z.index, z.looked = interfaceIndex(name), p.now
			}
			return z.index, z.index != 0
		}
	}
	z := zone{name, interfaceIndex(name), p.now}
	p.zones = append(p.zones, z)
	return z.index, z.index != 0
}

// zoneName returns the zone as the server's address was given, so that a
// response compares equal to whom was asked.
func (p *Pool) zoneName(index uint32) string {
	for _, z := range p.zones {
		if z.index == index {
			return z.name
		}
	}
	return strconv.FormatUint(uint64(index), 10)
}

func interfaceIndex(name string) uint32 {
	if index, err := strconv.ParseUint(name, 10, 32); err == nil {
		return uint32(index)
	}
	if ifi, err := net.InterfaceByName(name); err == nil {
		return uint32(ifi.Index)
	}
	return 0
}
