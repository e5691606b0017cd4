package ebpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
)

// xdpEndpoints is the variable that holds those of one family.
type xdpEndpoints [MaxEndpoints]xdpEndpoint

// SetEndpoints says to what addresses and ports queries come. Wildcard addresses are none: the caller lists the
// addresses that they stand for.
func (p *Program) SetEndpoints(list []netip.AddrPort) error {
	var v4, v6 xdpEndpoints
	var n4, n6 uint32
	for _, ap := range list {
		addr := ap.Addr().Unmap()
		to, n := &v6, &n6
		if addr.Is4() {
			to, n = &v4, &n4
		}
		if addr.IsUnspecified() || !addr.IsValid() {
			return fmt.Errorf("set endpoint %v: not one address", ap)
		}
		if *n == uint32(len(to)) {
			return fmt.Errorf("set endpoints: the program knows %d addresses of a family at most", len(to))
		}
		to[*n] = xdpEndpoint{Addr: words(addr), Port: bits.ReverseBytes16(ap.Port())}
		*n++
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listens && v4 == p.listen4 && v6 == p.listen6 {
		return nil
	}
	o := &p.objs
	p.listens = false
	// The counts are zero while the lists change: what comes meanwhile passes unseen.
	err := errors.Join(
		o.Listen4Count.Set(uint32(0)), o.Listen6Count.Set(uint32(0)),
		o.Listen4.Set(v4), o.Listen6.Set(v6),
		o.Listen4Count.Set(n4), o.Listen6Count.Set(n6))
	if err != nil {
		return fmt.Errorf("set endpoints: %w", err)
	}
	p.listens, p.listen4, p.listen6 = true, v4, v6
	return nil
}

// words returns an address as the program reads it: two words whose memory is in network order, IPv4 in the
// first octets.
func words(addr netip.Addr) (w [2]uint64) {
	var b [16]byte
	copy(b[:], addr.AsSlice())
	return [2]uint64{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])}
}

// SetLimits changes the rate while the program runs. Buckets stay as full as they are.
func (p *Program) SetLimits(l Limits) error {
	if l.IPv4Bits > 32 || l.IPv6Bits > 64 {
		return fmt.Errorf("set limits: prefix lengths %d and %d: at most 32 and 64", l.IPv4Bits, l.IPv6Bits)
	}
	interval, ahead := uint64(0), uint64(0)
	if l.PerSecond > 0 {
		interval = max(1e9/uint64(l.PerSecond), 1)
		ahead = max(interval*uint64(max(l.Burst, 1)-1), 10e6)
	}
	o := &p.objs
	err := errors.Join(
		o.LimitMask4.Set(mask(l.IPv4Bits)), o.LimitMask6.Set(mask(l.IPv6Bits)),
		o.LimitBurst.Set(ahead), o.LimitSlip.Set(l.Slip), o.LimitInterval.Set(interval))
	if err != nil {
		return fmt.Errorf("set limits: %w", err)
	}
	return nil
}

// mask returns a word whose memory begins with n set bits.
func mask(n uint8) uint64 { return bits.ReverseBytes64(^uint64(0) << (64 - n)) }
