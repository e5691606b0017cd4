package xsk

import (
	"encoding/binary"

	"heimdall/netio"
)

// Numbers of the protocols in a frame.
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	etherTag  = 0x8100 // IEEE 802.1Q
	etherQinQ = 0x88a8 // IEEE 802.1ad

	protocolUDP = 17

	ipv4Size = 20 // octets, without options
	ipv6Size = 40
	udpSize  = 8
)

// datagram is what parse finds in a frame beside the addresses.
type datagram struct {
	ethernet int    // octets of the Ethernet header, tags included
	port     uint16 // that it was sent to
	payload  []byte // within the frame
}

// parse reads a frame with one UDP datagram over IPv4 without options or IPv6 without extension headers, not a
// fragment, with up to two VLAN tags. It puts the addresses and the peer's port into e, and returns false for all
// else. The XDP program has checked as much, but a frame is a stranger's. Checksums are not verified: network cards
// have done so, and over veth they are unfinished.
func parse(b []byte, e *netio.Endpoint, d *datagram) bool {
	if len(b) < ethernetSize+ipv4Size+udpSize {
		return false
	}
	if (b[0]|b[6])&1 != 0 { // to a group, or from one
		return false
	}
	size := ethernetSize
	proto := binary.BigEndian.Uint16(b[12:])
	for size < maxEthernet && (proto == etherTag || proto == etherQinQ) {
		proto = binary.BigEndian.Uint16(b[size+2:])
		size += tagSize
	}
	d.ethernet = size
	ip := b[size:]
	switch proto {
	case etherIPv4:
		return parseIPv4(ip, e, d)
	case etherIPv6:
		return parseIPv6(ip, e, d)
	}
	return false
}

func parseIPv4(ip []byte, e *netio.Endpoint, d *datagram) bool {
	if len(ip) < ipv4Size+udpSize || ip[0] != 0x45 || ip[9] != protocolUDP {
		return false
	}
	if binary.BigEndian.Uint16(ip[6:])&0x3fff != 0 { // more fragments, or an offset
		return false
	}
	total := int(binary.BigEndian.Uint16(ip[2:]))
	if total < ipv4Size+udpSize || total > len(ip) {
		return false
	}
	e.Addr, e.Local = mapped, mapped
	copy(e.Addr[12:], ip[12:16])
	copy(e.Local[12:], ip[16:20])
	return parseUDP(ip[ipv4Size:total], e, d)
}

// mapped is the form of an IPv4 address in an Endpoint.
var mapped = [16]byte{10: 0xff, 11: 0xff}

func isMapped(addr *[16]byte) bool { return [12]byte(addr[:12]) == [12]byte(mapped[:12]) }

func parseIPv6(ip []byte, e *netio.Endpoint, d *datagram) bool {
	if len(ip) < ipv6Size+udpSize || ip[0]>>4 != 6 || ip[6] != protocolUDP {
		return false
	}
	length := int(binary.BigEndian.Uint16(ip[4:]))
	if length < udpSize || length > len(ip)-ipv6Size {
		return false
	}
	e.Addr, e.Local = [16]byte(ip[8:24]), [16]byte(ip[24:40])
	if isMapped(&e.Addr) || isMapped(&e.Local) { // would be taken for IPv4, here or on the way back
		return false
	}
	return parseUDP(ip[ipv6Size:ipv6Size+length], e, d)
}

// parseUDP takes what IP carries: at least a UDP header, and nothing beyond the datagram.
func parseUDP(udp []byte, e *netio.Endpoint, d *datagram) bool {
	if int(binary.BigEndian.Uint16(udp[4:])) != len(udp) {
		return false
	}
	e.Port = binary.BigEndian.Uint16(udp)
	d.port = binary.BigEndian.Uint16(udp[2:])
	d.payload = udp[udpSize:len(udp):len(udp)]
	return e.Port != 0 && d.port != 0
}
