package xsk

import (
	"encoding/binary"

	"heimdall/netio"
)

// hopLimit is the TTL and the hop limit of what is sent, as Linux has it (RFC 1700).
const hopLimit = 64

// overhead returns the octets of IP and UDP headers towards a peer.
func overhead(e *netio.Endpoint) int {
	if e.Is4() {
		return ipv4Size + udpSize
	}
	return ipv6Size + udpSize
}

// build writes the frame with a response into b, which has room for it, and returns its length in octets. port is
// the one that the query came to, id the identification of an IPv4 packet.
func build(b []byte, l *link, e *netio.Endpoint, port, id uint16, payload []byte) int {
	*(*[maxEthernet + 2]byte)(b) = l.head // what is too much is written over
	ip := b[l.size:]
	size := udpSize + len(payload)
	var udp []byte
	var sum uint64 // of the pseudo header
	if e.Is4() {
		udp = ip[ipv4Size:]
		sum = buildIPv4(ip[:ipv4Size], e, id, ipv4Size+size)
	} else {
		udp = ip[ipv6Size:]
		sum = buildIPv6(ip[:ipv6Size], e, size)
	}
	binary.BigEndian.PutUint16(udp, port)
	binary.BigEndian.PutUint16(udp[2:], e.Port)
	binary.BigEndian.PutUint16(udp[4:], uint16(size))
	sum += uint64(bigEndian(protocolUDP)) + uint64(bigEndian(uint16(size)))
	sum += uint64(binary.LittleEndian.Uint32(udp)) + uint64(bigEndian(uint16(size)))
	sum += copySum(udp[udpSize:size], payload)
	check := ^fold(sum)
	if check == 0 {
		check = 0xffff // RFC 768: zero means that there is none
	}
	binary.LittleEndian.PutUint16(udp[6:], check)
	return int(l.size) + len(ip) - len(udp) + size
}

// buildIPv4 writes an IPv4 header and returns the sum of the addresses. Do Not Fragment is not set, as kernel
// sockets do not: a forged ICMP message must not make a name unreachable.
func buildIPv4(ip []byte, e *netio.Endpoint, id uint16, total int) uint64 {
	_ = ip[ipv4Size-1]
	ip[0], ip[1] = 0x45, 0
	binary.BigEndian.PutUint16(ip[2:], uint16(total))
	binary.BigEndian.PutUint16(ip[4:], id)
	binary.BigEndian.PutUint16(ip[6:], 0)
	ip[8], ip[9] = hopLimit, protocolUDP
	from, to := binary.LittleEndian.Uint32(e.Local[12:]), binary.LittleEndian.Uint32(e.Addr[12:])
	binary.LittleEndian.PutUint32(ip[12:], from)
	binary.LittleEndian.PutUint32(ip[16:], to)
	addresses := uint64(from) + uint64(to)
	sum := addresses + uint64(binary.LittleEndian.Uint32(ip)) + uint64(binary.LittleEndian.Uint16(ip[4:])) + uint64(binary.LittleEndian.Uint16(ip[8:]))
	binary.LittleEndian.PutUint16(ip[10:], ^fold(sum))
	return addresses
}

// buildIPv6 writes an IPv6 header and returns the sum of the addresses.
func buildIPv6(ip []byte, e *netio.Endpoint, size int) uint64 {
	_ = ip[ipv6Size-1]
	binary.BigEndian.PutUint32(ip, 6<<28)
	binary.BigEndian.PutUint16(ip[4:], uint16(size))
	ip[6], ip[7] = protocolUDP, hopLimit
	return copySum(ip[8:24], e.Local[:]) + copySum(ip[24:40], e.Addr[:])
}

// copySum copies src to dst, which is as long, and returns the sum of its 16-bit words for the Internet checksum
// (RFC 1071), to be folded. Words are read in little-endian order: the sum is the same in any, with its octets in
// that order. 32 bits at a time leave the carries in the upper half.
func copySum(dst, src []byte) (sum uint64) {
	for len(src) >= 8 && len(dst) >= 8 {
		w := binary.LittleEndian.Uint64(src)
		binary.LittleEndian.PutUint64(dst, w)
		sum += w&0xffffffff + w>>32
		src, dst = src[8:], dst[8:]
	}
	var last uint64
	for i, c := range src {
		dst[i] = c
		last |= uint64(c) << (8 * i)
	}
	return sum + last&0xffffffff + last>>32
}

// fold makes 16 bits of a sum.
func fold(sum uint64) uint16 {
	sum = sum&0xffffffff + sum>>32
	sum = sum&0xffffffff + sum>>32
	sum = sum&0xffff + sum>>16
	sum = sum&0xffff + sum>>16
	return uint16(sum)
}

// bigEndian returns what a number is in memory in network order, read as little-endian.
func bigEndian(v uint16) uint16 { return v<<8 | v>>8 }
