package supervisor

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"heimdall/core/config"
	"heimdall/netio/tcp"
	"heimdall/netio/udp"
)

// fitting is the configuration for this machine: without [::1] in server.listen where there is no IPv6, if another
// address is left. It is c itself if nothing has to go.
func fitting(c *config.Config) *config.Config {
	list := slices.DeleteFunc(slices.Clone(c.Server.Listen), func(a netip.AddrPort) bool { return lacks(c, a) })
	if len(list) == len(c.Server.Listen) {
		return c
	}
	next := *c
	next.Server.Listen = list
	return &next
}

// lacks tells whether an address of server.listen is the IPv6 loopback address on a machine without IPv6, and may be
// left out. Any other address that is missing is the operator's concern.
func lacks(c *config.Config, a netip.AddrPort) bool {
	v6 := netip.IPv6Loopback()
	if a.Addr() != v6 || !slices.ContainsFunc(c.Server.Listen, func(o netip.AddrPort) bool { return o.Addr() != v6 }) {
		return false
	}
	p, err := udp.Listen(udp.Options{Addr: netip.AddrPortFrom(v6, 0), Batch: 1, FreeBind: c.Server.FreeBind})
	if err != nil {
		return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
	}
	p.Close()
	return false
}

// advise adds what to do to an error of the kernel about an address.
func advise(err error, a netip.AddrPort) error {
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w (this machine does not have %s: correct it, add it to an interface, or set server.freebind = true to serve it once it is there)", err, a.Addr())
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w (another program is there: `ss -lntup sport = :%d` as root tells which; stop it, or choose another address or port)", err, a.Port())
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return fmt.Errorf("%w (this machine has no IPv6: remove %s)", err, a)
	}
	return err
}

// alone tells why nobody else may be at an address, by sockets that do not share it. Sockets that do would share it with
// those of another process too, which would lose a part of its queries to us.
func alone(c *config.Config, a netip.AddrPort) error {
	probe, err := udp.Listen(udp.Options{Addr: a, Batch: 1, FreeBind: c.Server.FreeBind})
	if err != nil {
		return fmt.Errorf("listen on %v over UDP: %w", a, advise(err, a))
	}
	return probe.Close()
}

func listenTCP(c *config.Config, a netip.AddrPort) (*tcp.Listener, error) {
	listen := tcp.Listen
	if c.Server.FreeBind {
		listen = tcp.ListenFree
	}
	l, err := listen(a)
	if err != nil {
		return nil, fmt.Errorf("listen on %v over TCP: %w", a, advise(err, a))
	}
	return l, nil
}
