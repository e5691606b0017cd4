// Package worker keeps one shard alive on its CPU: it starts the shard, starts another one when it panics, and keeps what must
// outlive it. It also carries commands to shards, one or all of them.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"heimdall/affinity"
	"heimdall/netio/tcp"
	"heimdall/shard"
)

// Options say what is kept alive. They are not changed once Start was called.
type Options struct {
	Shard   shard.Options                        // of each shard, but for the CPU, which is the seat's
	Epoch   time.Time                            // zero of the shard's clock
	History *History                             // of the shard's ID
	Map     func(node, size int) ([]byte, error) // maps memory that affinity.Unmap gives back
	Fresh   func(*shard.Shard)                   // brings a shard that serves up to what changed while it started, on its thread
	Log     *slog.Logger
}

// Worker keeps a shard alive. What must outlive one that panics is here: its sockets, its memory, its counts. Its methods
// are safe for concurrent use unless they say otherwise.
type Worker struct {
	Options
	seats    seats
	mem      []byte // of the cache
	packets  []byte // of the shard's and its ports' buffers
	current  atomic.Pointer[shard.Shard]
	serving  atomic.Bool // a shard has begun to serve, and run has not returned
	stopping atomic.Bool
	released atomic.Bool
	leaveTo  atomic.Pointer[func(tcp.Moved)] // not nil: the worker ends while others go on
	deaf     atomic.Bool                     // another process has the sockets, or will have them
	moved    moved
	waiting  atomic.Bool   // shards do not look at what comes to the sockets, until Listen
	begun    bool          // Start has been called
	done     chan struct{} // closed when run returns
}

// New returns a worker whose shard is to have a seat.
func New(o Options, at Seat) *Worker {
	w := &Worker{Options: o, done: make(chan struct{})}
	w.seats.want = at
	return w
}

// ID is the number of the shard, from 0 on.
func (w *Worker) ID() int { return w.Shard.ID }

// Current returns the shard that runs, or that ran last; nil: there was none yet.
func (w *Worker) Current() *shard.Shard { return w.current.Load() }

// Start starts the shard and keeps it running until Release. It sends to started once, which must have room: nil when a
// shard serves for the first time, or the error if none can. Call it at most once, before Stop.
func (w *Worker) Start(started chan<- error) {
	w.begun = true
	go w.run(started)
}

// Pauses between a shard's end and its restart. A shard that falls over at once must not take a CPU for it.
const (
	firstPause = 10 * time.Millisecond
	longPause  = 2 * time.Second
	stableFor  = 30 * time.Second // a shard that ran so long starts again after firstPause
)

func (w *Worker) run(started chan<- error) {
	defer close(w.done)
	defer w.serving.Store(false)
	pause := firstPause
	var reported atomic.Bool
	// One that leaves has to answer what is in its sockets, whatever happens.
	for !w.Ending() || w.leaveTo.Load() != nil {
		s, err := shard.New(w.options(), w.Epoch)
		if err == nil {
			w.current.Store(s)
			s.Post(func() {
				w.Fresh(s)
				if !w.waiting.Load() && s.Listen() != nil {
					panic("the shard cannot watch its sockets") // it is started again
				}
				w.serving.Store(true)
			})
			w.pass(s)
			if !reported.Load() {
				s.Post(func() {
					if reported.CompareAndSwap(false, true) {
						started <- nil
					}
				})
			}
			began := time.Now()
			if err = w.serve(s); err == nil {
				w.History.add(s, true)
				return
			}
			w.History.add(s, false)
			if time.Since(began) > stableFor {
				pause = firstPause
			}
		}
		if !errors.Is(err, errPanic) && reported.CompareAndSwap(false, true) {
			started <- err
			return
		}
		w.History.restarts.Add(1)
		w.Log.Error("a shard ended and is started again", "shard", w.ID(), "cpu", w.Seat().CPU, "pause", pause, "error", err)
		time.Sleep(pause)
		pause = min(2*pause, longPause)
	}
	if reported.CompareAndSwap(false, true) {
		started <- ErrStopped
	}
}

// ErrStopped: the daemon was told to end before the shard served.
var ErrStopped = errors.New("stopped while starting")

// errPanic is what serve returns when a shard panicked.
var errPanic = errors.New("panic")

// serve runs a shard to its end on a goroutine and thread of its own; both end with it.
func (w *Worker) serve(s *shard.Shard) error {
	ended := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				ended <- fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
			}
		}()
		// A fault in memory outside of the Go heap is this shard's end, not everyone's.
		debug.SetPanicOnFault(true)
		ended <- s.Run()
	}()
	return <-ended
}

// options are those of the next shard.
func (w *Worker) options() shard.Options {
	o := w.Shard
	o.CPU, o.Wait = w.Seat().CPU, w.waiting.Load()
	if w.serving.Load() {
		// Its CPU may have gone offline meanwhile. Clients' queries still come to its sockets.
		o.Unpinned = func(err error) {
			w.Log.Warn("a shard is started again, but not on its CPU", "shard", o.ID, "error", err)
		}
	}
	return o
}

// Hold has the shard serve nobody before Listen. Call it before Start.
func (w *Worker) Hold() { w.waiting.Store(true) }

// Listen ends what Hold began.
func (w *Worker) Listen(ctx context.Context) (err error) {
	w.waiting.Store(false)
	// One that is being started again sees to it itself.
	if e := EachServing(ctx, []*Worker{w}, func(_ int, _ *Worker, sh *shard.Shard) { err = sh.Listen() }); e != nil {
		return e
	}
	return err
}

// Stop makes the shard answer what it has received, and go on serving until Release.
func (w *Worker) Stop() {
	w.stopping.Store(true)
	if s := w.current.Load(); s != nil {
		w.pass(s)
	}
}

// Leave makes the shard answer and resolve what it has received, and hand its streams to the function to; then it goes
// on until Release. Nothing new may come to its sockets any more.
func (w *Worker) Leave(to func(tcp.Moved)) {
	w.leaveTo.Store(&to)
	w.Stop()
}

// Deafen leaves what comes to the worker's sockets to another process, that has them or will have them. Call it before Stop
// or Leave.
func (w *Worker) Deafen() { w.deaf.Store(true) }

// Ending tells whether Stop or Leave has been called.
func (w *Worker) Ending() bool { return w.stopping.Load() }

// pass tells a shard what the worker has been told.
func (w *Worker) pass(s *shard.Shard) {
	if w.deaf.Load() {
		s.Deafen()
	}
	if to := w.leaveTo.Load(); to != nil {
		s.Leave(*to)
	} else if w.Ending() {
		s.Stop()
	}
	if w.released.Load() {
		s.Release()
	}
}

// Drained tells whether the shard owes nothing to anybody.
func (w *Worker) Drained() bool {
	if !w.begun || w.Gone() {
		return true
	}
	s := w.current.Load()
	return s != nil && (s.State() == shard.Drained || s.State() == shard.Stopped)
}

// Gone tells whether the worker has ended.
func (w *Worker) Gone() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// Release ends a shard that has been stopped. One that falls over again and again is not started again.
func (w *Worker) Release() {
	w.released.Store(true)
	if s := w.current.Load(); s != nil {
		s.Release()
	}
	w.leaveTo.Store(nil)
}

// Close gives back what outlives a shard. The worker has ended, or was never started.
func (w *Worker) Close() {
	for _, p := range w.Shard.Ports {
		p.Close()
	}
	w.Shard.Ports = nil
	for _, l := range w.Shard.Listeners {
		l.Close()
	}
	w.moved.close()
	affinity.Unmap(w.mem)
	affinity.Unmap(w.packets)
	w.mem, w.packets = nil, nil
}

// Wait returns when the shard has ended.
func (w *Worker) Wait() {
	if w.begun {
		<-w.done
	}
}

// Now returns the time on the shard's clock in nanoseconds.
func (w *Worker) Now() int64 { return int64(time.Since(w.Epoch)) }
