package tcp

import (
	"fmt"
	"net/netip"

	"heimdall/netio"

	"golang.org/x/sys/unix"
)

const (
	// backlog is how many connections may wait to be accepted; the kernel caps it
	// at net.core.somaxconn.
	backlog = 4096

	// notSentBytes is how many bytes the kernel takes for one connection beyond
	// what it may send at once. Without it a client that does not read would have
	// the kernel queue megabytes (net.ipv4.tcp_wmem) before Options.MaxQueued counts.
	notSentBytes = 128 << 10
)

// Listener is a listening socket, to be served by one Server at a time. It
// outlives the server, so that clients who connect while a shard restarts wait
// instead of being refused. Safe for concurrent use.
type Listener struct {
	fd       int
	addr     netip.AddrPort
	wildcard bool // connections must be asked for their local address
}

// Listen opens a listener at addr. Several may share one address: the kernel then
// spreads connections over them (SO_REUSEPORT). An IPv6 listener takes IPv6 only;
// port 0 picks a free port.
func Listen(addr netip.AddrPort) (*Listener, error) { return open(addr, false) }

// ListenFree is Listen also for an address that no interface has yet.
func ListenFree(addr netip.AddrPort) (*Listener, error) { return open(addr, true) }

func open(addr netip.AddrPort, free bool) (*Listener, error) {
	l, err := listen(addr, free)
	if err != nil {
		return nil, fmt.Errorf("listen on tcp %s: %w", addr, err)
	}
	return l, nil
}

func listen(addr netip.AddrPort, free bool) (*Listener, error) {
	domain, sa, err := sockaddr(addr)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return nil, fmt.Errorf("open socket: %w", err)
	}
	l := &Listener{fd: fd, wildcard: addr.Addr().IsUnspecified()}
	if l.addr, err = prepare(fd, domain, sa, free); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return l, nil
}

// prepare sets the options, binds and listens. Connections inherit the TCP
// options, which saves setting them one by one.
func prepare(fd, domain int, sa unix.Sockaddr, free bool) (netip.AddrPort, error) {
	type option struct {
		name              string
		level, opt, value int
	}
	options := []option{
		{"SO_REUSEADDR", unix.SOL_SOCKET, unix.SO_REUSEADDR, 1},
		{"SO_REUSEPORT", unix.SOL_SOCKET, unix.SO_REUSEPORT, 1},
		{"TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{"TCP_NOTSENT_LOWAT", unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentBytes},
	}
	if domain == unix.AF_INET6 {
		options = append(options, option{"IPV6_V6ONLY", unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1})
	}
	switch {
	case free && domain == unix.AF_INET6:
		options = append(options, option{"IPV6_FREEBIND", unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1})
	case free:
		options = append(options, option{"IP_FREEBIND", unix.IPPROTO_IP, unix.IP_FREEBIND, 1})
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.opt, o.value); err != nil {
			return netip.AddrPort{}, fmt.Errorf("set %s: %w", o.name, err)
		}
	}
	if err := unix.Bind(fd, sa); err != nil {
		if err == unix.EACCES {
			return netip.AddrPort{}, fmt.Errorf("bind: %w (ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE)", err)
		}
		return netip.AddrPort{}, fmt.Errorf("bind: %w", err)
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return netip.AddrPort{}, err
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("get bound address: %w", err)
	}
	return addrPort(bound), nil
}

// Adopt makes a listener of a socket that Listen has opened elsewhere, at addr: in another process that hands over to this
// one, or that has left it behind. Clients that wait there are accepted here. On an error the descriptor stays the caller's.
func Adopt(fd int, addr netip.AddrPort) (*Listener, error) {
	is, err := netio.LookAt(fd)
	if err != nil {
		return nil, err
	}
	if want := netio.Bound(addr); is.Type != unix.SOCK_STREAM || !is.Listening || is.Addr != want {
		return nil, fmt.Errorf("adopt a tcp listener: it is at %v, not at %v", is.Addr, want)
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("adopt tcp listener %v: %w", addr, err)
	}
	return &Listener{fd: fd, addr: is.Addr, wildcard: addr.Addr().IsUnspecified()}, nil
}

// FD returns the listening descriptor, which stays the listener's.
func (l *Listener) FD() int { return l.fd }

// Close closes the listener. Connections that nobody has accepted are reset.
func (l *Listener) Close() error { return unix.Close(l.fd) }
