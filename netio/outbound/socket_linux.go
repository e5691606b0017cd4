package outbound

import (
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

type option struct{ level, name, value int }

// openDatagram opens an unconnected UDP socket at addr, or any address when that
// is zero, and port, or a port of the kernel's choice when that is zero.
//
// It stays unconnected, so that ICMP errors, which anyone can forge, do not reach
// it, and so that one socket serves all servers.
func openDatagram(ipv6 bool, addr netip.Addr, port uint16, rcvBuf int) (int, syscall.Errno) {
	options := []option{
		// Neither set DF nor believe in path MTUs learnt from ICMP: a forged one
		// would have queries fragmented, and fragments can be replaced.
		{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_OMIT},
	}
	if ipv6 {
		options = []option{
			{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_OMIT},
			{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1},
		}
	}
	if rcvBuf > 0 {
		options = append(options, option{unix.SOL_SOCKET, unix.SO_RCVBUF, rcvBuf})
	}
	return openSocket(ipv6, unix.SOCK_DGRAM, options, netip.AddrPortFrom(addr, port), true)
}

// openUnbound opens a UDP socket that gets a port of the kernel's choice when it is
// connected. What it learns of path MTUs does no harm: a query is shorter than the
// least that the kernel believes, 552 octets.
func openUnbound(ipv6 bool) (int, syscall.Errno) {
	domain := unix.AF_INET
	if ipv6 {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, errno(err)
	}
	return fd, 0
}

// openOwn opens the same at a local address and port.
func openOwn(local *rawAddr) (int, syscall.Errno) {
	fd, e := openUnbound(local.is6())
	if e == 0 {
		if e = bind(fd, local); e != 0 {
			closeSocket(fd)
			return -1, e
		}
	}
	return fd, e
}

// localPortRange returns the first and last port that the kernel chooses among.
func localPortRange() (low, high uint16, ok bool) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0, 0, false
	}
	_, err = fmt.Sscan(string(text), &low, &high)
	return low, high, err == nil && low <= high
}

// openStream opens a TCP socket that leaves from addr when that is not zero.
func openStream(ipv6 bool, addr netip.Addr) (int, syscall.Errno) {
	options := []option{
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		// Choose the port when connecting: it then need only differ for one server.
		{unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1},
	}
	return openSocket(ipv6, unix.SOCK_STREAM, options, netip.AddrPortFrom(addr, 0), addr.IsValid())
}

func openSocket(ipv6 bool, kind int, options []option, local netip.AddrPort, bind bool) (int, syscall.Errno) {
	domain := unix.AF_INET
	if ipv6 {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, errno(err)
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			unix.Close(fd)
			return -1, errno(err)
		}
	}
	if bind {
		var sa unix.Sockaddr
		if ipv6 {
			in6 := &unix.SockaddrInet6{Port: int(local.Port())}
			if local.Addr().IsValid() {
				in6.Addr = local.Addr().As16()
				in6.ZoneId = interfaceIndex(local.Addr().Zone())
			}
			sa = in6
		} else {
			in4 := &unix.SockaddrInet4{Port: int(local.Port())}
			if local.Addr().IsValid() {
				in4.Addr = local.Addr().As4()
			}
			sa = in4
		}
		if err := unix.Bind(fd, sa); err != nil {
			unix.Close(fd)
			return -1, errno(err)
		}
	}
	return fd, 0
}

func closeSocket(fd int) { unix.Close(fd) }

// errno returns the kernel's error; x/sys returns no other.
func errno(err error) syscall.Errno {
	if e, ok := err.(syscall.Errno); ok {
		return e
	}
	return syscall.EINVAL
}
