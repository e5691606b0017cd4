package main

import (
	"context"
	"net/netip"
	"testing"
)

// scripted is a connection to a server that lives on a test's own clock: it
// answers each query after service, one at a time, and not at all during the stall.
type scripted struct {
	clock      *int64
	service    int64
	stall, end int64 // ns; nothing is answered between them
	server     testServer
	ready      []int64 // when each reply leaves
	replies    [][]byte
	busy       int64 // until when the server works
	queued     [][]byte
	take       int // queries that flush takes; the rest do not fit
}

func (c *scripted) queue(msg []byte) bool {
	c.queued = append(c.queued, append([]byte{}, msg...))
	return true
}

func (c *scripted) flush() int {
	n := min(len(c.queued), c.take)
	for _, query := range c.queued[:n] {
		c.busy = max(c.busy, *c.clock) + c.service
		if c.busy >= c.stall && c.busy < c.end {
			c.busy = c.end
		}
		c.ready = append(c.ready, c.busy)
		c.replies = append(c.replies, c.server.answer(query))
	}
	c.queued = c.queued[:0]
	return n
}

func (c *scripted) receive(now int64) (msgs [][]byte, lost bool) {
	for len(c.ready) > 0 && c.ready[0] <= now {
		msgs = append(msgs, c.replies[0])
		c.ready, c.replies = c.ready[1:], c.replies[1:]
	}
	return msgs, false
}

func (c *scripted) arrived(int) int64 { return 0 }

func (c *scripted) close() {}

// run paces queries at 10,000/s for one second of the test's clock, which moves
// step ns each time it is read.
func (c *scripted) run(t *testing.T, step int64, strict bool) *Result {
	t.Helper()
	now := int64(1)
	c.clock = &now
	if c.take == 0 {
		c.take = batch
	}
	dial := func(netip.Addr, netip.AddrPort) (conn, error) { return c, nil }
	const n = 10000
	s, err := newStream(&lookups{names: mustPattern(t, "h%d.example", n)}, &once{end: n}, dial, netip.Addr{}, netip.AddrPort{}, 1, 1e9)
	if err != nil {
		t.Fatal(err)
	}
	lag := int64(lagUDP)
	if strict {
		lag = 1e9
	}
	s.schedule = newSchedule(1000, 10000, 1e9, lag, strict)
	th := &thread{streams: []*stream{s}, clock: func() int64 { now += step; return now }}
	th.paced(context.Background())
	r, err := s.result(1, 10000)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSteadyServer: without a stall every query is sent and its latency is the
// service time.
func TestSteadyServer(t *testing.T) {
	r := (&scripted{service: 20_000}).run(t, 2000, false)
	if r.Sent != 10000 || r.Good != 10000 || r.Skipped > 0 || r.Wrong > 0 {
		t.Errorf("result %+v", r)
	}
	if l := r.Latency; l.P50 < 20 || l.P999 > 40 {
		t.Errorf("latency %+v, want about 20 us", l)
	}
}

// TestCoordinatedOmission: a server that stands still for 200 ms of one second
// has kept a fifth of the queries waiting, the average one of them 100 ms. A
// generator that waited for replies would have seen one slow query.
func TestCoordinatedOmission(t *testing.T) {
	r := (&scripted{service: 20_000, stall: 3e8, end: 5e8}).run(t, 2000, false)
	if r.Good != 10000 {
		t.Errorf("%d good of %d", r.Good, r.Sent)
	}
	l := r.Latency
	if l.P50 > 100 || l.P90 < 80e3 || l.P99 < 180e3 || l.Max < 195e3 {
		t.Errorf("latency %+v, want a tenth of the queries above 80 ms", l)
	}
}

// TestBlockedSender: queries that the connection takes late count from when the
// schedule wanted them sent.
func TestBlockedSender(t *testing.T) {
	c := &scripted{service: 1000, take: 1}
	r := c.run(t, 60_000, true) // a turn of the loop takes 120 us, a slot 100 us
	if r.Good != 10000 || r.Stalled > 0 || r.Latency.P99 < 150e3 {
		t.Errorf("%d good, latency %+v; want the backlog charged", r.Good, r.Latency)
	}
}

// TestLateGenerator: slots that the generator itself missed are named and not
// charged to the server.
func TestLateGenerator(t *testing.T) {
	c := &scripted{service: 1000, take: 1}
	r := c.run(t, 110_000, false)
	if r.Skipped == 0 || r.Sent+r.Skipped != 10000 || !r.limited() || r.Loss > 0 {
		t.Errorf("result %+v", r)
	}
	if r.Latency.Max > 6e3 {
		t.Errorf("latency %+v, want at most the lag of 5 ms", r.Latency)
	}
}

// TestLateReply: a reply after the timeout is no good.
func TestLateReply(t *testing.T) {
	r := (&scripted{service: 20_000, stall: 0, end: 15e8}).run(t, 2000, false)
	if r.Late == 0 || r.Good+r.Late > r.Sent || r.Loss == 0 {
		t.Errorf("result %+v", r)
	}
}
