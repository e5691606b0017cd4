package supervisor

import (
	"context"
	"errors"
	"slices"
	"sync"

	"heimdall/shard"
)

// workers returns the workers of all shards, those that come and those that go included, in the order of their
// IDs. The list is never written to: a change of the number of shards puts another one in its place. Who calls
// it twice may get two lists.
func (s *Supervisor) workers() []*worker {
	if list := s.list.Load(); list != nil {
		return *list
	}
	return nil
}

// setWorkers puts a list in the place of what workers returns.
func (s *Supervisor) setWorkers(list []*worker) { s.list.Store(&list) }

// each calls f on the threads of the shards of list, all at once, and waits for the ends. i is the place in list. Shards
// that do not serve yet, or any more, are left out.
func each(ctx context.Context, list []*worker, f func(i int, w *worker, sh *shard.Shard)) error {
	return onThreads(ctx, list, f, errAbsent)
}

// eachServing is each for what a shard that is being started again gets by itself.
func eachServing(ctx context.Context, list []*worker, f func(i int, w *worker, sh *shard.Shard)) error {
	return onThreads(ctx, list, f, errAbsent, errRestarting)
}

// onThreads runs f on the thread of each worker, and returns the errors but those in none.
func onThreads(ctx context.Context, list []*worker, f func(i int, w *worker, sh *shard.Shard), none ...error) error {
	errs := make([]error, len(list))
	var all sync.WaitGroup
	for i, w := range list {
		all.Go(func() {
			err := w.do(ctx, func(sh *shard.Shard) { f(i, w, sh) })
			if !slices.ContainsFunc(none, func(n error) bool { return errors.Is(err, n) }) {
				errs[i] = err
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
