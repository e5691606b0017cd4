package netio

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// Socket is what the kernel tells about an IPv4 or IPv6 socket.
type Socket struct {
	Addr      netip.AddrPort // that it is bound to; a zone is the number of an interface
	Type      int            // unix.SOCK_DGRAM or unix.SOCK_STREAM
	Listening bool
}

// LookAt tells what sort of socket a descriptor is that came from elsewhere. An error says that it is none for DNS.
func LookAt(fd int) (s Socket, err error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return s, fmt.Errorf("look at a socket: %w", err)
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		s.Addr = netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		addr := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(sa.ZoneId), 10))
		}
		s.Addr = netip.AddrPortFrom(addr, uint16(sa.Port))
	default:
		return s, fmt.Errorf("look at a socket: it is of family %T", sa)
	}
	if s.Type, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return s, fmt.Errorf("look at a socket: %w", err)
	}
	listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil {
		return s, fmt.Errorf("look at a socket: %w", err)
	}
	s.Listening = listening != 0
	return s, nil
}

// Bound writes an address as LookAt does: IPv4 as such, a zone as the number of an interface.
func Bound(a netip.AddrPort) netip.AddrPort {
	addr := a.Addr().Unmap()
	if zone := addr.Zone(); zone != "" {
		if i, err := net.InterfaceByName(zone); err == nil {
			addr = addr.WithZone(strconv.Itoa(i.Index))
		}
	}
	return netip.AddrPortFrom(addr, a.Port())
}
