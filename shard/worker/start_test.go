package worker

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"heimdall/core"
	"heimdall/netio/outbound"
	"heimdall/shard"
)

// patience bounds every wait. It is a guard against hanging, not a claim about speed.
const patience = 30 * time.Second

// newFake is a worker of a shard without sockets, whose Engine is never made.
func newFake(newEngine func(core.Performer) (*core.Engine, error)) *Worker {
	return New(Options{
		Epoch: time.Now(), History: new(History), Log: slog.New(slog.DiscardHandler), Fresh: func(*shard.Shard) {},
		Shard: shard.Options{Batch: 8, Waiters: 8, NewEngine: newEngine, Outbound: outbound.Options{Rand: rand.NewChaCha8([32]byte{})}},
	}, Seat{})
}

// A shard that cannot be started at all is reported and not tried again.
func TestFirstStartFails(t *testing.T) {
	w := newFake(func(core.Performer) (*core.Engine, error) { return nil, errors.New("no engine") })
	started := make(chan error, 1)
	w.Start(started)
	if err := <-started; err == nil || !strings.Contains(err.Error(), "no engine") {
		t.Error(err)
	}
	w.Wait()
	if n := w.History.Restarts(); n != 0 {
		t.Errorf("%d restarts", n)
	}
}

// One that panics before it has served is tried again, until it is told to stop: whoever waits for it hears of it.
func TestFirstStartPanics(t *testing.T) {
	w := newFake(func(core.Performer) (*core.Engine, error) { panic("no engine") })
	started := make(chan error, 1)
	w.Start(started)
	for end := time.Now().Add(patience); w.History.Restarts() < 3; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain for restarts")
		}
	}
	w.Stop()
	w.Wait()
	if err := <-started; !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
}
