//go:build !linux

package netio

import (
	"fmt"
	"time"
)

// Poller is available on Linux only.
type Poller struct{}

// NewPoller returns an error that wraps ErrNotSupported.
func NewPoller() (*Poller, error) { return nil, fmt.Errorf("create epoll: %w", ErrNotSupported) }

// Add returns ErrNotSupported.
func (p *Poller) Add(fd int, events uint32, token uint64) error { return ErrNotSupported }

// Mod returns ErrNotSupported.
func (p *Poller) Mod(fd int, events uint32, token uint64) error { return ErrNotSupported }

// Del returns ErrNotSupported.
func (p *Poller) Del(fd int) error { return ErrNotSupported }

// Wait returns 0.
func (p *Poller) Wait(events []Event, timeout time.Duration) int { return 0 }

// Wake does nothing.
func (p *Poller) Wake() {}

// Close returns ErrNotSupported.
func (p *Poller) Close() error { return ErrNotSupported }
