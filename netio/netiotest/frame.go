package netiotest

import (
	"encoding/binary"
	"net/netip"
)

// UDP is a datagram on its way over Ethernet, of which Frame makes the octets in the slow and obvious way.
type UDP struct {
	From, To netip.AddrPort // of one family
	Tags     []uint16       // protocols of VLAN tags, the outer one first; each tag is of VLAN 7
	ID       uint16         // of the IPv4 header
	TTL      uint8          // or hop limit; 0: 64
	Payload  []byte
}

// Frame returns the frame, with its checksums, from 02:00:00:00:00:02 to 02:00:00:00:00:01.
func (u UDP) Frame() []byte {
	b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	for _, tag := range u.Tags {
		b = binary.BigEndian.AppendUint16(b, tag)
		b = append(b, 0, 7)
	}
	ttl := u.TTL
	if ttl == 0 {
		ttl = 64
	}
	size := uint16(8 + len(u.Payload))
	from, to := u.From.Addr().AsSlice(), u.To.Addr().AsSlice()
	if u.To.Addr().Is4() {
		ip := []byte{0x45, 0, 0, 0, byte(u.ID >> 8), byte(u.ID), 0, 0, ttl, 17, 0, 0}
		binary.BigEndian.PutUint16(ip[2:], 20+size)
		ip = append(append(ip, from...), to...)
		binary.BigEndian.PutUint16(ip[10:], Checksum(ip))
		b = append(append(b, 8, 0), ip...)
	} else {
		b = append(b, 0x86, 0xdd, 0x60, 0, 0, 0, byte(size>>8), byte(size), 17, ttl)
		b = append(append(b, from...), to...)
	}
	udp := binary.BigEndian.AppendUint16(nil, u.From.Port())
	udp = binary.BigEndian.AppendUint16(udp, u.To.Port())
	udp = binary.BigEndian.AppendUint16(udp, size)
	udp = append(append(udp, 0, 0), u.Payload...)
	sum := Checksum(from, to, []byte{0, 17, byte(size >> 8), byte(size)}, udp)
	if sum == 0 {
		sum = 0xffff // RFC 768: 0 says that there is none.
	}
	binary.BigEndian.PutUint16(udp[6:], sum)
	return append(b, udp...)
}

// Checksum returns the Internet checksum (RFC 1071) of parts one behind the other: 0 where they have a right checksum
// in them. All parts but the last have even lengths.
func Checksum(parts ...[]byte) uint16 {
	sum := uint32(0)
	for _, b := range parts {
		for i, c := range b {
			if i%2 == 0 {
				sum += uint32(c) << 8
			} else {
				sum += uint32(c)
			}
			sum = sum>>16 + sum&0xffff
		}
	}
	return ^uint16(sum)
}
