package worker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"heimdall/shard"
)

// CommandTime bounds one command to the shards, that of an operator for example.
const CommandTime = 10 * time.Second

// What keeps a command from a shard.
var (
	ErrAbsent     = errors.New("the shard does not serve yet, or any more")
	ErrRestarting = errors.New("the shard is being started again")
	ErrFull       = errors.New("the shard's mailbox is full")
	// ErrFell is an ErrRestarting that the command itself may have caused.
	ErrFell = fmt.Errorf("%w: it ended at this command", ErrRestarting)
)

// Do calls f on the shard's thread and waits for its end. On an error f has not been called and will not be, but for
// ErrFell.
func (w *Worker) Do(ctx context.Context, f func(*shard.Shard)) error {
	s := w.current.Load()
	if s == nil || s.State() == shard.Stopped {
		if !w.serving.Load() {
			return fmt.Errorf("shard %d: %w", w.ID(), ErrAbsent)
		}
		return fmt.Errorf("shard %d: %w", w.ID(), ErrRestarting)
	}
	done := make(chan struct{})
	var claimed atomic.Bool // by the shard, which then runs f, or by the caller, who then gives up
	command := func() {
		if claimed.CompareAndSwap(false, true) {
			f(s)
			close(done)
		}
	}
	if !s.Post(command) {
		return fmt.Errorf("shard %d: %w", w.ID(), ErrFull)
	}
	var why error
	select {
	case <-done:
		return nil
	case <-s.Ended():
		why = ErrRestarting
	case <-ctx.Done():
		why = ctx.Err()
	}
	if claimed.CompareAndSwap(false, true) {
		return fmt.Errorf("shard %d: %w", w.ID(), why)
	}
	select {
	case <-done:
		return nil
	case <-s.Ended():
	}
	select {
	case <-done: // both have come
		return nil
	default:
		return fmt.Errorf("shard %d: %w", w.ID(), ErrFell)
	}
}

// Insist is Do for what a shard that is started begins with, and which it must not miss: a mailbox that is full is tried
// again until ctx ends.
func (w *Worker) Insist(ctx context.Context, f func(*shard.Shard)) error {
	for {
		err := w.Do(ctx, f)
		switch {
		case errors.Is(err, ErrAbsent), errors.Is(err, ErrRestarting):
			return nil
		case !errors.Is(err, ErrFull):
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(askAgain):
		}
	}
}
