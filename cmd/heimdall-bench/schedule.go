package main

// schedule says when each query of a stream is to be sent, whatever the server
// does: query i at start + i*gap. Latencies count from there, so a server that
// stalls is charged for every query that it kept waiting, and not only for the
// one that was on its way (no coordinated omission).
type schedule struct {
	start int64   // ns on the run's clock
	gap   float64 // ns between two queries; 0: no schedule, queries count from when they are sent
	slots uint64  // how many there are
	slot  uint64  // the next one
	lag   int64   // ns; slots that are later than this are given up
	// strict slots are held up by the server alone, as when a TCP connection takes
	// no more; others are given up because the generator was late.
	strict bool
}

// newSchedule spreads rate queries a second over the given time in ns.
func newSchedule(start int64, rate float64, duration, lag int64, strict bool) schedule {
	return schedule{start: start, gap: 1e9 / rate, slots: uint64(rate*float64(duration)/1e9 + 0.5), lag: lag, strict: strict}
}

// due returns how many slots are due at now, and how many it gave up because
// they are late by more than the lag.
func (s *schedule) due(now int64) (n int, given uint64) {
	reached := s.reached(now)
	if late := s.reached(now - s.lag); late > s.slot {
		given = late - s.slot
		s.slot = late
	}
	return int(reached - s.slot), given
}

// reached returns how many slots begin at t or earlier.
func (s *schedule) reached(t int64) uint64 {
	if t < s.start {
		return 0
	}
	return min(uint64(float64(t-s.start)/s.gap)+1, s.slots)
}

// next returns when the next slot begins. Not to be called when none is left.
func (s *schedule) next() int64 { return s.start + int64(float64(s.slot)*s.gap) }

// done tells that no slot is left.
func (s *schedule) done() bool { return s.slot >= s.slots }

// at returns the time of the slot that is i after the next one.
func (s *schedule) at(i int, now int64) int64 {
	if s.gap == 0 {
		return now
	}
	return min(s.start+int64(float64(s.slot+uint64(i))*s.gap), now)
}
