package main

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// buffers is the size asked for socket buffers, in bytes: a hundred milliseconds
// of replies at full speed, should the generator be descheduled.
const buffers = 8 << 20

// openSocket makes a non-blocking socket of the given kind that is bound to
// local, if that is valid, and connected (or connecting) to server.
func openSocket(kind int, local netip.Addr, server netip.AddrPort) (int, error) {
	family := unix.AF_INET6
	if server.Addr().Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open socket: %w", err)
	}
	if kind == unix.SOCK_DGRAM {
		for force, plain := range map[int]int{unix.SO_RCVBUFFORCE: unix.SO_RCVBUF, unix.SO_SNDBUFFORCE: unix.SO_SNDBUF} {
			if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, buffers) != nil {
				// Only root may go beyond net.core.rmem_max; any size will do.
				_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, plain, buffers)
			}
		}
	} else {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if local.IsValid() {
		if err := unix.Bind(fd, sockaddr(netip.AddrPortFrom(local, 0))); err != nil {
			unix.Close(fd)
			return -1, fmt.Errorf("bind %s: %w", local, err)
		}
	}
	if err := unix.Connect(fd, sockaddr(server)); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, fmt.Errorf("connect to %s: %w", server, err)
	}
	return fd, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}
