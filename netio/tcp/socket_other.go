//go:build !linux

package tcp

import (
	"fmt"
	"net/netip"
	"syscall"

	"heimdall/netio"
)

// Listener is available on Linux only.
type Listener struct {
	fd       int
	addr     netip.AddrPort
	wildcard bool
}

// Listen returns an error that wraps netio.ErrNotSupported.
func Listen(addr netip.AddrPort) (*Listener, error) {
	return nil, fmt.Errorf("listen on tcp %s: %w", addr, netio.ErrNotSupported)
}

// ListenFree is not supported.
func ListenFree(addr netip.AddrPort) (*Listener, error) { return Listen(addr) }

// FD returns -1.
func (l *Listener) FD() int { return -1 }

// Close returns netio.ErrNotSupported.
func (l *Listener) Close() error { return netio.ErrNotSupported }

func accept(listener int, peer *netio.Endpoint) (int, syscall.Errno) { return -1, syscall.ENOSYS }
func localAddr(fd int, e *netio.Endpoint)                            {}
func closeSocket(fd int, abort bool)                                 {}
func hungUp(fd int) bool                                             { return true }
