package notice

import (
	"log/slog"
	"slices"
	"time"

	"heimdall/core/control"
)

// quiet is how long a limit must not have struck until that is over.
const quiet = 20 * time.Second

// limits logs when a limit begins to strike and when that is over, with how often it did.
type limits struct {
	log    *slog.Logger
	states [len(allLimits)]limitState
	begun  bool // there was a look: what was counted before is known
}

type limitState struct {
	count  uint64 // at the last look
	before uint64 // when it began to strike
	since  time.Time
	last   time.Time // when it was seen to have struck
	on     bool
}

// allLimits are the limits that operators are told of, with what they can do.
var allLimits = [...]struct {
	name, begins, todo string
	count              func(*control.Status) uint64
}{
	{
		"rate", "clients above their rate are limited", "limit.queries_per_second and limit.exempt say who may ask how often",
		func(s *control.Status) uint64 {
			return s.Totals.Drops["limited"] + s.Totals.Slipped + kernel(s, "drop_limit", "send_slip")
		},
	},
	{
		"in_flight", "names are not resolved, as too many queries are in flight", "see `heimdallctl upstreams` for servers that are slow, or raise resolver.in_flight and resolver.waiting",
		func(s *control.Status) uint64 { return s.Totals.Limited["in_flight"] },
	},
	{
		"share", "clients with more than their share of the queries in flight are refused", "resolver.per_client is that share",
		func(s *control.Status) uint64 { return s.Totals.Limited["share"] },
	},
	{
		"waited", "queries have waited too long for their turn to be resolved", "see `heimdallctl upstreams` for servers that are slow, or use more shards",
		func(s *control.Status) uint64 { return s.Totals.Limited["waited"] },
	},
	{
		"overload", "errors are not sent, as too many would be", "somebody asks for what is refused: limit.deny and recursion.allow say who may ask",
		func(s *control.Status) uint64 { return s.Totals.Drops["overload"] },
	},
	{
		"shed", "queries are dropped that have waited too long in the receive buffer", "the shards are too busy: see `heimdallctl shards`, use more of them or raise io.shed_after",
		func(s *control.Status) uint64 { return s.Totals.Drops["shed"] },
	},
	{
		"receive_queue", "queries are lost, as a receive queue is full", "the shards are too busy: see `heimdallctl shards`, and `heimdallctl doctor` for the buffers",
		func(s *control.Status) uint64 { return s.Totals.KernelDrops },
	},
}

// kernel sums up what left the XDP program through some exits.
func kernel(s *control.Status, exits ...string) (n uint64) {
	if s.XDP == nil {
		return 0
	}
	for _, e := range s.XDP.Exits {
		if slices.Contains(exits, e.Name) {
			n += e.Packets
		}
	}
	return n
}

// look compares the counters with those of the last look.
func (l *limits) look(now time.Time, s *control.Status) {
	for i := range allLimits {
		a, st := &allLimits[i], &l.states[i]
		n := a.count(s)
		struck := n > st.count && l.begun
		switch {
		case struck && !st.on:
			st.on, st.since, st.before = true, now, st.count
			l.log.Warn("a limit strikes: "+a.begins+"; "+a.todo, "limit", a.name, "so_far", n-st.count)
		case st.on && !struck && now.Sub(st.last) >= quiet:
			st.on = false
			l.log.Info("a limit strikes no more", "limit", a.name, "struck", n-min(st.before, n), "for", st.last.Sub(st.since).Round(time.Second))
		}
		if struck {
			st.last = now
		}
		st.count = n
	}
	l.begun = true
}
