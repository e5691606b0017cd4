package tcp

import (
	"heimdall/netio"
)

// Moved is a connection on its way from one server to another: nothing is owed on it. Its client does not notice.
type Moved struct {
	fd   int
	peer netio.Endpoint
	held []byte // received, and not yet handed to a sink
}

// Close gives up a connection that nobody adopts.
func (m Moved) Close() { closeSocket(m.fd, false) }

// Parts are what a connection is made of, for another process. The descriptor stays the Moved's.
func (m Moved) Parts() (fd int, peer netio.Endpoint, held []byte) { return m.fd, m.peer, m.held }

// NewMoved puts a connection together that came from another process. The descriptor becomes the Moved's.
func NewMoved(fd int, peer netio.Endpoint, held []byte) Moved { return Moved{fd, peer, held} }

// HandOver is Leave without the clients who wait at the listeners: another process accepts these.
func (s *Server) HandOver(to func(Moved)) {
	if s.draining {
		return
	}
	s.deaf = true
	for _, l := range s.listeners {
		s.poller.Del(l.fd)
	}
	s.Leave(to)
}

// Leave stops reading, and hands each connection to the function to as soon as nothing is owed on it: those idle and
// those that come at once, the others after their last reply. Those that the client has closed end here. The shard
// goes on as usual until Conns is zero or its patience ends, then calls Close.
func (s *Server) Leave(to func(Moved)) {
	if s.draining {
		return
	}
	s.draining, s.leaveTo = true, to
	s.watch()
	s.settleIdle()
}

// move hands a connection on.
func (s *Server) move(c *conn) {
	s.stats.Moved++
	s.poller.Del(c.fd)
	m := Moved{fd: c.fd, peer: c.peer, held: c.in.Held()}
	s.vacate(c)
	s.leaveTo(m)
}

// Adopt takes over a connection from another server. The limits do not apply to it: it has been admitted already.
// now is in nanoseconds of the shard's clock.
func (s *Server) Adopt(m Moved, now int64) {
	s.now = now
	c := s.slot()
	if err := s.poller.Add(m.fd, netio.Readable, netio.Token(netio.KindTCPConn, uint32(c.id.slot()))); err != nil {
		s.stats.AcceptErrors++
		s.free = append(s.free, c)
		m.Close()
		return
	}
	s.stats.Adopted++
	s.clients[client(&m.peer)]++
	c.fd, c.peer, c.watched, c.since = m.fd, m.peer, netio.Readable, now
	s.open++
	s.idle.Push(&c.node, c)
	if !c.in.Refill(s.pool, m.held) {
		s.end(c, &s.stats.NoBuffer, true)
		return
	}
	s.read(c)
}
