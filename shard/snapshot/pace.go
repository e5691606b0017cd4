package snapshot

import (
	"context"
	"time"
)

// pace keeps the work for a snapshot a small part of each shard's time, and of what the disk takes.
type pace struct {
	rest int   // for each nanosecond of work so many of rest
	rate int64 // bytes a second; 0: no bound
	owed time.Duration
}

// shardRest leaves a shard three quarters of its time while a snapshot is made or taken over.
const shardRest = 3

// longestStep is the most that one step counts as: what is longer was no work, but a thread that waited for its CPU.
const longestStep = 200 * time.Microsecond

// shortest is the shortest sleep: what is owed is saved up for it.
const shortest = time.Millisecond

// worked waits for what work of a shard and writing bytes cost, or until ctx ends.
func (p *pace) worked(ctx context.Context, took time.Duration, bytes int) {
	rest := min(took, longestStep) * time.Duration(p.rest)
	if p.rate > 0 {
		rest = max(rest, time.Duration(int64(bytes)*int64(time.Second)/p.rate))
	}
	if p.owed += rest; p.owed < shortest {
		return
	}
	began := time.Now()
	t := time.NewTimer(p.owed)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	p.owed -= time.Since(began)
	p.owed = max(p.owed, -shortest) // A machine that halts gains no more than that.
}
