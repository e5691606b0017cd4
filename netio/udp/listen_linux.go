package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// Listen opens a socket on o.Addr. It succeeds with less buffer memory than asked
// for; Warnings then says so. Errors wrap the kernel's errno.
func Listen(o Options) (*Port, error) {
	o = o.withDefaults()
	if !o.Addr.Addr().IsValid() {
		return nil, fmt.Errorf("listen on udp: no address")
	}
	if o.Memory != nil && len(o.Memory) < o.MemorySize() {
		return nil, fmt.Errorf("listen on udp: %d bytes of memory, not %d", len(o.Memory), o.MemorySize())
	}
	o.Addr = netip.AddrPortFrom(o.Addr.Addr().Unmap(), o.Addr.Port())
	family := unix.AF_INET
	if o.Addr.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open udp socket: %w", err)
	}
	p, err := listen(fd, o)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("listen on udp %s: %w", o.Addr, err)
	}
	return p, nil
}

func listen(fd int, o Options) (*Port, error) {
	if err := setOptions(fd, o); err != nil {
		return nil, err
	}
	sa, err := sockaddr(o.Addr)
	if err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, sa); err != nil {
		if errors.Is(err, unix.EACCES) {
			return nil, fmt.Errorf("bind: %w (ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE)", err)
		}
		return nil, fmt.Errorf("bind: %w", err)
	}
	p := newPort(fd, o)
	return p, p.askForBuffers(o)
}

// askForBuffers asks for the socket buffers. That there are less is a warning.
func (p *Port) askForBuffers(o Options) error {
	for _, b := range []struct {
		what, sysctl  string
		force, option int
		bytes         int
	}{
		{"receive", "net.core.rmem_max", unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, o.RcvBuf},
		{"send", "net.core.wmem_max", unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, o.SndBuf},
	} {
		got, err := setBuffer(p.fd, b.force, b.option, b.bytes)
		if err != nil {
			return fmt.Errorf("set %s buffer: %w", b.what, err)
		}
		if got < b.bytes {
			p.warnings = append(p.warnings, bufferWarning(o.Addr, b.what, b.sysctl, got, b.bytes))
		}
	}
	return nil
}

func setOptions(fd int, o Options) error {
	type option struct {
		name              string
		level, opt, value int
		wanted            bool
	}
	is6, wildcard := o.Addr.Addr().Is6(), o.Addr.Addr().IsUnspecified()
	for _, s := range []option{
		{"SO_REUSEPORT", unix.SOL_SOCKET, unix.SO_REUSEPORT, 1, o.ReusePort},
		{"IP_FREEBIND", unix.IPPROTO_IP, unix.IP_FREEBIND, 1, o.FreeBind && !is6},
		{"IPV6_FREEBIND", unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1, o.FreeBind && is6},
		{"IPV6_V6ONLY", unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1, is6},
		// Never set DF and never believe a path MTU: a forged ICMP message must not
		// make responses fragment or vanish.
		{"IP_MTU_DISCOVER", unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_OMIT, !is6},
		{"IPV6_MTU_DISCOVER", unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_OMIT, is6},
		{"IP_PKTINFO", unix.IPPROTO_IP, unix.IP_PKTINFO, 1, wildcard && !is6},
		{"IPV6_RECVPKTINFO", unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1, wildcard && is6},
	} {
		if !s.wanted {
			continue
		}
		if err := unix.SetsockoptInt(fd, s.level, s.opt, s.value); err != nil {
			return fmt.Errorf("set %s: %w", s.name, err)
		}
	}
	return nil
}

// setBuffer asks for a socket buffer and returns what the kernel gave, in the
// unit that was asked in. force goes beyond the sysctl limit and needs
// CAP_NET_ADMIN. A request for 0 bytes changes nothing.
func setBuffer(fd, force, option, bytes int) (got int, err error) {
	if bytes <= 0 {
		return 0, nil
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, bytes) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, bytes); err != nil {
			return 0, err
		}
	}
	got, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, option)
	// socket(7): the kernel doubles the value to allow for its own overhead.
	return got / 2, err
}

func bufferWarning(addr netip.AddrPort, what, sysctl string, got, asked int) string {
	return fmt.Sprintf("udp %s: the kernel gave a %s buffer of %d bytes instead of %d; to allow it: sysctl -w %s=%d",
		addr, what, got, asked, sysctl, asked)
}

// sockaddr converts an address to what bind wants, a zone to its interface index.
func sockaddr(ap netip.AddrPort) (unix.Sockaddr, error) {
	addr := ap.Addr()
	if addr.Is4() {
		return &unix.SockaddrInet4{Addr: addr.As4(), Port: int(ap.Port())}, nil
	}
	sa := &unix.SockaddrInet6{Addr: addr.As16(), Port: int(ap.Port())}
	if zone := addr.Zone(); zone != "" {
		index, err := strconv.ParseUint(zone, 10, 32)
		if err != nil {
			ifc, err := net.InterfaceByName(zone)
			if err != nil {
				return nil, fmt.Errorf("find interface %q: %w", zone, err)
			}
			index = uint64(ifc.Index)
		}
		sa.ZoneId = uint32(index)
	}
	return sa, nil
}
