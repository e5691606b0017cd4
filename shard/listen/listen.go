// Package listen opens the sockets of the listen addresses, and tells operators what to do when an address cannot be had.
package listen

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"heimdall/netio/tcp"
	"heimdall/netio/udp"
)

// Present returns the addresses without [::1] on a machine without IPv6, if another one is left. Any other address that is
// missing is the operator's concern. With free set, addresses that the machine does not have yet count too.
func Present(list []netip.AddrPort, free bool) []netip.AddrPort {
	v6 := netip.IPv6Loopback()
	if !slices.ContainsFunc(list, func(a netip.AddrPort) bool { return a.Addr() != v6 }) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(a netip.AddrPort) bool { return a.Addr() == v6 && !has(v6, free) })
}

// has tells whether the machine has an address, or does not say.
func has(addr netip.Addr, free bool) bool {
	p, err := udp.Listen(udp.Options{Addr: netip.AddrPortFrom(addr, 0), Batch: 1, FreeBind: free})
	if err != nil {
		return !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, syscall.EAFNOSUPPORT)
	}
	p.Close()
	return true
}

// Alone tells why nobody else may be at an address, by sockets that do not share it. Sockets that do would share it with
// those of another process too, which would lose a part of its queries to us.
func Alone(a netip.AddrPort, free bool) error {
	probe, err := UDP(udp.Options{Addr: a, Batch: 1, FreeBind: free})
	if err != nil {
		return err
	}
	return probe.Close()
}

// UDP opens a socket.
func UDP(o udp.Options) (*udp.Port, error) {
	p, err := udp.Listen(o)
	if err != nil {
		return nil, fmt.Errorf("listen on %v over UDP: %w", o.Addr, Advise(err, o.Addr))
	}
	return p, nil
}

// TCP opens a socket.
func TCP(a netip.AddrPort, free bool) (*tcp.Listener, error) {
	listen := tcp.Listen
	if free {
		listen = tcp.ListenFree
	}
	l, err := listen(a)
	if err != nil {
		return nil, fmt.Errorf("listen on %v over TCP: %w", a, Advise(err, a))
	}
	return l, nil
}

// Check opens sockets at an address and closes them. One that another check has open for a moment is waited for.
func Check(a netip.AddrPort, free bool) (err error) {
	for range 10 {
		if err = Alone(a, free); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	l, err := TCP(a, free)
	if err != nil {
		return err
	}
	return l.Close()
}

// Advise adds what to do to an error of the kernel about an address.
func Advise(err error, a netip.AddrPort) error {
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
