// Package xsk is a netio.Port over one AF_XDP socket: the frames of one receive queue of one network interface,
// without the kernel's network stack.
//
// The socket gets what an XDP program redirects to it. Frames lie in a UMEM, which is memory that the port shares with
// the kernel. One part of it always receives, the other always sends. Four rings pass frames to and fro: the fill ring
// lends the kernel frames to receive into, and the rx ring returns them; the tx ring gives it frames to send, and the
// completion ring returns them.
//
// A response goes back the way that its query came: to the MAC address that sent the query, with the same VLAN tags,
// from the address and port that the query was sent to. So this package needs no routes and no neighbour table. A
// response that cannot go that way goes through a kernel socket that the owner provides.
package xsk

import (
	"net/netip"
	"time"

	"heimdall/netio"
)

const (
	// frameSize is the size and alignment of a frame in bytes: half a page, so that a frame of 1,514 octets has
	// room behind the kernel's headroom of 256 bytes.
	frameSize = 2048
	// receiveFrames is how many queries can wait: some milliseconds of them at full speed. It is the size of
	// the rx and fill rings too, so that neither can be full.
	receiveFrames = 2048
	// sendFrames is how many responses can be on their way, and the size of the tx and completion rings.
	sendFrames = 1024
)

// MemorySize is the size of a UMEM in bytes.
const MemorySize = (receiveFrames + sendFrames) * frameSize

// MaxWays is how many listen addresses a port can serve.
const MaxWays = 1 << wayBits

// Options say how to open a port.
type Options struct {
	// Interface is the index of the network interface, Queue the number of its receive queue.
	Interface, Queue int
	// MTU is that of the interface: the octets that an IP packet may have.
	MTU int
	// Memory is the UMEM: MemorySize bytes from the start of a page. It has to stay mapped until Close.
	Memory []byte
	// Copy keeps the driver's zero-copy mode off, as is needed where the XDP program runs in generic mode. Without
	// it the mode is used if the driver has it.
	Copy bool
	// BusyPoll is how long the kernel polls the queue in one call, instead of waiting for its interrupt
	// (SO_BUSY_POLL, in steps of 1 us, with SO_PREFER_BUSY_POLL). 0: it waits.
	BusyPoll time.Duration
	// Batch is how many frames one call of the kernel polls or sends; 0: as many as it likes.
	Batch int
	// Ways are the listen addresses whose queries may come, MaxWays of them at most. Frames to others are dropped.
	Ways []Way
	// Seed makes the identifications of IPv4 packets hard to foretell.
	Seed uint64
}

// Way is one listen address; the wildcard stands for all addresses of its family. Port is a kernel socket with that
// address, for the responses that the ring cannot send. It is used from within Send, and not closed.
type Way struct {
	Addr netip.AddrPort
	Port netio.Port
}
