// Package udp is a netio.Port over one kernel UDP socket, read and written in
// batches with recvmmsg and sendmmsg.
//
// A socket bound to one address carries nothing but payload and peer. A socket
// bound to the wildcard address also carries the address each datagram came to,
// so that the response leaves from the address the query was sent to.
package udp

import "net/netip"

const (
	// defaultBatch is how many datagrams one system call carries unless told.
	defaultBatch = 64
	// maxBatch is the kernel's own limit for one call (UIO_MAXIOV).
	maxBatch = 1024
	// defaultMaxDatagram is the receive buffer's size in bytes. Queries stay far
	// below it; what fills it is cut short by the kernel and dropped as oversize.
	defaultMaxDatagram = 2048
	// largestDatagram is the most a UDP length field can say, less the header.
	largestDatagram = 65527
)

// Options say how to open a port. Zero values take the default named here.
type Options struct {
	// Addr is where to listen. An IPv6 socket takes IPv6 only, the wildcard included.
	Addr netip.AddrPort
	// ReusePort lets several sockets, one a shard, share Addr.
	ReusePort bool
	// FreeBind allows an Addr that no interface has yet.
	FreeBind bool
	// RcvBuf and SndBuf are the socket buffers to ask for, in bytes of the kernel's
	// own accounting before it doubles them; 0 leaves the system's default.
	RcvBuf, SndBuf int
	// Batch is the most datagrams one system call carries; default 64, at most 1024.
	Batch int
	// MaxDatagram is the longest datagram received, in bytes; default 2048.
	// Longer ones are counted as oversize and dropped.
	MaxDatagram int
	// Memory is for the receive buffers, MemorySize bytes, and has to stay mapped until Close. Nil: they are on the Go heap.
	Memory []byte
}

// MemorySize is how many bytes the receive buffers take.
func (o Options) MemorySize() int {
	o = o.withDefaults()
	return o.Batch * bufferStride(o.MaxDatagram)
}

func (o Options) withDefaults() Options {
	if o.Batch <= 0 {
		o.Batch = defaultBatch
	}
	if o.MaxDatagram <= 0 {
		o.MaxDatagram = defaultMaxDatagram
	}
	o.Batch = min(o.Batch, maxBatch)
	o.MaxDatagram = min(o.MaxDatagram, largestDatagram)
	return o
}

// bufferStride is the distance of receive buffers: an odd number of cache lines,
// so that the first lines of a batch spread over all sets of the first-level
// cache. At a distance of 2048 they would all meet in two of its 64 sets.
func bufferStride(size int) int {
	const line = 64
	lines := (size + line - 1) / line
	return (lines | 1) * line
}
