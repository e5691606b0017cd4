package udp

import (
	"fmt"

	"heimdall/netio"

	"golang.org/x/sys/unix"
)

// Port is one UDP socket with the buffers of one batch in each direction. It
// implements netio.Port. Not safe for concurrent use; owned by one shard, and may
// be handed to another one between calls.
//
// Data that Recv returns has the whole receive buffer as its capacity; the caller
// may write there until the next Recv. Send keeps the last batch's Data reachable
// until the next Send.
type Port struct {
	fd       int
	is6      bool
	wildcard bool // every datagram carries the local address
	age      bool // every datagram received carries its time of arrival

	rx, tx   batch
	buf      []byte // receive buffers, stride bytes apart
	stride   int
	size     int // of one receive buffer
	reset    int // receive headers whose control length the kernel has changed
	rxCtlLen int // control bytes to ask for; 0 when neither wildcard nor age

	stats     netio.PortStats
	lastDrops uint32 // the kernel's drop counter as last read; it wraps
	warnings  []string
}

var _ netio.Port = (*Port)(nil)

func newPort(fd int, o Options) *Port {
	p := &Port{
		fd:       fd,
		is6:      o.Addr.Addr().Is6(),
		wildcard: o.Addr.Addr().IsUnspecified(),
		size:     o.MaxDatagram,
		stride:   bufferStride(o.MaxDatagram),
	}
	p.rx.init(o.Batch, p.is6)
	p.tx.init(o.Batch, p.is6)
	if p.buf = o.Memory; p.buf == nil {
		p.buf = make([]byte, o.MemorySize())
	}
	p.rx.lend(p.buf, p.stride, p.size)
	if p.wildcard {
		p.tx.prepareSource(p.is6)
	}
	p.askControl()
	return p
}

// FD is the socket's descriptor.
func (p *Port) FD() int { return p.fd }

// Warnings are what the operator should know about how the port was opened, one
// sentence each, with the remedy. Empty when all went as asked.
func (p *Port) Warnings() []string { return p.warnings }

// MeasureAge makes the kernel note when each datagram arrives (SO_TIMESTAMPNS).
// The first socket of the system that turns it on makes every packet received by
// the system pay for a clock reading, so turn it off again. That first time the
// kernel patches its code from a worker (net_enable_timestamp in net/core/dev.c):
// until that has run, what arrives looks as if it came when it was received.
// A failure leaves it off.
func (p *Port) MeasureAge(on bool) {
	if on == p.age {
		return
	}
	value := 0
	if on {
		value = 1
	}
	if unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, value) != nil {
		return
	}
	p.age = on
	p.askControl()
}

// askControl sets every receive header for the control messages now wanted.
func (p *Port) askControl() {
	p.rxCtlLen = 0
	if p.wildcard || p.age {
		p.rxCtlLen = controlSize
	}
	p.rx.setControl(p.rxCtlLen)
}

// Stats returns the counters. It asks the kernel how many datagrams found the
// receive queue full (SO_MEMINFO), rather than have every datagram carry the
// count (SO_RXQ_OVFL).
func (p *Port) Stats() netio.PortStats {
	if drops, ok := socketDrops(p.fd); ok {
		p.stats.QueueDrops += uint64(drops - p.lastDrops)
		p.lastDrops = drops
	}
	return p.stats
}

// Close closes the socket. Datagrams still in its queue are lost.
func (p *Port) Close() error {
	if err := unix.Close(p.fd); err != nil {
		return fmt.Errorf("close udp socket: %w", err)
	}
	return nil
}
