package xsk

import "encoding/binary"

// link is a neighbour as frames show it: the Ethernet header of a response to it, MAC addresses, VLAN tags and
// protocol. The unused rest is zero, so that links compare as three words.
type link struct {
	head       [maxEthernet + 2]byte
	size       uint8  // octets of head; 0: no link
	generation uint16 // counts the links that were here
}

const (
	ethernetSize = 14
	tagSize      = 4
	// maxEthernet is a header with two tags (IEEE 802.1ad), as many as the XDP program takes.
	maxEthernet = ethernetSize + 2*tagSize
)

// linkSets and linkWays divide the table: 512 links, where a server has a router or two and perhaps a rack of
// neighbours. Two that are in turn at the same place cost the detour through the kernel socket, no response.
const (
	linkBits = 9
	linkWays = 4
	linkSets = 1 << linkBits / linkWays // 2^7: number takes the upper 7 bits of a hash
)

// links is a table of links, so that a netio.Endpoint needs to hold no more than a number.
type links struct {
	table [linkSets * linkWays]link
	turn  [linkSets]uint8 // the place in each set that is replaced next
	last  uint32          // index of the last link found
}

// answering writes the Ethernet header of a response to a frame whose own has size octets.
func (l *link) answering(frame []byte, size int) {
	copy(l.head[0:6], frame[6:12])
	copy(l.head[6:12], frame[0:6])
	l.head[12], l.head[13] = frame[12], frame[13]
	if size > ethernetSize {
		copy(l.head[ethernetSize:], frame[ethernetSize:size])
	}
	l.size = uint8(size)
}

// same compares all but the generation.
func (l *link) same(o *link) bool { return l.head == o.head && l.size == o.size }

// number returns the index and generation of a link, which it files if it is new.
func (t *links) number(l *link) (index uint32, generation uint16) {
	if at := &t.table[t.last]; at.same(l) {
		return t.last, at.generation
	}
	h := binary.LittleEndian.Uint64(l.head[:]) ^ binary.LittleEndian.Uint64(l.head[8:]) ^ binary.LittleEndian.Uint64(l.head[16:])
	h ^= h >> 32 // both ends of an address have to reach the upper bits
	set := uint32(h * 0x9e3779b97f4a7c15 >> 57)
	for i := range uint32(linkWays) {
		if at := &t.table[set*linkWays+i]; at.same(l) {
			t.last = set*linkWays + i
			return t.last, at.generation
		}
	}
	t.last = set*linkWays + uint32(t.turn[set])
	t.turn[set] = (t.turn[set] + 1) % linkWays
	at := &t.table[t.last]
	generation = (at.generation + 1) % (1 << generationBits)
	*at = *l
	at.generation = generation
	return t.last, generation
}

// get returns the link of a number, or nil if another has replaced it.
func (t *links) get(index uint32, generation uint16) *link {
	at := &t.table[index]
	if at.size == 0 || at.generation != generation {
		return nil
	}
	return at
}

// A scope is what a port keeps in netio.Endpoint.Scope: from the lowest bit on the index of the link, the index of
// the listen address, and the generation of the link. A link that was replaced 2^15 times while a query waited would
// be taken for the old one: no more than the detour of one response is lost by that.
const (
	wayBits        = 8
	generationBits = 32 - linkBits - wayBits
)

func makeScope(index uint32, way int, generation uint16) uint32 {
	return index | uint32(way)<<linkBits | uint32(generation)<<(linkBits+wayBits)
}

func splitScope(scope uint32) (index uint32, way int, generation uint16) {
	return scope % (1 << linkBits), int(scope >> linkBits % (1 << wayBits)), uint16(scope >> (linkBits + wayBits))
}
