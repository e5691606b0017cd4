package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"heimdall/shard"
)

// Each calls f on the threads of the shards of list, all at once, and waits for the ends. i is the place in list. Shards
// that do not serve yet, or any more, are left out.
func Each(ctx context.Context, list []*Worker, f func(i int, w *Worker, sh *shard.Shard)) error {
	return onThreads(ctx, list, f, ErrAbsent)
}

// EachServing is Each for what a shard that is being started again gets by itself.
func EachServing(ctx context.Context, list []*Worker, f func(i int, w *Worker, sh *shard.Shard)) error {
	return onThreads(ctx, list, f, ErrAbsent, ErrRestarting)
}

// onThreads runs f on the thread of each worker. It leaves out the errors in ignored.
func onThreads(ctx context.Context, list []*Worker, f func(i int, w *Worker, sh *shard.Shard), ignored ...error) error {
	errs := make([]error, len(list))
	var all sync.WaitGroup
	for i, w := range list {
		all.Go(func() {
			err := w.Do(ctx, func(sh *shard.Shard) { f(i, w, sh) })
			if !slices.ContainsFunc(ignored, func(n error) bool { return errors.Is(err, n) }) {
				errs[i] = err
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Some calls f on the thread of one shard of list, the first that takes commands. Only shards may look into zones:
// their memory is given back when no shard uses them.
//
// The shards share the time of one command, so that one which is stuck leaves some to the others. A command that a shard
// fell over at is not handed to the next: all would fall.
func Some(ctx context.Context, list []*Worker, f func(*Worker, *shard.Shard)) error {
	ctx, cancel := context.WithTimeout(ctx, CommandTime)
	defer cancel()
	err := ErrAbsent
	for i, w := range list {
		end, _ := ctx.Deadline()
		turn, over := context.WithTimeout(ctx, time.Until(end)/time.Duration(len(list)-i))
		err = w.Do(turn, func(sh *shard.Shard) { f(w, sh) })
		over()
		if err == nil || errors.Is(err, ErrFell) || ctx.Err() != nil {
			break
		}
	}
	return err
}
