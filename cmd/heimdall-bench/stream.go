package main

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
)

// visits is how many lines a stream reads from each time around, so that many
// idle ones do not delay the busy ones.
const visits = 8

// stream is queries of one kind from one address, on one thread.
type stream struct {
	load     workload
	draw     draw
	lines    []*line
	sender   int // index of the line that sends next
	reader   int // and of the one that is read next
	open     int // queries that wait for a reply
	timeout  int64
	schedule schedule
	keys     [batch]uint64
	packet   [maxPacket]byte
	kernel   kernelTimes
	*tally
}

// kernelTimes makes latencies count from just before a query is handed to the kernel to the kernel's receipt of the
// reply, so that they are the server's alone, whatever keeps the generator from its CPU. The zero value leaves them
// to count from the schedule to the end of the system call that receives.
type kernelTimes struct {
	clock func() int64 // of the run
	epoch int64        // the start of that clock in ns since 1970
}

// newStream opens n lines from local to server.
func newStream(load workload, d draw, dial dialer, local netip.Addr, server netip.AddrPort, n int, timeout int64) (*stream, error) {
	s := &stream{load: load, draw: d, timeout: timeout, tally: newTally(timeout)}
	for range n {
		c, err := dial(local, server)
		if err != nil {
			s.close()
			return nil, err
		}
		s.lines = append(s.lines, &line{conn: c, next: uint16(rand.Uint32())})
	}
	return s, nil
}

func (s *stream) close() {
	for _, l := range s.lines {
		l.close()
	}
}

// pace sends what the schedule wants sent by now.
func (s *stream) pace(now int64) {
	due, given := s.schedule.due(now)
	if s.schedule.strict {
		s.stalled += given
	} else {
		s.skipped += given
	}
	if due > 0 {
		s.schedule.slot += uint64(s.send(now, due))
	}
}

// send sends up to n queries on the next line and returns how many went.
func (s *stream) send(now int64, n int) int {
	l := s.lines[s.sender]
	s.sender = (s.sender + 1) % len(s.lines)
	built := 0
	for built < min(n, batch) {
		key, ok := s.draw.next()
		if !ok {
			break
		}
		s.keys[built] = key
		if !l.queue(s.load.packet(s.packet[:0], l.next+uint16(built), key)) {
			s.draw.again(key)
			break
		}
		built++
	}
	if s.kernel.clock != nil {
		now = s.kernel.clock()
	}
	done := l.flush()
	for i := range done {
		w := &l.wait[l.next]
		s.giveUp(w)
		*w = pending{now, s.keys[i]}
		if s.kernel.clock == nil {
			w.at = s.schedule.at(i, now)
		}
		s.open++
		l.next++
	}
	for _, key := range s.keys[done:built] {
		s.draw.again(key)
	}
	s.sent += uint64(done)
	return done
}

// giveUp forgets a query that waits.
func (s *stream) giveUp(w *pending) {
	if w.at != 0 {
		w.at = 0
		s.open--
		s.draw.again(w.key)
	}
}

// expire forgets the queries that were sent before t.
func (s *stream) expire(t int64) {
	for _, l := range s.lines {
		for i := range l.wait {
			if l.wait[i].at < t {
				s.giveUp(&l.wait[i])
			}
		}
	}
}

// receive takes the replies that have come. The clock is read once for each
// batch, right after it, unless the kernel's counts.
func (s *stream) receive(clock func() int64, now int64) {
	for range min(visits, len(s.lines)) {
		l := s.lines[s.reader]
		s.reader = (s.reader + 1) % len(s.lines)
		msgs, lost := l.receive(now)
		if lost {
			s.closed++
			for i := range l.wait {
				s.giveUp(&l.wait[i])
			}
		}
		if len(msgs) == 0 {
			continue
		}
		now = clock()
		for i, msg := range msgs {
			at := now
			if arrived := l.arrived(i); s.kernel.clock != nil && arrived != 0 {
				at = min(arrived-s.kernel.epoch, now)
			}
			s.reply(l, msg, at)
		}
	}
}

// reply matches one reply with its query and judges it.
func (s *stream) reply(l *line, msg []byte, now int64) {
	s.replies++
	if len(msg) < headerLen {
		s.note(tooShort, msg)
		return
	}
	s.rcodes[msg[3]&15]++
	w := &l.wait[binary.BigEndian.Uint16(msg)]
	if w.at == 0 {
		s.note(unknownID, msg)
		return
	}
	took := max(now-w.at, 1)
	v := s.load.check(msg, w.key)
	s.note(v, msg)
	if v != right {
		s.giveUp(w)
		return
	}
	if took > s.timeout {
		s.late++
		s.giveUp(w)
		return
	}
	w.at = 0
	s.open--
	_ = s.latency.RecordValue(took) // fits: newTally was given the timeout
}
