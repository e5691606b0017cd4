package supervisor

import (
	"context"
	"errors"
	"sync"
	"time"

	"heimdall/core/dname"
	"heimdall/shard"
)

// tell has the shards of list take over what is in force by now: it calls f on their threads, all at once. No shard is left
// behind. One that is being started begins with what is in force. One that takes no command for adminTimeout is late: as
// soon as it takes one, it is brought up to date as at a start, with an empty cache. settled is called when all are done,
// and nobody uses what was before; with late shards that is after the return.
func (s *Supervisor) tell(ctx context.Context, list []*worker, f func(i int, w *worker, sh *shard.Shard), settled func()) (late error) {
	// Who asked for it may give up; the shards must not differ for that.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminTimeout)
	defer cancel()
	errs := make([]error, len(list))
	var all, behind sync.WaitGroup
	for i, w := range list {
		all.Go(func() { errs[i] = w.insist(ctx, func(sh *shard.Shard) { f(i, w, sh) }) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			behind.Go(func() { s.catchUp(list[i]) })
		}
	}
	if late = errors.Join(errs...); late == nil {
		settled()
		return nil
	}
	go func() {
		behind.Wait()
		settled()
	}()
	return late
}

// insist is do for what a shard that is started begins with, and which it must not miss: a mailbox that is full is tried
// again until ctx ends.
func (w *worker) insist(ctx context.Context, f func(*shard.Shard)) error {
	for {
		err := w.do(ctx, f)
		switch {
		case errors.Is(err, errAbsent), errors.Is(err, errRestarting):
			return nil
		case !errors.Is(err, errFull):
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(askAgain):
		}
	}
}

// catchUp waits for a late shard, until it is up to date or its worker has ended.
func (s *Supervisor) catchUp(w *worker) {
	for !w.gone() {
		ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
		err := w.insist(ctx, func(sh *shard.Shard) {
			s.bring(w, sh, s.newUpdate())
			sh.Engine().Answers().FlushAll()
			sh.Engine().Resolver().Flush(dname.Root(), true)
		})
		cancel()
		if err == nil {
			// What the shard has given to the kernel since the change may be of before.
			s.hot.Flush()
			return
		}
	}
}
