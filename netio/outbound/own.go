package outbound

import (
	"math"
	"net/netip"
	"syscall"
	"time"

	"heimdall/netio"
)

// sortNanos is the least time between two looks for sockets whose query is
// overdue, while all are in use.
const sortNanos = int64(10 * time.Millisecond)

// own is a socket for one query: its port is random, and it is connected to the
// server. The kernel drops what others send to it, and reports on it that the
// query reached nobody, in an ICMP message that names the port.
type own struct {
	fd      int // -1: not open
	turn    uint32
	overdue bool   // in owns.overdue
	ref     uint64 // of the query
	born    int64
	due     int64
	prev    uint16
	next    uint16 // of the same queue, or of the free ones
}

// queue is sockets in the order in which they were opened; noSocket ends it.
type queue struct{ head, tail uint16 }

// owns are the sockets of one query each. Their numbers follow those of the
// shared ones.
type owns struct {
	list    []own // by number less first
	first   int
	used    int    // list[:used] has been in use
	free    uint16 // indices, the one freed last first
	open    int
	waiting queue // for an answer that is due
	overdue queue // late answers are still taken, unless the room is needed
	sorted  int64 // when waiting was last searched for what is overdue
	sweepAt int64 // when a socket may next be too old
}

func (o *owns) init(first, n int) {
	none := queue{noSocket, noSocket}
	*o = owns{list: make([]own, n), first: first, free: noSocket, waiting: none, overdue: none,
		sorted: math.MinInt64 / 2, sweepAt: math.MaxInt64}
}

// index returns the index of a socket number, or false if it is none of an open
// socket of one query.
func (o *owns) index(sock uint16) (uint16, bool) {
	i := int(sock) - o.first
	return uint16(i), i >= 0 && i < o.used && o.list[i].fd >= 0
}

// take returns a free index; there is one.
func (o *owns) take() uint16 {
	if i := o.free; i != noSocket {
		o.free = o.list[i].next
		return i
	}
	o.used++
	return uint16(o.used - 1)
}

func (o *owns) queue(overdue bool) *queue {
	if overdue {
		return &o.overdue
	}
	return &o.waiting
}

func (o *owns) push(i uint16, overdue bool) {
	q, s := o.queue(overdue), &o.list[i]
	s.overdue, s.prev, s.next = overdue, q.tail, noSocket
	if q.tail != noSocket {
		o.list[q.tail].next = i
	} else {
		q.head = i
	}
	q.tail = i
}

func (o *owns) remove(i uint16) {
	s := &o.list[i]
	q := o.queue(s.overdue)
	if s.prev != noSocket {
		o.list[s.prev].next = s.next
	} else {
		q.head = s.next
	}
	if s.next != noSocket {
		o.list[s.next].prev = s.prev
	} else {
		q.tail = s.prev
	}
}

// Own opens a socket for one query, on a random port and connected to server.
// Its answer is expected until due, in nanoseconds of the shard's clock, and
// taken for Options.Grace as long as there is room. The socket is closed when the
// sink says that the query has ended, or by Release. ref names the query in
// UpstreamRefused.
//
// The error is a syscall.Errno, as of Send, or ErrLimit: Options.Ports sockets
// wait for answers that are due.
func (p *Pool) Own(ref uint64, server netip.AddrPort, due int64) (sock uint16, err error) {
	ipv6 := !server.Addr().Unmap().Is4()
	f := p.family(ipv6)
	if !f.usable {
		return 0, syscall.EAFNOSUPPORT
	}
	if e := p.address(&p.to, server); e != 0 {
		p.stats.SendErrors++
		return 0, e
	}
	o := &p.owns
	if o.open == len(o.list) && !p.evictOwn() {
		p.stats.PortsRefused++
		return 0, ErrLimit
	}
	fd, e := p.bindOwn(f)
	if e == 0 {
		if e = connect(fd, &p.to); e != 0 {
			closeSocket(fd)
			p.stats.SendErrors++
			return 0, e
		}
	}
	if e != 0 {
		p.stats.OpenErrors++
		return 0, e
	}
	i := o.take()
	sock = uint16(o.first) + i
	if err := p.poller.Add(fd, netio.Readable, netio.Token(netio.KindOutUDP, uint32(sock))); err != nil {
		o.list[i] = own{fd: -1, next: o.free}
		o.free = i
		p.stats.OpenErrors++
		closeSocket(fd)
		return 0, syscall.ENOSPC
	}
	o.list[i] = own{fd: fd, turn: o.list[i].turn + 1, ref: ref, born: p.now, due: due}
	o.push(i, false)
	o.open++
	o.sweepAt = min(o.sweepAt, p.now+int64(p.o.Grace))
	p.stats.Opened++
	return sock, nil
}

// bindOwn opens a socket on a random port. When descriptors have run out, that of
// an overdue query is given up.
func (p *Pool) bindOwn(f *family) (int, syscall.Errno) {
	open := func(port uint16) (int, syscall.Errno) {
		f.local.setPort(port)
		return openOwn(&f.local)
	}
	fd, e := p.bind(open)
	switch e {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
		if p.evictOwn() {
			return p.bind(open)
		}
	}
	return fd, e
}

// Release closes the socket of a query that is not wanted any more.
func (p *Pool) Release(sock uint16) {
	if i, ok := p.owns.index(sock); ok {
		p.shutOwn(i)
	}
}

func (p *Pool) shutOwn(i uint16) {
	o := &p.owns
	s := &o.list[i]
	closeSocket(s.fd)
	o.remove(i)
	s.fd, s.next = -1, o.free
	o.free = i
	o.open--
}

// evictOwn closes the socket whose query has been overdue longest. False if there
// is none.
func (p *Pool) evictOwn() bool {
	o := &p.owns
	if o.overdue.head == noSocket && p.now-o.sorted >= sortNanos {
		o.sorted = p.now
		for i := o.waiting.head; i != noSocket; {
			next := o.list[i].next
			if o.list[i].due <= p.now {
				o.remove(i)
				o.push(i, true)
			}
			i = next
		}
	}
	if o.overdue.head == noSocket {
		return false
	}
	p.stats.PortsEvicted++
	p.shutOwn(o.overdue.head)
	return true
}

// sweepOwn closes the sockets that have been open for Options.Grace.
func (p *Pool) sweepOwn() {
	o := &p.owns
	next := int64(math.MaxInt64)
	for _, q := range [...]*queue{&o.overdue, &o.waiting} {
		for q.head != noSocket && p.now-o.list[q.head].born >= int64(p.o.Grace) {
			p.shutOwn(q.head)
		}
		if q.head != noSocket {
			next = min(next, o.list[q.head].born+int64(p.o.Grace))
		}
	}
	o.sweepAt = max(next, p.now+sweepNanos)
	if next == math.MaxInt64 {
		o.sweepAt = next
	}
}

// sendOwn sends the query of a socket of its own.
func (p *Pool) sendOwn(i uint16, msg []byte) error {
	e := syscall.EINVAL
	if len(msg) > 0 {
		e = send(p.owns.list[i].fd, msg)
	}
	switch e {
	case 0:
		p.stats.Sent++
		return nil
	case syscall.EAGAIN, syscall.ENOBUFS, syscall.ENOMEM:
		p.stats.SendDrops++
		return nil
	}
	p.stats.SendErrors++
	p.shutOwn(i)
	return e
}

// receiveOwn hands what waits at the socket of one query to the sink.
func (p *Pool) receiveOwn(i uint16) {
	s := &p.owns.list[i]
	turn := s.turn
	for range maxBatches {
		n, e := p.batch.receive(s.fd)
		switch e {
		case 0:
		case syscall.EAGAIN, syscall.EINTR:
			return
		case syscall.ENOMEM, syscall.ENOBUFS, syscall.EMSGSIZE:
			p.stats.SockErrors++
			continue
		default: // What ICMP says of this query (ip(7), "Error handling"; icmp6 likewise).
			ref := s.ref
			p.shutOwn(i)
			p.stats.Unreachable++
			p.sink.UpstreamRefused(ref)
			return
		}
		for k := range n {
			done := p.deliver(uint16(p.owns.first)+i, k)
			if s.fd < 0 || s.turn != turn {
				return // the sink's queries needed the room
			}
			if done {
				p.shutOwn(i)
				return
			}
		}
		if n < batchLen {
			return
		}
	}
}
