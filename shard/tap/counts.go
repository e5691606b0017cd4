package tap

import "sync/atomic"

// counts are what became of the items of one output. They outlive it: a reload resets nothing.
type counts struct {
	written atomic.Uint64
	failed  atomic.Uint64 // taken, and lost when they were to be written
	limited atomic.Uint64 // above the bound for one second
}

// lost counts, for one shard, what was lost because an output did not take it in time.
type lost struct{ lines, frames atomic.Uint64 }

// Output is what an output has counted.
type Output struct {
	To      string // as the configuration has it; empty: it is off
	Broken  bool   // it cannot be written to, or nobody is connected
	Written uint64
	Failed  uint64
	Limited uint64
}

func (c *counts) output(to string, broken bool) Output {
	return Output{To: to, Broken: to != "" && broken, Written: c.written.Load(), Failed: c.failed.Load(), Limited: c.limited.Load()}
}

// Lost is what was lost of a shard's records on the way to outputs that did not take them in time. What found no room in
// the shard's ring the shard counts itself.
type Lost struct{ Lines, Frames uint64 }

// Stats are the counts of a Tap.
type Stats struct {
	Lines, Frames Output
	Lost          map[int]Lost // by shard
}
