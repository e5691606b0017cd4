//go:build !linux

package anycast

import (
	"net/netip"
	"time"
)

type netlinks struct{}

func (netlinks) index(string) (int, error)                { return 0, ErrNotSupported }
func (netlinks) addresses() ([]address, error)            { return nil, ErrNotSupported }
func (netlinks) put(int, netip.Addr, time.Duration) error { return ErrNotSupported }
func (netlinks) remove(int, netip.Addr) error             { return ErrNotSupported }
func (netlinks) linger(netip.Addr) error                  { return ErrNotSupported }
func (netlinks) settle(netip.Addr) error                  { return ErrNotSupported }
