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
// server. From then on the kernel drops what others send to it, and it reports on
// the socket that the query reached nobody, as an ICMP message says that names the
// port.
type own struct {
	fd    int // -1: not open
	turn  uint32
	state ownState
	loose bool // its port is the kernel's choice, which ends with the connection
	ipv6  bool
	ref   uint64 // of the query
	born  int64
	due   int64
	prev  uint16
	next  uint16 // of the same queue, or of the free ones
}

type ownState uint8

const (
	ownClosed  ownState = iota
	ownWaiting          // for an answer that is due
	ownOverdue          // a late answer is still taken, unless the room is needed
	ownIdle             // without a port, kept for a query to come
)

// maxIdle bounds the sockets of each family that are kept for queries to come: more
// than that many rarely end together.
const maxIdle = 64

// queue is sockets in the order in which they came to it; noSocket ends it.
type queue struct{ head, tail uint16 }

// owns are the sockets of one query each. Their numbers follow those of the
// shared ones.
type owns struct {
	list    []own // by number less first
	first   int
	used    int      // list[:used] has been in use
	free    uint16   // indices, the one freed last first
	open    int      // those with a query
	queues  [2]queue // of ownWaiting and ownOverdue
	sorted  int64    // when the first queue was last searched for what is overdue
	sweepAt int64    // when a socket may next be too old
}

func (o *owns) init(first, n int) {
	none := queue{noSocket, noSocket}
	*o = owns{list: make([]own, n), first: first, free: noSocket,
		queues: [2]queue{none, none}, sorted: math.MinInt64 / 2, sweepAt: math.MaxInt64}
}

// index returns the index of a socket number, or false if no socket of a query has
// that number.
func (o *owns) index(sock uint16) (uint16, bool) {
	i := int(sock) - o.first
	return uint16(i), i >= 0 && i < o.used && o.list[i].state.busy()
}

func (s ownState) busy() bool { return s == ownWaiting || s == ownOverdue }

// take returns a free index; there is one.
func (o *owns) take() uint16 {
	if i := o.free; i != noSocket {
		o.free = o.list[i].next
		return i
	}
	o.used++
	return uint16(o.used - 1)
}

func (o *owns) queue(s ownState) *queue { return &o.queues[s-ownWaiting] }

func (o *owns) push(i uint16, state ownState) {
	q, s := o.queue(state), &o.list[i]
	s.state, s.prev, s.next = state, q.tail, noSocket
	if q.tail != noSocket {
		o.list[q.tail].next = i
	} else {
		q.head = i
	}
	q.tail = i
}

func (o *owns) remove(i uint16) {
	s := &o.list[i]
	q := o.queue(s.state)
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
// taken until Release, for Options.Grace at most and as long as there is room. ref
// names the query in Release and UpstreamRefused.
//
// The error is a syscall.Errno, as of Send, or ErrLimit: Options.Ports sockets
// wait for answers that are due.
func (p *Pool) Own(ref uint64, server netip.AddrPort, due int64) (sock uint16, err error) {
	ipv6 := !server.Addr().Unmap().Is4()
	if !p.family(ipv6).usable {
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
	i, e := p.openOwn(ipv6)
	if outOfRoom(e) && (p.closeIdle() || p.evictOwn()) {
		i, e = p.openOwn(ipv6)
	}
	if e != 0 {
		p.stats.OpenErrors++
		return 0, e
	}
	s := &o.list[i]
	s.turn++
	s.ref, s.born, s.due = ref, p.now, due
	o.push(i, ownWaiting)
	o.open++
	o.sweepAt = min(o.sweepAt, p.now+int64(p.o.Grace))
	if e := connect(s.fd, &p.to); e != 0 {
		p.stats.SendErrors++
		p.shutOwn(i)
		return 0, e
	}
	return uint16(o.first) + i, nil
}

// outOfRoom says whether an error means that there is no descriptor or no memory.
func outOfRoom(e syscall.Errno) bool {
	return e == syscall.EMFILE || e == syscall.ENFILE || e == syscall.ENOBUFS || e == syscall.ENOMEM
}

// openOwn returns a socket to be connected: one on a random port, or one that the
// kernel will choose a port for. It chooses among those of
// net.ipv4.ip_local_port_range at random, so that where a random port lies within,
// it may as well choose. Its choice ends with the connection, and the socket can be
// used again, which costs a quarter as much. It does not choose the port of a tunnel
// that it has.
func (p *Pool) openOwn(ipv6 bool) (uint16, syscall.Errno) {
	o, f := &p.owns, p.family(ipv6)
	port := p.randomPort()
	loose := port >= p.kernelPorts[0] && port <= p.kernelPorts[1] && !f.bind.IsValid()
	if i := f.idle; loose && i != noSocket {
		f.idle = o.list[i].next
		f.idles--
		return i, 0
	}
	fd, e := -1, syscall.Errno(0)
	if loose {
		fd, e = openUnbound(ipv6)
	} else {
		fd, e = p.bind(port, func(port uint16) (int, syscall.Errno) {
			f.local.setPort(port)
			return openOwn(&f.local)
		})
	}
	if e != 0 {
		return 0, e
	}
	if o.free == noSocket && o.used == len(o.list) { // Those left are idle, and of no use for this one.
		p.closeIdle()
	}
	i := o.take()
	if err := p.poller.Add(fd, netio.Readable, netio.Token(netio.KindOutUDP, uint32(o.first)+uint32(i))); err != nil {
		closeSocket(fd)
		o.give(i)
		return 0, syscall.ENOSPC
	}
	p.stats.Opened++
	s := &o.list[i]
	s.fd, s.loose, s.ipv6 = fd, loose, ipv6
	return i, 0
}

// give takes a free index back.
func (o *owns) give(i uint16) {
	s := &o.list[i]
	s.fd, s.state, s.next = -1, ownClosed, o.free
	o.free = i
}

// closeIdle closes an idle socket. It returns false if none is idle.
func (p *Pool) closeIdle() bool {
	for n := range p.families {
		if i := p.families[n].idle; i != noSocket {
			p.dropIdle(i)
			return true
		}
	}
	return false
}

// Release gives up the port of a query that has ended, and keeps its socket if it
// can serve another one. It does nothing if the socket is not that query's any more.
func (p *Pool) Release(ref uint64, sock uint16) {
	o := &p.owns
	i, ok := o.index(sock)
	if !ok || o.list[i].ref != ref {
		return
	}
	s := &o.list[i]
	f := p.family(s.ipv6)
	if !s.loose || f.idles >= maxIdle || disconnect(s.fd) != 0 {
		p.shutOwn(i)
		return
	}
	o.remove(i)
	o.open--
	s.state, s.next = ownIdle, f.idle
	f.idle = i
	f.idles++
}

// shutOwn closes the socket of a query.
func (p *Pool) shutOwn(i uint16) {
	o := &p.owns
	o.remove(i)
	o.open--
	closeSocket(o.list[i].fd)
	o.give(i)
}

// dropIdle closes a socket if it is idle: something came to it before it was.
func (p *Pool) dropIdle(i uint16) {
	o := &p.owns
	if int(i) >= o.used || o.list[i].state != ownIdle {
		return
	}
	f := p.family(o.list[i].ipv6)
	for at := &f.idle; *at != noSocket; at = &o.list[*at].next {
		if *at == i {
			*at = o.list[i].next
			f.idles--
			closeSocket(o.list[i].fd)
			o.give(i)
			return
		}
	}
}

// evictOwn closes the socket whose query has been overdue longest. It returns false
// if no query is overdue.
func (p *Pool) evictOwn() bool {
	o := &p.owns
	overdue := o.queue(ownOverdue)
	if overdue.head == noSocket && p.now-o.sorted >= sortNanos {
		o.sorted = p.now
		for i := o.queue(ownWaiting).head; i != noSocket; {
			next := o.list[i].next
			if o.list[i].due <= p.now {
				o.remove(i)
				o.push(i, ownOverdue)
			}
			i = next
		}
	}
	if overdue.head == noSocket {
		return false
	}
	p.stats.PortsEvicted++
	p.shutOwn(overdue.head)
	return true
}

// sweepOwn closes the sockets that have been open for Options.Grace.
func (p *Pool) sweepOwn() {
	o := &p.owns
	o.sweepAt = math.MaxInt64
	for n := range o.queues {
		for i := o.queues[n].head; i != noSocket; {
			s := &o.list[i]
			next := s.next
			if dies := s.born + int64(p.o.Grace); dies <= p.now {
				p.shutOwn(i)
			} else {
				o.sweepAt = min(o.sweepAt, max(dies, p.now+sweepNanos))
			}
			i = next
		}
	}
}

// sendOwn sends the query of a socket of its own.
func (p *Pool) sendOwn(i uint16, msg []byte) error {
	fd, e := p.owns.list[i].fd, syscall.EINVAL
	if len(msg) > 0 {
		if e = send(fd, msg); p.owns.list[i].loose && unreachable(e) {
			// Perhaps an ICMP answer to the query that the socket served before.
			p.stats.SockErrors++
			e = send(fd, msg)
		}
	}
	err := p.sent(e)
	if err != nil {
		p.shutOwn(i)
	}
	return err
}

// unreachable says whether an error may be what an ICMP message says (ip(7), "Error
// handling"; icmp6 likewise), and not one of this call.
func unreachable(e syscall.Errno) bool {
	switch e {
	case 0, syscall.EAGAIN, syscall.EINTR, syscall.ENOMEM, syscall.ENOBUFS, syscall.EMSGSIZE, syscall.EINVAL, syscall.EBADF:
		return false
	}
	return true
}

// receiveOwn hands what waits at the socket of one query to the sink.
func (p *Pool) receiveOwn(i uint16) {
	s := &p.owns.list[i]
	turn := s.turn
	for range maxBatches {
		n, e := p.batch.receive(s.fd)
		switch {
		case e == syscall.EAGAIN:
			return
		case unreachable(e):
			ref := s.ref
			p.shutOwn(i)
			p.stats.Unreachable++
			p.sink.UpstreamRefused(ref)
			return
		case e != 0:
			p.stats.SockErrors++
			continue
		}
		for k := range n {
			p.deliver(uint16(p.owns.first)+i, k)
			if !s.state.busy() || s.turn != turn {
				return // the query has ended, or another one needed the room
			}
		}
		if n < batchLen {
			return
		}
	}
}
