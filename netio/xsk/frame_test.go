package xsk

import (
	"encoding/binary"
	"net/netip"
)

// The addresses of the tests.
var (
	client4 = netip.MustParseAddrPort("198.51.100.2:4096")
	server4 = netip.MustParseAddrPort("192.0.2.1:53")
	client6 = netip.MustParseAddrPort("[2001:db8:1::2]:4096")
	server6 = netip.MustParseAddrPort("[2001:db8::1]:53")
)

// frame is a frame from one address to another, in the slow and obvious way.
func frame(from, to netip.AddrPort, payload []byte, tags ...uint16) []byte {
	b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	for _, tag := range tags {
		b = binary.BigEndian.AppendUint16(b, tag)
		b = append(b, 0, 7)
	}
	size := uint16(8 + len(payload))
	var pseudo, ip []byte
	if to.Addr().Is4() {
		b = append(b, 8, 0)
		ip = []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0}
		binary.BigEndian.PutUint16(ip[2:], 20+size)
		ip = append(append(ip, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
		binary.BigEndian.PutUint16(ip[10:], checksum(ip))
		pseudo = append(pseudo, ip[12:20]...)
	} else {
		b = append(b, 0x86, 0xdd)
		ip = []byte{0x60, 0, 0, 0, byte(size >> 8), byte(size), 17, 64}
		ip = append(append(ip, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
		pseudo = append(pseudo, ip[8:40]...)
	}
	b = append(b, ip...)
	udp := binary.BigEndian.AppendUint16(nil, from.Port())
	udp = binary.BigEndian.AppendUint16(udp, to.Port())
	udp = binary.BigEndian.AppendUint16(udp, size)
	udp = append(append(udp, 0, 0), payload...)
	pseudo = append(pseudo, 0, 17, byte(size>>8), byte(size))
	sum := checksum(append(pseudo, udp...))
	if sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(udp[6:], sum)
	return append(b, udp...)
}

// checksum is the Internet checksum (RFC 1071) of b, in the slow and obvious way.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i, c := range b {
		if i%2 == 0 {
			sum += uint32(c) << 8
		} else {
			sum += uint32(c)
		}
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
