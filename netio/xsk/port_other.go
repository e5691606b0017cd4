//go:build !linux

package xsk

import (
	"fmt"

	"heimdall/netio"
)

// Port is available on Linux only.
type Port struct{ netio.Port }

// Open returns an error that wraps netio.ErrNotSupported.
func Open(Options) (*Port, error) {
	return nil, fmt.Errorf("open an AF_XDP socket: %w", netio.ErrNotSupported)
}

// ZeroCopy returns false.
func (p *Port) ZeroCopy() bool { return false }

// Warnings returns nothing.
func (p *Port) Warnings() []string { return nil }

// SetMTU does nothing.
func (p *Port) SetMTU(int) {}
