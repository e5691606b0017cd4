package xsk

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"heimdall/netio"

	"golang.org/x/sys/unix"
)

// Port is one AF_XDP socket. It implements netio.Port. Not safe for concurrent use; owned by one shard, and may be
// handed to another one between calls, even if the first ended in the middle of one: no frame is lost by it.
type Port struct {
	fd       int
	mem      []byte // UMEM
	zeroCopy bool
	busy     bool // the kernel polls when asked

	fill producer[uint64]
	done consumer[uint64] // completion
	rx   consumer[descriptor]
	tx   producer[descriptor]

	lent  []uint64 // frames of the last Recv: the caller's until the next
	free  []uint64 // frames for sending; the one that was last in use is on top, as it is near the CPU
	links links
	ways  ways

	ifindex uint32
	mtu     atomic.Int32
	id      uint64 // state of the generator of identifications

	one      [1]netio.Datagram // what goes to a kernel socket
	stats    netio.PortStats
	warnings []string
}

var _ netio.Port = (*Port)(nil)

// Open opens a socket and binds it to its queue. The memory has to be of the NUMA node of the CPU that will use it.
// It takes the capabilities CAP_NET_RAW and CAP_NET_ADMIN. The error wraps netio.ErrNotSupported if the kernel or
// the driver cannot do it, or does not allow it.
func Open(o Options) (*Port, error) {
	p, err := open(o)
	if err == nil {
		return p, nil
	}
	err = fmt.Errorf("open an AF_XDP socket on interface %d, queue %d: %w", o.Interface, o.Queue, err)
	for _, lacking := range []error{unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT, unix.EOPNOTSUPP, unix.ENOPROTOOPT, unix.EPERM, unix.EACCES} {
		if errors.Is(err, lacking) {
			return nil, fmt.Errorf("%w (%w)", err, netio.ErrNotSupported)
		}
	}
	return nil, err
}

func open(o Options) (_ *Port, err error) {
	p, err := newPort(o)
	if err != nil {
		return nil, err
	}
	if p.fd, err = unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if err := p.mapRings(); err != nil {
		return nil, err
	}
	if o.BusyPoll > 0 {
		if err := p.busyPoll(o.BusyPoll, o.Batch); err != nil {
			p.warnings = append(p.warnings, fmt.Sprintf("the AF_XDP socket of interface %d, queue %d is without busy polling: %v", o.Interface, o.Queue, err))
		}
	}
	p.raiseLimits(o.Batch)
	p.divide()
	return p, p.bind(o)
}

// newPort makes a port without a socket.
func newPort(o Options) (*Port, error) {
	if len(o.Memory) != MemorySize {
		return nil, fmt.Errorf("%d bytes of memory, not %d", len(o.Memory), MemorySize)
	}
	if len(o.Ways) > MaxWays {
		return nil, fmt.Errorf("%d listen addresses: it can serve %d", len(o.Ways), MaxWays)
	}
	p := &Port{
		mem: o.Memory, ifindex: uint32(o.Interface), ways: makeWays(o.Ways), id: o.Seed,
		lent: make([]uint64, 0, receiveFrames), free: make([]uint64, 0, sendFrames),
	}
	p.SetMTU(o.MTU)
	return p, nil
}

// SetMTU tells the port that its interface has another MTU. It may be called while the port is in use.
func (p *Port) SetMTU(mtu int) { p.mtu.Store(int32(mtu)) }

// divide lends the kernel the frames to receive into, which are the first, and keeps those to send.
func (p *Port) divide() {
	for i := range uint64(receiveFrames) {
		p.fill.put(i * frameSize)
	}
	p.fill.publish()
	for i := range uint64(sendFrames) {
		p.free = append(p.free, (receiveFrames+i)*frameSize)
	}
}

// mapRings registers the memory and makes the four rings.
func (p *Port) mapRings() error {
	if err := registerMemory(p.fd, p.mem); err != nil {
		if err == unix.ENOBUFS {
			return fmt.Errorf("register %d bytes of memory: more than the process may lock; raise its limit (ulimit -l): %w", len(p.mem), err)
		}
		return fmt.Errorf("register %d bytes of memory: %w", len(p.mem), err)
	}
	receive, send := uint32(receiveFrames), uint32(sendFrames)
	for _, r := range []struct {
		option int
		size   *uint32
	}{{unix.XDP_UMEM_FILL_RING, &receive}, {unix.XDP_RX_RING, &receive}, {unix.XDP_UMEM_COMPLETION_RING, &send}, {unix.XDP_TX_RING, &send}} {
		if err := setOption(p.fd, r.option, r.size); err != nil {
			return fmt.Errorf("make a ring of %d frames: %w", *r.size, err)
		}
	}
	var at unix.XDPMmapOffsets
	if err := getOption(p.fd, unix.XDP_MMAP_OFFSETS, &at); err != nil {
		return fmt.Errorf("ask where the rings are: %w", err)
	}
	var errs [4]error
	p.fill.ring, errs[0] = mapRing[uint64](p.fd, unix.XDP_UMEM_PGOFF_FILL_RING, at.Fr, receiveFrames)
	p.done.ring, errs[1] = mapRing[uint64](p.fd, unix.XDP_UMEM_PGOFF_COMPLETION_RING, at.Cr, sendFrames)
	p.rx.ring, errs[2] = mapRing[descriptor](p.fd, unix.XDP_PGOFF_RX_RING, at.Rx, receiveFrames)
	p.tx.ring, errs[3] = mapRing[descriptor](p.fd, unix.XDP_PGOFF_TX_RING, at.Tx, sendFrames)
	return errors.Join(errs[:]...)
}

// busyPoll makes the caller's system calls poll the queue.
func (p *Port) busyPoll(d time.Duration, budget int) error {
	us := int(max(d/time.Microsecond, 1))
	if budget <= 0 {
		budget = busyBudget
	}
	for _, o := range []struct{ option, value int }{
		{unix.SO_PREFER_BUSY_POLL, 1}, {unix.SO_BUSY_POLL, us}, {unix.SO_BUSY_POLL_BUDGET, min(budget, busyBudget)},
	} {
		if err := unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, o.option, o.value); err != nil {
			return fmt.Errorf("set busy polling: %w", err)
		}
	}
	p.busy = true
	return nil
}

// busyBudget is the most frames that the kernel takes in one poll. More need CAP_NET_ADMIN (NAPI_POLL_WEIGHT).
const busyBudget = 64

// raiseLimits lets one system call send a whole batch, and all frames be on their way at once. In copy mode the
// kernel counts each of them against the send buffer. Where that fails, more calls are made.
func (p *Port) raiseLimits(batch int) {
	budget := uint32(max(min(batch, sendFrames), 32))
	setOption(p.fd, unix.XDP_MAX_TX_SKB_BUDGET, &budget) // since Linux 6.17
	if unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 2*sendFrames*frameSize) != nil {
		unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 2*sendFrames*frameSize)
	}
}

// bind gives the socket its queue. Without XDP_COPY the kernel takes zero-copy mode where the driver has it.
func (p *Port) bind(o Options) error {
	a := unix.SockaddrXDP{Flags: unix.XDP_USE_NEED_WAKEUP, Ifindex: uint32(o.Interface), QueueID: uint32(o.Queue)}
	if o.Copy {
		a.Flags |= unix.XDP_COPY
	}
	if err := unix.Bind(p.fd, &a); err != nil {
		why := ""
		switch err {
		case unix.EBUSY:
			why = ": another program has it"
		case unix.EINVAL:
			why = ": the interface has no such queue, or the kernel does not know a flag"
		}
		return fmt.Errorf("bind%s: %w", why, err)
	}
	var options uint32
	if err := getOption(p.fd, unix.XDP_OPTIONS, &options); err != nil {
		return fmt.Errorf("ask for the mode: %w", err)
	}
	p.zeroCopy = options&unix.XDP_OPTIONS_ZEROCOPY != 0
	return nil
}

// ZeroCopy tells whether the network card writes to the UMEM, or the kernel copies.
func (p *Port) ZeroCopy() bool { return p.zeroCopy }

// Warnings are what the operator should know about how the port was opened, one sentence each.
func (p *Port) Warnings() []string { return p.warnings }

// FD is the socket's descriptor.
func (p *Port) FD() int { return p.fd }

// MeasureAge does nothing: the rings are too short for anything to grow old in them, so all ages are unknown.
func (p *Port) MeasureAge(bool) {}

// Stats returns the counters. It asks the kernel what it has dropped for want of a frame or of room in the rx ring.
func (p *Port) Stats() netio.PortStats {
	var s unix.XDPStatistics
	if getOption(p.fd, unix.XDP_STATISTICS, &s) == nil {
		p.stats.QueueDrops = s.Rx_dropped + s.Rx_ring_full
	}
	return p.stats
}

// Close closes the socket. Frames still in its rings are lost.
func (p *Port) Close() error {
	p.fill.close()
	p.done.close()
	p.rx.close()
	p.tx.close()
	if err := unix.Close(p.fd); err != nil {
		return fmt.Errorf("close AF_XDP socket: %w", err)
	}
	return nil
}
