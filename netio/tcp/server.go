package tcp

import (
	"fmt"
	"math"
	"time"

	"heimdall/netio"
	"heimdall/netio/list"
	"heimdall/netio/tcp/framing"
)

const (
	// scratchLen is how much one receive fetches, in bytes: some 300 pipelined
	// queries for one system call.
	scratchLen = 16 << 10

	// maxReceives bounds the receives for one connection in one turn, so that a
	// client who sends without end does not hold up the others.
	maxReceives = 4

	// maxExpired bounds the connections of one sort that one Expire closes, at
	// about a microsecond each.
	maxExpired = 128

	// restNanos is how long the listeners are left alone when nothing can be
	// accepted, unless a connection ends before.
	restNanos = int64(100 * time.Millisecond)
)

// Server is one shard's TCP side. Not safe for concurrent use; owned by one shard.
//
// The shard passes events to Ready, calls Flush once in every turn after it has
// handed in its replies, and Expire when Deadline has come.
type Server struct {
	poller  *netio.Poller
	sink    Sink
	o       Options
	pool    *framing.Pool
	scratch []byte

	listeners []*Listener
	resting   bool  // the listeners are not watched
	restUntil int64 // when they are tried again
	draining  bool
	leaveTo   func(Moved) // takes the connections; nil: they stay
	deaf      bool        // others accept the clients

	conns   []*conn // by slot; those not open are in free
	free    []*conn
	open    int
	pending int
	clients clients

	// An open connection is idle (nothing in flight, nothing queued), waiting (the
	// sink owes replies) or stalled (the client must read first).
	idle, waiting, stalled list.List[*conn]

	// dirty are the connections that Reply or Done touched since the last Flush.
	dirty []*conn

	now   int64
	stats Stats
}

// New returns a server without listeners that watches its connections with p
// and hands their messages to sink.
func New(p *netio.Poller, o Options, sink Sink) *Server {
	o = o.withDefaults()
	return &Server{
		poller:  p,
		sink:    sink,
		o:       o,
		pool:    framing.NewPool(o.MaxBuffered),
		scratch: make([]byte, scratchLen),
		clients: clients{},
	}
}

// AddListener accepts connections from l, which stays the caller's: Close leaves
// it open, so that after a restart of the shard the next server can take it over.
func (s *Server) AddListener(l *Listener) error {
	token := netio.Token(netio.KindTCPListener, uint32(len(s.listeners)))
	if err := s.poller.Add(l.fd, netio.Readable, token); err != nil {
		return fmt.Errorf("watch listener %s: %w", l.addr, err)
	}
	s.listeners = append(s.listeners, l)
	return nil
}

// Ready handles an event of KindTCPListener or KindTCPConn. now is in
// nanoseconds of the shard's clock.
func (s *Server) Ready(kind netio.Kind, index uint32, events uint32, now int64) {
	s.now = now
	switch kind {
	case netio.KindTCPListener:
		if int(index) < len(s.listeners) && s.accepting() {
			s.accept(s.listeners[index])
		}
	case netio.KindTCPConn:
		if int(index) < len(s.conns) && s.conns[index].fd >= 0 {
			s.wake(s.conns[index], events)
		}
	}
}

// Flush sends the replies handed in since the last Flush, those to one client in
// one piece, and goes on reading from clients that had been held back.
func (s *Server) Flush(now int64) {
	s.now = now
	// Handing out held-back queries can add to the list while it is walked; it
	// ends because each round takes queries that are already here.
	for i := 0; i < len(s.dirty); i++ {
		if c := s.dirty[i]; c.dirty {
			c.dirty = false
			s.settle(c, 0)
		}
	}
	s.dirty = s.dirty[:0]
}

// Deadline returns the time at which Expire has something to do next, or the
// greatest int64 when nothing waits for time to pass.
func (s *Server) Deadline() int64 {
	at := int64(math.MaxInt64)
	if s.resting && s.accepting() {
		at = s.restUntil
	}
	if c := s.idle.First(); c != nil {
		at = min(at, c.since+s.idleTimeout())
	}
	if c := s.waiting.First(); c != nil {
		at = min(at, c.since+int64(s.o.Unanswered))
	}
	if c := s.stalled.First(); c != nil {
		at = min(at, c.since+int64(s.o.Stall))
	}
	return at
}

// Expire closes connections whose time is up and tries resting listeners again.
func (s *Server) Expire(now int64) {
	s.now = now
	if s.resting && now >= s.restUntil {
		s.watch()
	}
	for range maxExpired {
		if c := s.idle.First(); c != nil && now-c.since >= s.idleTimeout() {
			s.end(c, &s.stats.Idle, false)
		}
		if c := s.waiting.First(); c != nil && now-c.since >= int64(s.o.Unanswered) {
			s.end(c, &s.stats.Unanswered, true)
		}
		if c := s.stalled.First(); c != nil && now-c.since >= int64(s.o.Stall) {
			s.end(c, &s.stats.Stalled, true)
		}
		if s.Deadline() > now {
			return
		}
	}
}

// IdleTimeout returns how long an idle connection is kept at present, in units
// of 100 ms as the edns-tcp-keepalive option has it (RFC 7828, section 3.1). It
// is zero, "close now", while the server drains.
func (s *Server) IdleTimeout() uint16 {
	if s.draining {
		return 0
	}
	return uint16(min(s.idleTimeout()/int64(100*time.Millisecond), math.MaxUint16))
}

// idleTimeout is Idle while at least half of the connections are free, then
// falls in proportion to a twentieth of it.
func (s *Server) idleTimeout() int64 {
	most := int64(s.o.Idle)
	half := int64(max(1, s.o.MaxConns/2))
	left := int64(max(0, s.o.MaxConns-s.open))
	if left >= half {
		return most
	}
	least := most / 20
	return least + (most-least)/half*left
}

// Conns returns how many connections are open.
func (s *Server) Conns() int { return s.open }

// Stats returns a copy of the counters.
func (s *Server) Stats() Stats {
	st := s.stats
	st.Open, st.Pending, st.Buffered = s.open, s.pending, s.pool.Lent()
	return st
}

// Drain stops accepting and closes every connection as soon as it owes nothing:
// those idle at once, the others after their last reply. What a client has sent
// before that is still answered. The shard goes on as usual until Conns is zero
// or its patience ends, then calls Close.
func (s *Server) Drain() {
	if s.draining {
		return
	}
	s.draining = true
	for _, l := range s.listeners {
		s.poller.Del(l.fd)
	}
	s.settleIdle()
}

// settleIdle ends the connections that are idle, now that the server does not go on as usual.
func (s *Server) settleIdle() {
	for c := s.idle.First(); c != nil; {
		next := c.node.Next()
		s.settle(c, 0)
		c = next
	}
}

// accepting reports whether connections are taken from the listeners.
func (s *Server) accepting() bool { return !s.deaf && (!s.draining || s.leaveTo != nil) }

// Close cuts all connections. The listeners are left open, and no longer watched.
func (s *Server) Close() {
	if s.accepting() {
		s.draining, s.leaveTo = true, nil
		for _, l := range s.listeners {
			s.poller.Del(l.fd)
		}
	}
	for _, c := range s.conns {
		if c.fd >= 0 {
			s.end(c, &s.stats.Drained, false)
		}
	}
}
