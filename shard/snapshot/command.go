package snapshot

import (
	"context"
	"errors"
	"time"

	"heimdall/shard"
	"heimdall/shard/worker"
)

// askAgain is how long a shard is left alone whose mailbox is full.
const askAgain = 5 * time.Millisecond

// do has a shard carry out a command, and waits until it has. A shard whose mailbox is full has better things to do: it is asked
// again, until ctx ends.
func do(ctx context.Context, w *worker.Worker, f func(*shard.Shard)) error {
	for {
		err := w.Do(ctx, f)
		if !errors.Is(err, worker.ErrFull) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(askAgain):
		}
	}
}

// lost tells whether a command did not reach its shard because that does not serve.
func lost(err error) bool {
	return errors.Is(err, worker.ErrAbsent) || errors.Is(err, worker.ErrRestarting)
}
