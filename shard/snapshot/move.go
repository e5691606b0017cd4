package snapshot

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"heimdall/affinity"
	"heimdall/core/cache"
	"heimdall/shard/worker"
)

// Left is the cache that a shard had, in memory that the shard does not use any more. Nobody else uses it.
type Left struct {
	Shard   int // its number
	Worker  *worker.Worker
	Answers *cache.Answers
	Memory  []byte // all of it; affinity.Unmap gives it back
}

// Move is the way of caches to other shards, when their number changes. Add may be called by several goroutines.
type Move struct {
	k      *Keeper
	ticket *ticket
	before int   // how many shards there were
	limit  int64 // bytes that all caches may have together
	hurry  atomic.Bool
	stop   context.CancelFunc
	ended  chan struct{}

	mu   sync.Mutex
	left []Left // not written to once it has gone
	gone bool
}

// hurryFor is how long a move gets to come to its end that is in the way of another, or of the end of the daemon.
const hurryFor = 5 * time.Second

// Move begins a move: what is flushed from now on does not arrive. The caches of that many shards will be added to it, and
// Go ends it. Moves are begun one at a time; one that is under way is brought to its end first.
func (k *Keeper) Move(shards int, limit int64) *Move {
	k.finishMove()
	return &Move{k: k, ticket: k.guard.begin(), before: shards, limit: limit, ended: make(chan struct{})}
}

// finishMove returns when no move is under way.
func (k *Keeper) finishMove() {
	m := k.moving.Swap(nil)
	if m == nil {
		return
	}
	m.hurry.Store(true)
	select {
	case <-m.ended:
	case <-time.After(hurryFor):
	}
	m.stop()
	<-m.ended
}

// Add gives a cache to the move, which gives its memory back. False: the move has gone without it.
func (m *Move) Add(l Left) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gone {
		return false
	}
	m.left = append(m.left, l)
	return true
}

// Go has the shards that there are now take over the caches, in the background. They get what they own, if names have owners,
// what they had, if there are as many as before, or else what any had. Nothing has to go for it, and memory is given back as its
// answers are told: at no time all of it together is more than the limit.
func (m *Move) Go() {
	m.mu.Lock()
	m.gone = true
	m.mu.Unlock()
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	m.k.moving.Store(m)
	go func() {
		defer close(m.ended)
		defer m.ticket.end()
		began := time.Now()
		taken, err := m.run(ctx)
		for _, l := range m.left {
			affinity.Unmap(l.Memory)
		}
		log := m.k.opt.Log.With("entries", taken, "took", time.Since(began).Round(time.Millisecond))
		switch {
		case err != nil:
			log.Warn("a part of the caches has not moved to other shards", "error", err)
		case len(m.left) > 0:
			log.Info("the caches have moved to other shards")
		}
	}()
}

// moveStep is how many bytes of an old cache are looked at at a time. That is no shard's time.
const moveStep = 32 << 10

func (m *Move) run(ctx context.Context) (taken uint64, err error) {
	d := newDelivery(m.k.opt.Workers, m.ticket, m.k.opt.Owner, m.before)
	defer func() {
		taken = d.taken
		// A shard that panicked may have left its cache in any state.
		if p := recover(); p != nil {
			err = fmt.Errorf("a cache cannot be read: %v", p)
		}
	}()
	old := int64(0) // bytes of memory that is not given back
	walks := make([]cache.Walk, len(m.left))
	for i, l := range m.left {
		old += int64(l.Answers.Stats().Store.Touched)
		walks[i] = cache.Drain(func(piece []byte) {
			old -= int64(len(piece))
			affinity.Discard(piece)
		})
	}
	var told []byte
	for busy := true; busy; {
		busy = false
		for i, l := range m.left {
			var done bool
			told, _, done = l.Answers.Export(&walks[i], told[:0], moveStep, uint32(l.Worker.Now()/1e9))
			busy = busy || !done
			if m.hurry.Load() {
				d.pace.rest = 0
			}
			if d.used()+old > m.limit {
				continue // The shards have learned so much meanwhile: there is no room for what is old.
			}
			if err := d.frame(ctx, l.Shard, told, 0); err != nil {
				return 0, err
			}
		}
	}
	return 0, nil
}
