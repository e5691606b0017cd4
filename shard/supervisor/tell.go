package supervisor

import (
	"context"
	"errors"
	"sync"

	"heimdall/core/dname"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// tell has the shards of list take over what is in force by now: it calls f on their threads, all at once. No shard is left
// behind. One that is being started begins with what is in force. One that takes no command for worker.CommandTime is late: as
// soon as it takes one, it is brought up to date as at a start, with an empty cache. settled is called when all are done,
// and nobody uses what was before; with late shards that is after the return.
func (s *Supervisor) tell(ctx context.Context, list []*worker.Worker, f func(i int, w *worker.Worker, sh *shard.Shard), settled func()) (late error) {
	// Who asked for it may give up; the shards must not differ for that.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), worker.CommandTime)
	defer cancel()
	errs := make([]error, len(list))
	var all, behind sync.WaitGroup
	for i, w := range list {
		all.Go(func() { errs[i] = w.Insist(ctx, func(sh *shard.Shard) { f(i, w, sh) }) })
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

// catchUp waits for a late shard, until it is up to date or its worker has ended.
func (s *Supervisor) catchUp(w *worker.Worker) {
	for !w.Gone() {
		ctx, cancel := context.WithTimeout(context.Background(), worker.CommandTime)
		err := w.Insist(ctx, func(sh *shard.Shard) {
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
