package tcp

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// sockaddr returns the address family of addr and the address for the kernel.
func sockaddr(addr netip.AddrPort) (domain int, sa unix.Sockaddr, err error) {
	ip := addr.Addr().Unmap()
	if !ip.IsValid() {
		return 0, nil, unix.EINVAL
	}
	if ip.Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: ip.As4()}, nil
	}
	in6 := &unix.SockaddrInet6{Port: int(addr.Port()), Addr: ip.As16()}
	if ip.Zone() != "" {
		if in6.ZoneId, err = interfaceIndex(ip.Zone()); err != nil {
			return 0, nil, err
		}
	}
	return unix.AF_INET6, in6, nil
}

// interfaceIndex reads a zone, which is an interface's number or its name.
func interfaceIndex(zone string) (uint32, error) {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil
	}
	ifi, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("find interface %s: %w", zone, err)
	}
	return uint32(ifi.Index), nil
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// closeSocket closes a connection. With abort it is reset and what the kernel
// still holds for it is dropped; else that is still sent.
func closeSocket(fd int, abort bool) {
	if abort {
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	unix.Close(fd)
}

// hungUp reports whether the connection is dead, as opposed to its client having
// nothing more to send.
func hungUp(fd int) bool {
	if e, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || e != 0 {
		return true
	}
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err != nil || info.State == unix.BPF_TCP_CLOSE
}
