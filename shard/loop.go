package shard

import (
	"time"

	"heimdall/netio"
)

const (
	// missesPerRound is how many misses are begun between two looks at the receive queues. A miss costs about
	// as much as four hits: 32 of them delay hits by a quarter of a millisecond.
	// It is halved for each step of pressure: hits must not queue behind misses.
	missesPerRound = 32
	// longestTurn is the time in nanoseconds after which a round looks at the receive queues again.
	longestTurn = int64(250 * time.Microsecond)
	// sweep is the interval in nanoseconds at which streams are looked at for idleness.
	sweep = int64(100 * time.Millisecond)
	// longestSleep bounds one sleep: what is checked once a sweep is never much later than that.
	longestSleep = 250 * time.Millisecond
)

// loop serves until the shard has been stopped and drained.
func (s *Shard) loop() {
	idleSince := int64(0)
	for {
		s.now = s.clock()
		work := s.receive()
		work += s.poll(0)
		work += s.engine.Misses(s.now, missesPerRound>>s.engine.Pressure)
		s.wheel.Advance(s.now, s.fire)
		if s.now >= s.sweepAt {
			s.sweepAt = s.now + sweep
			s.tcp.Expire(s.now)
			s.out.Expire(s.now)
		}
		work += s.box.Run()
		s.flushLate()
		s.tcp.Flush(s.now)
		if s.recorder.pending() {
			s.recorder.publish(s.clock())
		}
		if s.stopping.Load() && s.drained() {
			s.receive() // what this round's look at the poller has reported
			return
		}
		switch {
		case work > 0:
			idleSince = 0
		case idleSince == 0:
			idleSince = s.now
		case s.now-idleSince >= int64(s.opt.Spin):
			s.sleep()
		}
	}
}

// receive handles up to one batch of each port that is ready.
func (s *Shard) receive() (work int) {
	backlog := false
	for i, p := range s.opt.Ports {
		if !s.watches[i].ready {
			continue
		}
		n := p.Recv(s.in)
		s.received(i, n)
		if n == 0 {
			continue
		}
		work += n
		backlog = backlog || n == len(s.in)
		s.handle(i, p, s.in[:n])
	}
	s.backlog.watch(s, backlog)
	s.engine.Pressure = s.backlog.pressure()
	return work
}

// poll handles what the kernel has to report, waiting for it up to the timeout.
func (s *Shard) poll(timeout time.Duration) int {
	n := s.poller.Wait(s.events, timeout)
	if timeout > 0 {
		s.now = s.clock()
	}
	work := 0
	for _, ev := range s.events[:n] {
		if now := s.clock(); now-s.now > longestTurn {
			// Many streams have much to say: datagrams must not wait for all of them.
			s.now = now
			work += s.receive()
		}
		switch kind := ev.Kind(); kind {
		case netio.KindUDP:
			s.watches[ev.Index()].ready = true // for the next round
		case netio.KindWake:
			// The mailbox is looked at in each round.
		case netio.KindTCPListener, netio.KindTCPConn:
			s.tcp.Ready(kind, ev.Index(), ev.Ready, s.now)
			work++
		case netio.KindOutUDP, netio.KindOutTCP:
			s.out.Ready(kind, ev.Index(), ev.Ready, s.now)
			work++
		}
	}
	return work
}

// sleep waits for events until the next timer. What is parked in the fair queue cannot start now, or Misses
// would have begun it: an event or a timer changes that.
func (s *Shard) sleep() {
	timeout := longestSleep
	if at, ok := s.wheel.Next(); ok {
		timeout = min(timeout, time.Duration(max(at-s.clock(), 0)))
	}
	if timeout == 0 {
		return
	}
	s.stats.Sleeps++
	s.poll(timeout)
}

// fire is what the timer wheel calls.
func (s *Shard) fire(ref uint64) { s.engine.Fire(s.now, ref) }
