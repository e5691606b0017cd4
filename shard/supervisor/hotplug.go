package supervisor

import (
	"context"
	"slices"
	"time"

	"heimdall/affinity"
	"heimdall/affinity/cpulist"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// hotplugEvery is how often the supervisor looks which CPUs are online.
const hotplugEvery = 2 * time.Second

// watchCPUs binds the threads anew whenever CPUs go offline or come back, until done is closed. before are those that were
// online when the shards got theirs. The kernel lets a thread whose CPU goes run on any, which may be another shard's, and
// most kernels do not take it back. How many shards there are does not change by it: that is what a reload does.
func (s *Supervisor) watchCPUs(before []int, online func() ([]int, error), done <-chan struct{}) {
	if _, err := online(); err != nil {
		return // nobody tells which there are
	}
	for tick := time.NewTicker(hotplugEvery); ; {
		select {
		case <-done:
			tick.Stop()
			return
		case <-tick.C:
		}
		now, err := online()
		if err == nil && !slices.Equal(now, before) {
			before = now
			s.bindAnew(now)
		}
	}
}

// bindAnew moves each shard whose CPU is online there, the others to the CPUs of all other threads, and these to theirs.
func (s *Supervisor) bindAnew(online []int) {
	s.resizing.Lock()
	defer s.resizing.Unlock()
	if s.stopped || !s.config().CPU.Pin {
		return
	}
	var gone []int
	rest := s.plan.Housekeeping
	for _, w := range s.workers() {
		if cpu := w.Seat().CPU; !slices.Contains(online, cpu) {
			gone = append(gone, cpu)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), worker.CommandTime)
	defer cancel()
	// One that is being started again binds itself.
	err := worker.EachServing(ctx, s.workers(), func(_ int, w *worker.Worker, sh *shard.Shard) { moveOr(sh, w.Seat().CPU, rest) })
	s.keepHouse(s.plan)
	if err != nil {
		s.log.Warn("CPUs have come or gone, and some shards could not be moved", "error", err)
	}
	if slices.Sort(gone); len(gone) > 0 {
		s.log.Warn("CPUs of shards are offline: these shards run on others until they are back; `heimdallctl reload` divides the work among those that are there",
			"cpus", cpulist.Format(gone), "online", cpulist.Format(online))
		return
	}
	s.log.Info("CPUs have come or gone: each shard runs on its own", "cpus", s.cpus(), "online", cpulist.Format(online))
}

// moveOr binds a shard to its CPU, or to the rest. Where even those are not there, the kernel has chosen.
func moveOr(sh *shard.Shard, cpu int, rest []int) {
	if sh.Move(cpu) != nil {
		_ = affinity.SetThreadAffinity(rest)
	}
}
