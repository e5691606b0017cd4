package shard

import "time"

// backlog watches for datagrams that wait in a receive queue, so that what has waited too long can be shed: an
// answer that its client has given up on costs as much as one that it still wants. The stamps that tell ages cost
// the kernel 6 % of the time that a datagram takes, so they are switched on for a short while now and then, and
// kept on only while something old is seen.
type backlog struct {
	now     bool  // the last round left datagrams behind
	rounds  int   // how many rounds in a row did
	stamped bool  // the ports measure ages
	aged    bool  // a datagram has waited for half of what is too long
	until   int64 // ns; when the stamping ends if nothing old is seen
	next    int64 // ns; when it may begin again
}

// pressure tells the Engine and the loop how much of the other work has to stand back: 0 without a backlog,
// then 1 more for each 8 rounds that it lasts, up to 4.
func (b *backlog) pressure() int {
	if !b.now {
		return 0
	}
	return min(1+b.rounds/8, 4)
}

const (
	backlogRounds = 16                            // full batches in a row that start the stamping
	sampleFor     = int64(150 * time.Millisecond) // longer than a full receive queue takes to be read
	sampleEvery   = int64(1500 * time.Millisecond)
)

func (b *backlog) watch(s *Shard, full bool) {
	b.now = full
	if full {
		b.rounds++
	} else {
		b.rounds = 0
	}
	switch {
	case b.stamped && s.now > b.until:
		if b.aged {
			b.aged, b.until = false, s.now+sampleFor
			return
		}
		s.measureAge(false)
		b.next = s.now + sampleEvery
	case !b.stamped && b.rounds >= backlogRounds && s.now >= b.next && s.shedAfter != shedNever:
		b.until = s.now + sampleFor
		s.measureAge(true)
		s.stats.Overloads++
	}
}

func (s *Shard) measureAge(on bool) {
	for _, p := range s.opt.Ports {
		p.MeasureAge(on)
	}
	s.backlog.stamped = on
}

const shedNever = int64(1<<63 - 1)

// SetShedAfter changes Options.ShedAfter. Only before Run or for commands.
func (s *Shard) SetShedAfter(d time.Duration) {
	s.shedAfter = int64(d)
	if d == 0 {
		s.shedAfter = shedNever
	}
}
