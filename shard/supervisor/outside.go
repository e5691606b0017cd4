package supervisor

import (
	"context"
	"net/netip"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/shard"
	"heimdall/shard/clock"
	"heimdall/shard/reach"
	"heimdall/shard/settings"
	"heimdall/shard/worker"
)

// newReach watches the routes to the servers that are asked.
func (s *Supervisor) newReach() *reach.Watch {
	return reach.New(reach.Options{
		Servers: func() []netip.AddrPort { return settings.FirstServers(s.config(), s.hints) },
		Found:   func() { s.retry((*shard.Shard).Reconnect) },
		Log:     s.log,
	})
}

// newClock watches the clock by which signatures are judged.
func (s *Supervisor) newClock() *clock.Watch {
	c := s.config()
	return clock.New(clock.Options{
		Ask: s.askRootKeys, Wall: settings.WallClock(c), Remedy: settings.ClockRemedy(c), Log: s.log,
		Root: func() *dnssec.Anchor {
			set := s.anchors.Set()
			if set == nil {
				return nil
			}
			return set.Closest(dname.Root())
		},
		Right: func() {
			s.retry(func(sh *shard.Shard) {
				sh.Engine().Resolver().Flush(dname.Root(), true)
				sh.Reconnect()
			})
		},
	})
}

// retry has the shards forget, by f, what failed for a reason that is gone. One that is being started again knows nothing.
func (s *Supervisor) retry(f func(*shard.Shard)) {
	ctx, cancel := context.WithTimeout(context.Background(), worker.CommandTime)
	defer cancel()
	if err := worker.EachServing(ctx, s.workers(), func(_ int, _ *worker.Worker, sh *shard.Shard) { f(sh) }); err != nil {
		s.log.Warn("some shards still remember what has failed: `heimdallctl cache flush` has them forget", "error", err)
	}
	s.anchors.Retry()
}
