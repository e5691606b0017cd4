//go:build !linux

package udp

import (
	"fmt"

	"heimdall/netio"
)

// Port is available on Linux only.
type Port struct{ netio.Port }

// Listen returns an error that wraps netio.ErrNotSupported.
func Listen(o Options) (*Port, error) {
	return nil, fmt.Errorf("listen on udp %s: %w", o.withDefaults().Addr, netio.ErrNotSupported)
}

// Warnings returns nothing.
func (p *Port) Warnings() []string { return nil }

// AttachCPU returns netio.ErrNotSupported.
func AttachCPU(fd int, cpus []int) error { return netio.ErrNotSupported }
