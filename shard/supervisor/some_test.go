package supervisor

import (
	"context"
	"errors"
	"testing"
	"time"

	"heimdall/shard"
	"heimdall/shard/worker"
)

// twoShards are those of a rig with so many.
func (r *rig) twoShards() (first, second *worker.Worker) {
	r.t.Helper()
	r.resized(2)
	list := r.workers()
	return list[0], list[1]
}

// ran calls worker.Some, and returns the shard that has run the command.
func (r *rig) ran(ctx context.Context) *shard.Shard {
	r.t.Helper()
	var by *shard.Shard
	if err := worker.Some(ctx, r.workers(), func(_ *worker.Worker, sh *shard.Shard) { by = sh }); err != nil {
		r.t.Error(err)
	}
	return by
}

// A shard that does not serve yet is passed over.
func TestRootSomeShardBesideOneThatStarts(t *testing.T) {
	r := newRig(t)
	first, second := r.twoShards()
	absent := worker.New(first.Options, first.Seat())
	r.setWorkers([]*worker.Worker{absent, second})
	defer r.setWorkers([]*worker.Worker{first, second})
	if r.ran(t.Context()) != second.Current() {
		t.Error("the second shard has not run the command")
	}
}

// A shard whose mailbox is full, and one that does not come to its mailbox, are passed over; what was posted to
// the latter is not run later.
func TestRootSomeShardBesideOneThatIsStuck(t *testing.T) {
	r := newRig(t)
	first, second := r.twoShards()
	release := make(chan struct{})
	defer close(release)
	if !first.Current().Post(func() { <-release }) {
		t.Fatal("no room")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	if r.ran(ctx) != second.Current() {
		t.Error("the second shard has not run the command while the first was stuck")
	}
	for first.Current().Post(func() {}) {
	}
	if r.ran(t.Context()) != second.Current() {
		t.Error("the second shard has not run the command while the mailbox of the first was full")
	}
}

// What makes one shard fall over is not handed to the next.
func TestRootSomeShardFallsOver(t *testing.T) {
	r := newRig(t)
	_, second := r.twoShards()
	calls := 0
	err := worker.Some(t.Context(), r.workers(), func(*worker.Worker, *shard.Shard) { calls++; panic("for the test") })
	if !errors.Is(err, worker.ErrRestarting) || calls != 1 {
		t.Errorf("%d calls: %v", calls, err)
	}
	if n := second.History.Restarts(); n != 0 {
		t.Errorf("the second shard was started again %d times", n)
	}
}

// A shard that does not come to its mailbox does not turn.
func TestTurning(t *testing.T) {
	r := newRig(t)
	if err := r.Turning(t.Context()); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	if !r.workers()[0].Current().Post(func() { <-release }) {
		t.Fatal("no room")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := r.Turning(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a shard that is stuck: %v", err)
	}
	close(release)
	if err := r.Turning(t.Context()); err != nil {
		t.Error(err)
	}
}
