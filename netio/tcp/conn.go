package tcp

import (
	"syscall"

	"heimdall/netio"
	"heimdall/netio/list"
	"heimdall/netio/tcp/framing"
)

// coalesce is how many bytes of replies are gathered before they are sent
// although more may follow in the same turn.
const coalesce = 16 << 10

// conn is one client's connection, or a slot for one.
type conn struct {
	id   ConnID
	fd   int // -1: not open
	peer netio.Endpoint

	in      framing.Reader
	out     framing.Queue
	pending int    // messages handed to the sink and not yet answered
	watched uint32 // what the poller watches for

	node  list.Node[*conn] // every open connection is on one of the Server's lists
	since int64            // when it came to the end of its list

	eof         bool    // the client will send no more
	blocked     bool    // the kernel takes no more octets; what is queued waits for it
	dispatching bool    // the sink is looking at one of its messages
	dirty       bool    // on Server.dirty
	moved       bool    // a message has come or octets have gone since it was placed
	ending      *uint64 // why it must be cut as soon as nobody is looking at it
}

// held reports whether the client must wait: for replies to its queries, or to
// read what it got.
func (s *Server) held(c *conn) bool {
	return c.pending >= s.o.MaxPipelined || c.blocked
}

// mayRead reports whether octets from the client are wanted.
func (s *Server) mayRead(c *conn) bool {
	return s.leaveTo == nil && !c.eof && c.ending == nil && !s.held(c) && !c.in.Whole()
}

// wake handles what the poller reported. An event may be stale and mean the
// slot's former tenant, so none is believed without a look at the socket.
func (s *Server) wake(c *conn, events uint32) {
	if events&(netio.Failed|netio.HungUp) != 0 && hungUp(c.fd) {
		s.end(c, &s.stats.Lost, false)
		return
	}
	if events&netio.Writable != 0 && c.blocked {
		s.push(c)
	}
	if s.mayRead(c) {
		s.read(c)
	} else {
		s.settle(c, events)
	}
}

// read receives what the client sent and hands its messages to the sink.
func (s *Server) read(c *conn) {
	for range maxReceives {
		if !s.mayRead(c) {
			break
		}
		space := c.in.Space(s.pool, s.scratch)
		if space == nil {
			c.ending = &s.stats.NoBuffer
			break
		}
		n, e := framing.Recv(c.fd, space)
		switch {
		case e == syscall.EAGAIN:
			n = 0
		case e != 0:
			c.ending, n = &s.stats.Lost, 0
		case n == 0:
			c.eof = true
		}
		c.in.Advance(n)
		s.dispatch(c)
		if n < len(space) {
			break
		}
	}
	s.settle(c, 0)
}

// dispatch hands whole messages to the sink until the client has to wait.
func (s *Server) dispatch(c *conn) {
	c.dispatching = true
	for c.ending == nil && !s.held(c) {
		msg, status := c.in.Next()
		if status == framing.Incomplete {
			break
		}
		if status == framing.Malformed {
			c.ending = &s.stats.Malformed
			break
		}
		c.pending++
		s.pending++
		c.moved = true
		s.stats.Received++
		s.sink.StreamMessage(c.id, &c.peer, msg)
		if c.out.Len() >= coalesce {
			s.push(c)
		}
	}
	c.dispatching = false
	if !c.in.Settle(s.pool) {
		c.ending = &s.stats.NoBuffer
	}
}

// push sends what is queued, as far as the kernel takes it.
func (s *Server) push(c *conn) {
	before := c.out.Len()
	e := c.out.Send(s.pool, c.fd)
	if c.out.Len() < before {
		c.moved = true
	}
	c.blocked = e == syscall.EAGAIN
	if e != 0 && !c.blocked && c.ending == nil {
		c.ending = &s.stats.Lost
	}
}

// settle ends a connection's turn: it sends what was queued, takes up messages
// held back before, and then ends the connection, or has it watched for what it
// needs and puts it on the list where it belongs. fired are the events it was
// woken by.
func (s *Server) settle(c *conn, fired uint32) {
	for c.ending == nil {
		if c.out.Len() > 0 && !c.blocked {
			s.push(c)
		}
		if c.ending != nil || s.held(c) || !c.in.Whole() {
			break
		}
		s.dispatch(c)
	}
	if c.ending != nil {
		s.end(c, c.ending, true)
		return
	}
	if c.pending == 0 && c.out.Len() == 0 {
		if c.eof {
			if c.in.Len() > 0 {
				s.stats.Incomplete++
			}
			s.end(c, &s.stats.Finished, false)
			return
		}
		if s.leaveTo != nil {
			s.move(c)
			return
		}
		// Closing with octets unread would reset the connection, and the client
		// might lose the replies under way to it.
		if s.draining && !s.unread(c) {
			s.end(c, &s.stats.Drained, false)
			return
		}
	}
	s.arm(c, fired)
	s.place(c)
}

// unread reports whether something from the client waits in the kernel.
func (s *Server) unread(c *conn) bool {
	_, e := framing.Peek(c.fd, s.scratch[:1])
	return e != syscall.EAGAIN
}

// arm has the connection watched for what it needs. An interest in reading that
// has lapsed is dropped only when it fires: most clients are held back for less
// time than that, and the two system calls are saved.
func (s *Server) arm(c *conn, fired uint32) {
	want := c.watched &^ netio.Writable
	if s.mayRead(c) {
		want |= netio.Readable
	} else {
		want &^= fired & netio.Readable
	}
	if c.blocked {
		want |= netio.Writable
	}
	if want == c.watched {
		return
	}
	if err := s.poller.Mod(c.fd, want, netio.Token(netio.KindTCPConn, uint32(c.id.slot()))); err == nil {
		c.watched = want
	}
}

// place puts the connection on the list for its state, at the end if the state
// is new or something has moved.
func (s *Server) place(c *conn) {
	to := &s.idle
	if c.blocked {
		to = &s.stalled
	} else if c.pending > 0 {
		to = &s.waiting
	}
	if !c.node.On(to) || c.moved {
		c.node.Remove()
		c.since = s.now
		to.Push(&c.node, c)
	}
	c.moved = false
	if s.resting && to == &s.idle {
		s.watch()
	}
}

// end closes a connection and frees its slot. abort resets it, which drops what
// the kernel still holds for a client that does not deserve it.
func (s *Server) end(c *conn, reason *uint64, abort bool) {
	*reason++
	closeSocket(c.fd, abort)
	s.vacate(c)
}

// vacate frees the slot of a connection that is closed or gone.
func (s *Server) vacate(c *conn) {
	c.in.Reset(s.pool)
	c.out.Reset(s.pool)
	c.node.Remove()
	s.clients.remove(&c.peer)
	s.pending -= c.pending
	s.open--
	*c = conn{id: c.id.next(), fd: -1}
	s.free = append(s.free, c)
	if s.resting {
		s.watch()
	}
}
