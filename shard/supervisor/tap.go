package supervisor

import (
	"heimdall/shard/journal"
	"heimdall/shard/settings"
	"heimdall/shard/tap"
	"heimdall/shard/worker"
)

// startTap starts the query log and dnstap, before the shards run. What cannot be opened is a warning, and tried again: a
// full disk is no reason to serve nothing.
func (s *Supervisor) startTap() {
	s.tap = tap.New(tap.Options{
		Epoch: s.epoch, Alone: s.alone, Log: s.log, Lines: journal.Whole(s.log),
		Kernel: func() uint64 {
			h := s.hot.Snapshot()
			return h.Exits.Answered()
		},
	})
	change, err := s.tap.Prepare(settings.Tap(s.config()))
	if err != nil {
		s.warn("queries are not recorded as configured until this is mended", err)
	}
	change.Apply(shardIDs(s.workers()))
}

// shardIDs are those of workers.
func shardIDs(list []*worker.Worker) (ids []int) {
	for _, w := range list {
		ids = append(ids, w.ID())
	}
	return ids
}
