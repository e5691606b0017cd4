package supervisor

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"heimdall/core/config"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// startVerifying starts the threads that check signatures: one for each CPU besides those of the shards. They stay, and
// sleep, when validation is switched off: jobs may be under way.
func (s *Supervisor) startVerifying() error { return s.verifier.Start(len(s.plan.Housekeeping)) }

// giveAnchors gives the anchors in force, those of the zones changed among them, to all shards. One that is being started
// again gets them by itself. It returns how many answers that took out of the caches.
func (s *Supervisor) giveAnchors(ctx context.Context, changed ...dname.Name) (flushed uint64, err error) {
	s.anchoring.Lock()
	defer s.anchoring.Unlock()
	ctx, cancel := context.WithTimeout(ctx, worker.CommandTime)
	defer cancel()
	defer s.hot.Flush()
	list := s.workers()
	sets, removed := make([]*dnssec.Anchors, len(list)), make([]int, len(list))
	for i := range sets {
		sets[i] = s.trust.set()
	}
	err = worker.EachServing(ctx, list, func(i int, _ *worker.Worker, sh *shard.Shard) { removed[i] = sh.Engine().SetAnchors(sets[i], changed) })
	if err != nil {
		return 0, err
	}
	if err := finishFlush(ctx, list, removed); err != nil {
		s.log.Warn("answers that other trust anchors have judged are still in memory", "error", err)
	}
	return sum(removed), nil
}

// changeAnchors puts the anchors of a configuration in force, for shards that are started from now on; the verifier that they
// need is there. It returns the zones whose anchors have changed, which the shards have to be told of, and whether there
// are positive ones among them.
func (s *Supervisor) changeAnchors(c *config.Config, list []dnssec.Anchor) (changed []dname.Name, positive bool) {
	was := s.trust.on()
	if changed, positive = s.trust.configure(c, list); was == (list != nil) && !positive {
		return changed, false
	}
	s.endUpdate(false)
	if list != nil {
		s.startUpdate(c)
		s.runUpdate()
	}
	return changed, positive
}

// updates is the update of the root's trust anchor while it is on.
type updates struct {
	atomic.Pointer[anchorUpdate] // nil: off

	mu      sync.Mutex // held while the update starts or ends
	stop    context.CancelFunc
	running sync.WaitGroup
	over    bool // the daemon ends
}

// startUpdate begins to follow the root's trust anchor, if that is configured. What the shards are to be told afterwards
// is in s.trust.
func (s *Supervisor) startUpdate(c *config.Config) {
	seed := s.trust.rootSeed()
	file := c.Recursion.TrustAnchorState
	if file == "" || seed == nil {
		return
	}
	u := &anchorUpdate{
		file: file, ask: s.askRootKeys, wall: wallClock(c), after: time.After, memo: s.verifier.Memo(), log: s.log,
		apply: func(ctx context.Context, a dnssec.Anchor) error {
			s.trust.setRoot(a)
			return s.giveRoot(ctx)
		},
	}
	s.trust.setRoot(u.load(seed))
	s.update.Store(u)
}

// runUpdate runs the update until endUpdate.
func (s *Supervisor) runUpdate() {
	s.update.mu.Lock()
	defer s.update.mu.Unlock()
	u := s.update.Load()
	if u == nil || s.update.over {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.update.stop = cancel
	s.update.running.Go(func() { u.run(ctx) })
}

// endUpdate ends the update, if it runs; with over set for good.
func (s *Supervisor) endUpdate(over bool) {
	s.update.mu.Lock()
	defer s.update.mu.Unlock()
	s.update.over = s.update.over || over
	if s.update.stop != nil {
		s.update.stop()
		s.update.running.Wait()
	}
	s.update.stop = nil
	s.update.Store(nil)
}

// giveRoot is giveAnchors after a change of the root's: its keys are validated again.
func (s *Supervisor) giveRoot(ctx context.Context) error {
	if _, err := s.giveAnchors(ctx); err != nil {
		return err
	}
	return worker.EachServing(ctx, s.workers(), func(_ int, _ *worker.Worker, sh *shard.Shard) { sh.Engine().Resolver().ForgetKeys(dname.Root()) })
}
