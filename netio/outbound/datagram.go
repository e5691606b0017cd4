package outbound

import (
	"net/netip"
	"syscall"
)

const (
	// batchLen is how many datagrams one receive fetches.
	batchLen = 16

	// datagramLen is how much of a datagram is taken, in octets. It is above every
	// payload size that resolvers commonly offer. What is longer gets the TC flag
	// (RFC 1035, section 4.1.1), so that the answer is asked for by stream.
	datagramLen = 4096

	headerLen = 12   // octets of a DNS header
	flagTC    = 0x02 // in its third octet

	// maxBatches bounds the receives for one socket in one turn.
	maxBatches = 4
)

// Send sends a message from the given socket, which Pick or Own returned for the
// same server just before. The error is a syscall.Errno and final for this server and
// socket: no route, not permitted, too large, or EBADF when the socket has been
// closed. A message the kernel has no room for counts as lost on the way, without
// an error. A socket of Own is closed on an error.
func (p *Pool) Send(sock uint16, server netip.AddrPort, msg []byte) error {
	if i, ok := p.owns.index(sock); ok {
		return p.sendOwn(i, msg)
	}
	if int(sock) >= len(p.sockets) || p.sockets[sock].fd < 0 {
		return syscall.EBADF
	}
	s := &p.sockets[sock]
	if len(msg) == 0 || s.ipv6 == server.Addr().Unmap().Is4() {
		p.stats.SendErrors++
		return syscall.EINVAL
	}
	if e := p.address(&p.to, server); e != 0 {
		p.stats.SendErrors++
		return e
	}
	s.uses++
	e := sendTo(s.fd, msg, &p.to)
	if e == syscall.ECONNREFUSED {
		// An ICMP answer to an earlier datagram, not about this one.
		p.stats.SockErrors++
		e = sendTo(s.fd, msg, &p.to)
	}
	if e == 0 {
		s.owed++
	}
	return p.sent(e)
}

// sent counts what became of a datagram, and returns the errors that are final.
func (p *Pool) sent(e syscall.Errno) error {
	switch e {
	case 0:
		p.stats.Sent++
		return nil
	case syscall.EAGAIN, syscall.ENOBUFS, syscall.ENOMEM:
		p.stats.SendDrops++
		return nil
	}
	p.stats.SendErrors++
	return e
}

// receive hands what waits at a socket to the sink.
func (p *Pool) receive(sock uint16) {
	s := &p.sockets[sock]
	turn := s.turn
	for range maxBatches {
		n, e := p.batch.receive(s.fd)
		if e == syscall.EAGAIN {
			return
		}
		if e != 0 {
			p.stats.SockErrors++
			continue
		}
		for i := range n {
			s.owed = max(0, s.owed-1)
			p.deliver(sock, i)
			if s.fd < 0 || s.turn != turn {
				return // the sink's queries have used the socket up
			}
		}
		if n < batchLen {
			return
		}
	}
}

// deliver hands datagram i of the last receive to the sink.
func (p *Pool) deliver(sock uint16, i int) {
	msg, raw, whole := p.batch.at(i)
	if !whole {
		p.stats.Oversize++
		if len(msg) < headerLen {
			return
		}
		msg[2] |= flagTC // Cut here, as its server should have: the rest comes over a stream.
	}
	p.stats.Received++
	p.sink.UpstreamDatagram(sock, p.addrPort(raw), msg)
}
