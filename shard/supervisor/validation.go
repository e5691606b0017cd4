package supervisor

import (
	"context"
	"errors"

	"heimdall/core"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/shard"
	"heimdall/shard/anchors"
	"heimdall/shard/settings"
	"heimdall/shard/worker"
)

// startVerifying starts the threads that check signatures: one for each CPU besides those of the shards. They stay, and
// sleep, when validation is switched off: jobs may be under way.
func (s *Supervisor) startVerifying() error { return s.verifier.Start(len(s.plan.Housekeeping)) }

func (s *Supervisor) anchorsOptions() anchors.Options {
	return anchors.Options{
		Ask: s.askRootKeys, Give: s.giveAnchors, GiveRoot: s.giveRoot, Memo: s.verifier.Memo, Wall: settings.WallClock(s.config()), Log: s.log,
	}
}

// giveAnchors gives the anchors in force, those of the zones changed among them, to all shards. One that is being started
// again gets them by itself. It returns how many answers that took out of the caches.
func (s *Supervisor) giveAnchors(ctx context.Context, changed ...dname.Name) (flushed uint64, err error) {
	s.anchoring.Lock()
	defer s.anchoring.Unlock()
	ctx, cancel := context.WithTimeout(ctx, worker.CommandTime)
	defer cancel()
	defer s.hot.Flush()
	s.decide()
	list := s.workers()
	sets, removed := make([]*dnssec.Anchors, len(list)), make([]int, len(list))
	for i := range sets {
		sets[i] = s.anchors.Set()
	}
	err = worker.EachServing(ctx, list, func(i int, _ *worker.Worker, sh *shard.Shard) { removed[i] = sh.Engine().SetAnchors(sets[i], changed) })
	if err != nil {
		return 0, err
	}
	flushed, err = worker.FinishFlush(ctx, list, removed)
	if err != nil {
		s.log.Warn("answers that other trust anchors have judged are still in memory", "error", err)
	}
	return flushed, nil
}

// giveRoot is giveAnchors after a change of the root's: its keys are validated again.
func (s *Supervisor) giveRoot(ctx context.Context) error {
	if _, err := s.giveAnchors(ctx); err != nil {
		return err
	}
	return worker.EachServing(ctx, s.workers(), func(_ int, _ *worker.Worker, sh *shard.Shard) { sh.Engine().Resolver().ForgetKeys(dname.Root()) })
}

// askRootKeys resolves the root's DNSKEY RRset anew, for the update of its trust anchor.
func (s *Supervisor) askRootKeys(ctx context.Context) ([]byte, error) {
	q := resolver.Question{Name: dname.Root(), Type: wire.TypeDNSKEY, Class: wire.ClassIN, DO: true, CD: true}
	ctx, cancel := context.WithTimeout(ctx, s.config().Resolver.Timeout+worker.CommandTime)
	defer cancel()
	_, msg, err := worker.Resolve(ctx, s.workers(), &core.Inquiry{Question: q, Anew: true})
	if errors.Is(err, worker.ErrBusy) {
		err = anchors.ErrBusy
	}
	return msg, err
}
