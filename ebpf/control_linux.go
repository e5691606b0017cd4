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
	o := &p.objs
	// The counts are zero while the lists change.
	err := errors.Join(
		o.Listen4Count.Set(uint32(0)), o.Listen6Count.Set(uint32(0)),
		o.Listen4.Set(v4), o.Listen6.Set(v6),
		o.Listen4Count.Set(n4), o.Listen6Count.Set(n6))
	if err != nil {
		return fmt.Errorf("set endpoints: %w", err)
	}
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

// prefix is a key of the table of clients.
type prefix struct {
	bits uint8
	v6   bool
	addr [2]uint64
}

// SetClients changes the table of clients. It is changed prefix by prefix: for a moment some clients are
// treated by the old table and some by the new one.
func (p *Program) SetClients(c Clients) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := flags(c)
	// Prefixes of length 0 are variables: a table with nothing else is not looked at.
	any4, any6 := next[prefix{}], next[prefix{v6: true}]
	delete(next, prefix{})
	delete(next, prefix{v6: true})
	used := uint32(min(len(next), 1))
	o := &p.objs
	for k, flags := range next {
		if old, ok := p.clients[k]; !ok || old != flags {
			if err := o.Clients.Put(k.key(), uint32(flags)); err != nil {
				return fmt.Errorf("change the table of clients: %w", err)
			}
			p.clients[k] = flags
		}
	}
	err := errors.Join(o.Clients4.Set(uint32(any4)), o.Clients6.Set(uint32(any6)), o.ClientsUsed.Set(used))
	for k := range p.clients {
		if _, ok := next[k]; !ok {
			err = errors.Join(err, o.Clients.Delete(k.key()))
			delete(p.clients, k)
		}
	}
	if err != nil {
		return fmt.Errorf("change the table of clients: %w", err)
	}
	return nil
}

// unmap makes an IPv4 prefix of one of mapped addresses, and clears the bits beyond its length.
func unmap(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

func (k prefix) key() *xdpClientKey {
	out := &xdpClientKey{Bits: 32 + uint32(k.bits), Addr: k.addr}
	if k.v6 {
		out.V6 = 1
	}
	return out
}
