package ebpf

import (
	"encoding/binary"
	"net/netip"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// The addresses of the tests.
var (
	server4 = netip.MustParseAddrPort("192.0.2.1:53")
	client4 = netip.MustParseAddrPort("198.51.100.2:4096")
	server6 = netip.MustParseAddrPort("[2001:db8::1]:53")
	client6 = netip.MustParseAddrPort("[2001:db8:1::2]:4096")
)

// frame is an Ethernet frame from a client to the server.
func frame(from, to netip.AddrPort, payload []byte, tags ...uint16) []byte {
	b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	for _, tag := range tags {
		b = append(b, byte(tag>>8), byte(tag), 0, 7)
	}
	size := uint16(8 + len(payload))
	if to.Addr().Is4() {
		b = append(b, 8, 0)
		ip := []byte{0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 63, 17, 0, 0}
		binary.BigEndian.PutUint16(ip[2:], 20+size)
		ip = append(append(ip, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
		binary.BigEndian.PutUint16(ip[10:], checksum(0, ip))
		b = append(b, ip...)
	} else {
		b = append(b, 0x86, 0xdd, 0x60, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, size)
		b = append(b, 17, 63)
		b = append(append(b, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	}
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint16(b, size)
	b = append(b, 0x55, 0xaa) // unfinished, as over veth
	return append(b, payload...)
}

// checksum is the Internet checksum (RFC 1071) of b, in the slow and obvious way.
func checksum(sum uint32, b []byte) uint16 {
	for i, c := range b {
		if i%2 == 0 {
			sum += uint32(c) << 8
		} else {
			sum += uint32(c)
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func name(text string) dname.Name {
	n, err := dname.ParseText(nil, text)
	if err != nil {
		panic(err)
	}
	return n
}

// query is a DNS query with RD; size 0: without an OPT.
func query(text string, t wire.Type, flags uint16, size uint16, do bool) []byte {
	q := wire.AppendQuery(nil, 0xbeef, wire.FlagRD|flags, name(text), t, wire.ClassIN)
	if size > 0 {
		q = wire.AppendOPT(q, wire.OPT{UDPSize: size, DO: do})
	}
	return q
}
