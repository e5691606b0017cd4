package tcp

import (
	"syscall"

	"heimdall/netio"
)

// acceptBatch bounds the connections accepted for one event. The poller reports
// a listener again as long as clients wait.
const acceptBatch = 16

// clients counts the connections of each client.
type clients map[[16]byte]int

// client returns what counts as one client: an IPv4 address, or the /64 of an
// IPv6 address, since whoever has one address of it commonly has all.
func client(peer *netio.Endpoint) [16]byte {
	key := peer.Addr
	if !peer.Is4() {
		clear(key[8:])
	}
	return key
}

func (m clients) add(peer *netio.Endpoint, limit int) bool {
	key := client(peer)
	n := m[key]
	if n >= limit {
		return false
	}
	m[key] = n + 1
	return true
}

func (m clients) remove(peer *netio.Endpoint) {
	key := client(peer)
	if n := m[key]; n > 1 {
		m[key] = n - 1
	} else {
		delete(m, key)
	}
}

// accept takes the clients that wait at l, as many as there is room for.
func (s *Server) accept(l *Listener) {
	for taken := range acceptBatch {
		if s.open >= s.o.MaxConns && s.idle.First() == nil {
			s.rest()
			return
		}
		var peer netio.Endpoint
		fd, e := accept(l.fd, &peer)
		switch e {
		case 0:
			s.stats.Accepted++
			s.admit(fd, &peer, l)
		case syscall.EAGAIN:
			return
		case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
			// The kernel takes a descriptor before it looks for a client, so only the
			// first failure of a turn proves that someone waits.
			if taken > 0 {
				return
			}
			s.starve()
			if !s.evict() {
				s.rest()
				return
			}
		case syscall.EINTR, syscall.ECONNABORTED, syscall.EPROTO, syscall.EPERM,
			syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EHOSTDOWN:
			// That one client failed on its way; accept(2) says to go on.
			s.stats.AcceptErrors++
		default:
			s.stats.AcceptErrors++
			s.rest()
			return
		}
	}
}

// starve notes that a client waits and the kernel lacks what a connection takes.
func (s *Server) starve() {
	s.stats.Starved++
	if s.o.Starved != nil {
		s.o.Starved()
	}
}

// admit gives an accepted connection a slot, or closes it.
func (s *Server) admit(fd int, peer *netio.Endpoint, l *Listener) {
	if !s.clients.add(peer, s.o.MaxPerClient) {
		s.stats.Refused++
		closeSocket(fd, true)
		return
	}
	if s.open >= s.o.MaxConns {
		s.evict()
	}
	c := s.slot()
	if err := s.poller.Add(fd, netio.Readable, netio.Token(netio.KindTCPConn, uint32(c.id.slot()))); err != nil {
		s.stats.AcceptErrors++
		s.clients.remove(peer)
		s.free = append(s.free, c)
		closeSocket(fd, true)
		return
	}
	peer.LocalPort = l.addr.Port()
	if l.wildcard {
		localAddr(fd, peer)
	}
	c.fd, c.peer, c.watched, c.since = fd, *peer, netio.Readable, s.now
	s.open++
	s.idle.Push(&c.node, c)
	// The first query has often come with the handshake's last segment.
	s.read(c)
}

// slot returns a connection that is not open.
func (s *Server) slot() *conn {
	if last := len(s.free) - 1; last >= 0 {
		c := s.free[last]
		s.free = s.free[:last]
		return c
	}
	c := &conn{fd: -1, id: ConnID(len(s.conns)).next()}
	s.conns = append(s.conns, c)
	return c
}

// evict closes the connection that has been idle longest, if one is.
func (s *Server) evict() bool {
	if s.idle.First() == nil {
		return false
	}
	s.end(s.idle.First(), &s.stats.Evicted, false)
	return true
}

// rest leaves the listeners alone until a connection ends or becomes idle, or a
// while has passed: they would be reported again and again, and to no use.
func (s *Server) rest() {
	s.stats.Rests++
	s.restUntil = s.now + restNanos
	s.resting = true
	s.watchListeners(0)
}

// watch ends a rest.
func (s *Server) watch() {
	s.resting = false
	if s.accepting() {
		s.watchListeners(netio.Readable)
	}
}

func (s *Server) watchListeners(events uint32) {
	for i, l := range s.listeners {
		// It fails only for a descriptor that is not watched, which needs no rest.
		s.poller.Mod(l.fd, events, netio.Token(netio.KindTCPListener, uint32(i)))
	}
}
