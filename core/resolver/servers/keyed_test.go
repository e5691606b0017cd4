package servers

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"heimdall/core/dname"
)

// longest returns the most servers that share a hash chain.
func (t *Table) longest() (most int) {
	for _, i := range t.heads {
		n := 0
		for ; i >= 0; i = t.list[i].next {
			n++
		}
		most = max(most, n)
	}
	return most
}

// unkeyed is a hash of addresses that strangers can compute.
func unkeyed(addr netip.AddrPort) uint64 {
	a := addr.Addr().As16()
	h := uint64(addr.Port())
	for i := 0; i < 16; i += 8 {
		h = dname.Mix(h ^ (uint64(a[i]) | uint64(a[i+1])<<8 | uint64(a[i+2])<<16 | uint64(a[i+3])<<24 |
			uint64(a[i+4])<<32 | uint64(a[i+5])<<40 | uint64(a[i+6])<<48 | uint64(a[i+7])<<56))
	}
	return h
}

// Addresses that share a chain under one key, or under none, share none under another: a question costs no more probes than
// with addresses drawn at random.
func TestChosenAddressesShareNoChain(t *testing.T) {
	const many = 1024
	rnd := rand.NewChaCha8([32]byte{7})
	fresh := func() Table { return NewTable(many, many, [2]uint64{rnd.Uint64(), rnd.Uint64()}) }
	address := func(i uint32) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 53)
	}
	broad := func(i uint32) netip.AddrPort {
		a := [16]byte{0x20, 1, 0x0d, 0xb8, byte(i >> 8), byte(i), 0, byte(i >> 16)}
		a[8], a[15] = byte(i>>4), byte(i)
		return netip.AddrPortFrom(netip.AddrFrom16(a), 53)
	}
	known := fresh()
	for what, chosen := range map[string]func(i uint32) bool{
		"without a key":     func(i uint32) bool { return unkeyed(address(i))%many == 5 },
		"under another key": func(i uint32) bool { return known.bucket(address(i)) == &known.heads[5] },
		"in a row":          func(i uint32) bool { return true },
		"multiples of 4096": func(i uint32) bool { return i%4096 == 0 },
	} {
		for name, form := range map[string]func(i uint32) netip.AddrPort{"IPv4": address, "IPv6": broad} {
			for range 4 {
				s := fresh()
				for i, n := uint32(0), 0; i < 1<<24 && n < many; i++ {
					if chosen(i) {
						s.Get(form(i), 1)
						n++
					}
				}
				// With as many entries as chains the longest of random ones has 6 or so, more than 12 once in 10^7 tables.
				if most := s.longest(); most > 12 {
					t.Errorf("%s, chosen %s: %d servers in one chain", name, what, most)
				}
			}
		}
	}
}

// No single bit, and no two bits, of an address or its port vanish in the hash.
func TestServerHashSeesEachBit(t *testing.T) {
	rnd := rand.NewChaCha8([32]byte{8})
	base := [18]byte{0x20, 1, 0x0d, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 53}
	at := func(b [18]byte) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[:16])), uint16(b[16])<<8|uint16(b[17]))
	}
	var tables [64]Table
	for i := range tables {
		tables[i] = NewTable(4096, 4096, [2]uint64{rnd.Uint64(), rnd.Uint64()})
	}
	for i := range 144 {
		for j := i; j < 144; j++ {
			other := base
			other[i/8] ^= 1 << (i % 8)
			if j > i {
				other[j/8] ^= 1 << (j % 8)
			}
			same := 0
			for k := range tables {
				if tables[k].bucket(at(base)) == tables[k].bucket(at(other)) {
					same++
				}
			}
			if same > 6 {
				t.Errorf("bits %d and %d flipped: the same chain under %d of %d keys", i, j, same, len(tables))
			}
		}
	}
}
