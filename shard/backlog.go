package shard

import "time"

// backlog watches for datagrams that wait in a receive queue. Only then is it worth the kernel's time to
// stamp each one, so that what has waited too long can be shed: an answer that its client has given up on
// costs as much as one that it still wants.
type backlog struct {
	now     bool  // the last round left datagrams behind
	rounds  int   // how many rounds in a row did
	stamped bool  // the ports measure ages
	until   int64 // ns; when stamping ends if the backlog does not come back
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
	backlogRounds = 16                     // full batches in a row that start the stamping
	backlogCalm   = int64(2 * time.Second) // ns without them that end it
)

func (b *backlog) watch(s *Shard, full bool) {
	b.now = full
	if !full {
		b.rounds = 0
		if b.stamped && s.now > b.until {
			s.measureAge(false)
		}
		return
	}
	if b.rounds++; b.rounds < backlogRounds || s.shedAfter == shedNever {
		return
	}
	b.until = s.now + backlogCalm
	if !b.stamped {
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
