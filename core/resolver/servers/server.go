// Package servers is what a resolver knows of the servers that it asks: their addresses, how long they take, what they
// put up with, and whom to ask next. It sends nothing and has no clock: the resolver tells it what came of its queries.
package servers

import (
	"net/netip"
	"time"
)

// Timing of one server, in nanoseconds. RFC 6298 with the constants that resolvers use: DNS round trips
// are single datagrams, so a lost one has to be noticed in less than TCP's second.
const (
	InitialRTO  = int64(400 * time.Millisecond)  // before the first measurement; Unbound takes 376 ms
	minRTO      = int64(100 * time.Millisecond)  // what a busy machine may take; a forwarder that has to ask others shows in the variation
	MaxRTO      = int64(3000 * time.Millisecond) // one attempt never takes most of a task's time
	unknownCost = int64(20 * time.Millisecond)   // what an unmeasured server is taken for: low, so that it is soon measured

	MaxTimeouts = 4                             // windows without any response until a server is down
	firstProbe  = int64(500 * time.Millisecond) // until a server that went down is tried again
	MaxProbe    = int64(5 * time.Second)        // the interval doubles up to this
	granularity = int64(10 * time.Millisecond)  // RFC 6298's G: the caller's timer resolution
	BarredFor   = int64(5 * time.Second)        // how long an address is left alone to which nothing could be sent
)

// Server is what is known of one address and port, shared by all groups and delegations that name it.
type Server struct {
	addr netip.AddrPort

	srtt, rttvar int64 // smoothed round-trip time and its variation; 0: not measured
	backoff      uint8 // doublings of the RTO since the last response
	timeouts     uint8 // windows in a row without a response
	down         bool
	pinned       bool  // named by a group: never evicted
	pins         int32 // queries in flight
	overdue      int32 // of these past their time-out
	lossAt       int64 // when the last window without response ended
	probeAt      int64 // when a server that is down may be tried
	probeWait    int64
	barredUntil  int64 // nothing could be sent to it

	EDNS       Feature
	LetterCase Feature // does it return a question in the letter case that it was asked in (0x20)
	Cookies    Feature // RFC 7873
	Cookie     Cookie

	used int64 // last time asked
	next int32 // in its hash chain

	count Counters
}

// Counters are what has come of the queries to a server.
type Counters struct {
	Sent, Answered, TimedOut uint64
	Mismatches, Truncated    uint64 // as in resolver.UpstreamInfo
	Failed                   [Failures]uint64
}

// Addr is where the server is.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Down says whether the server has answered nothing lately.
func (s *Server) Down() bool { return s.down }

// Pins is how many queries are in flight.
func (s *Server) Pins() int { return int(s.pins) }

// SRTT is the smoothed round-trip time in nanoseconds, 0 before the first.
func (s *Server) SRTT() int64 { return s.srtt }

// Counters returns a copy.
func (s *Server) Counters() Counters { return s.count }

// RTO is how long to wait for a response.
func (s *Server) RTO() int64 { return min(s.measuredRTO()<<min(s.backoff, 6), MaxRTO) }

// measuredRTO is what the round trips alone give.
func (s *Server) measuredRTO() int64 {
	d := InitialRTO
	if s.srtt != 0 {
		d = s.srtt + max(granularity, 4*s.rttvar)
	}
	return min(max(d, minRTO), MaxRTO)
}

// Sent tells that a query is on its way, which ends with Done.
func (s *Server) Sent(now int64) {
	s.pins++
	s.used = now
	s.count.Sent++
	if s.down {
		s.probeAt = now + max(s.probeWait, s.RTO())
	}
}

// Done tells that nothing is expected any more of a query; late, that its time-out had passed.
func (s *Server) Done(late bool) {
	s.pins--
	if late {
		s.overdue--
	}
}

// Answered tells of a response to a query.
func (s *Server) Answered() {
	s.barredUntil = 0
	s.count.Answered++
}

// Measured takes the round-trip time of a datagram. RFC 6298, section 2.
func (s *Server) Measured(rtt int64) {
	rtt = max(rtt, 1)
	if s.srtt == 0 {
		s.srtt, s.rttvar = rtt, rtt/2
	} else {
		diff := s.srtt - rtt
		if diff < 0 {
			diff = -diff
		}
		s.rttvar += (diff - s.rttvar) / 4
		s.srtt = max(s.srtt+(rtt-s.srtt)/8, 1)
	}
	s.backoff, s.timeouts, s.down, s.probeWait = 0, 0, false, 0
}

// Overdue takes the time-out of a query sent at sent. Queries that were in flight together count once, as for
// TCP's congestion window: one gap in the network must not mark a busy server down.
func (s *Server) Overdue(now, sent int64) {
	s.overdue++
	s.count.TimedOut++
	if sent < s.lossAt {
		return
	}
	s.lossAt = now
	s.backoff = min(s.backoff+1, 6)
	s.timeouts = min(s.timeouts+1, 200)
	if s.timeouts >= MaxTimeouts {
		s.down = true
		s.probeWait = min(max(2*s.probeWait, firstProbe), MaxProbe)
		s.probeAt = now + s.probeWait
	}
}

// Unreachable tells that a query could not be sent.
func (s *Server) Unreachable(now int64) { s.barredUntil = now + BarredFor }

// Barred says whether the server is left alone because it was unreachable.
func (s *Server) Barred(now int64) bool { return now < s.barredUntil }

// Refused tells that the network has said of a query that it reached nobody. Others are preferred to the server until it
// answers again; it is not down for it.
func (s *Server) Refused() { s.backoff = max(s.backoff, 1) }

// Failed counts a query that brought nothing.
func (s *Server) Failed(why Failure) { s.count.Failed[why]++ }

// Truncated counts a response that has to be asked for again over TCP.
func (s *Server) Truncated() { s.count.Truncated++ }

// Silent says whether the server has let the last question go by, whoever asked.
func (s *Server) Silent() bool { return s.timeouts > 0 }

// ProbeDue says whether the server is down and may be tried again.
func (s *Server) ProbeDue(now int64) bool { return s.down && now >= max(s.probeAt, s.barredUntil) }

// cost orders servers by the time that asking them is expected to take.
func (s *Server) cost() int64 {
	c := s.srtt
	if c == 0 {
		c = unknownCost
	}
	if s.backoff > 0 { // However fast it was: it may be dead, and one that is not known to be is to be preferred.
		c = max(c, InitialRTO)
	}
	return c << s.backoff
}
