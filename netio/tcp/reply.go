package tcp

import "heimdall/netio/tcp/framing"

// Reply queues the answer to one of the connection's messages, in any order, and
// counts that message as done. It leaves at the end of StreamMessage's turn or
// with the next Flush. msg is copied. It returns false when the connection is
// gone, or is cut because its client does not read.
func (s *Server) Reply(conn ConnID, msg []byte) bool {
	c := s.lookup(conn)
	if c == nil {
		s.stats.Late++
		return false
	}
	s.done(c)
	return s.queue(c, msg)
}

// Part is Reply for one of several messages that answer one of the connection's, all but the last: that message stays
// in flight.
func (s *Server) Part(conn ConnID, msg []byte) bool {
	c := s.lookup(conn)
	if c == nil {
		s.stats.Late++
		return false
	}
	s.touch(c)
	return s.queue(c, msg)
}

// Room tells whether another n octets can be queued without cutting the connection, and whether it is open at all.
func (s *Server) Room(conn ConnID, n int) (fits, open bool) {
	c := s.lookup(conn)
	if c == nil {
		return false, false
	}
	fits = !s.overfull(c, n)
	return fits, true
}

// queue copies msg to what the client gets.
func (s *Server) queue(c *conn, msg []byte) bool {
	if len(msg) == 0 || len(msg) > framing.MaxMessage {
		return false
	}
	if s.overfull(c, len(msg)) {
		c.ending = &s.stats.Slow
		return false
	}
	if !c.out.Append(s.pool, msg) {
		c.ending = &s.stats.NoBuffer
		return false
	}
	s.stats.Sent++
	return true
}

// Done counts one of the connection's messages as done without a reply.
func (s *Server) Done(conn ConnID) {
	if c := s.lookup(conn); c != nil {
		s.done(c)
	}
}

func (s *Server) lookup(id ConnID) *conn {
	if id.slot() >= len(s.conns) {
		return nil
	}
	c := s.conns[id.slot()]
	if c.fd < 0 || c.id != id || c.ending != nil {
		return nil
	}
	return c
}

func (s *Server) done(c *conn) {
	if c.pending > 0 {
		c.pending--
		s.pending--
	}
	s.touch(c)
}

// touch has the next Flush look at the connection.
func (s *Server) touch(c *conn) {
	if !c.dispatching && !c.dirty {
		c.dirty = true
		s.dirty = append(s.dirty, c)
	}
}

// overfull reports whether a reply of n octets does not fit the client's queue,
// not even after another try to send what is there.
func (s *Server) overfull(c *conn, n int) bool {
	full := func() bool { return c.out.Len() > 0 && c.out.Len()+2+n > s.o.MaxQueued }
	if full() && !c.blocked {
		s.push(c)
	}
	return full()
}
