package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"heimdall/core/control"
	"heimdall/netio/tcp"
	"heimdall/shard"
)

// worker keeps one shard alive on its CPU. What must outlive a shard that panics is here: its sockets, its
// memory, its counts.
type worker struct {
	*history
	opt      shard.Options // but for the CPU, which is the seat's
	seats    seats
	mem      []byte // of the cache
	epoch    time.Time
	log      *slog.Logger
	given    *update            // what the Engine was made with; of the shard's thread
	fresh    func(*shard.Shard) // brings a shard that serves up to what changed while it started
	current  atomic.Pointer[shard.Shard]
	serving  atomic.Bool // a shard has begun to serve, and run has not returned
	stopping atomic.Bool
	released atomic.Bool
	leaveTo  atomic.Pointer[func(tcp.Moved)] // not nil: the worker ends while others go on
	moved    moved
	begun    bool          // run has been called
	done     chan struct{} // closed when run returns
}

// Pauses between a shard's end and its restart. A shard that falls over at once must not take a CPU for it.
const (
	firstPause = 10 * time.Millisecond
	longPause  = 2 * time.Second
	stableFor  = 30 * time.Second // a shard that ran so long starts again after firstPause
)

// run keeps a shard running until stop is called. started, which has room, is told once: when a shard serves for
// the first time, or that none can.
func (w *worker) run(started chan<- error) {
	defer close(w.done)
	defer w.serving.Store(false)
	pause := firstPause
	var reported atomic.Bool
	// One that leaves has to answer what is in its sockets, whatever happens.
	for !w.stopping.Load() || w.leaveTo.Load() != nil {
		s, err := shard.New(w.options(), w.epoch)
		if err == nil {
			w.current.Store(s)
			s.Post(func() {
				w.fresh(s)
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
				w.add(s, true)
				return
			}
			w.add(s, false)
			if time.Since(began) > stableFor {
				pause = firstPause
			}
		}
		if !errors.Is(err, errPanic) && reported.CompareAndSwap(false, true) {
			started <- err
			return
		}
		w.restarts.Add(1)
		w.log.Error("a shard ended and is started again", "shard", w.opt.ID, "cpu", w.opt.CPU, "pause", pause, "error", err)
		time.Sleep(pause)
		pause = min(2*pause, longPause)
	}
	if reported.CompareAndSwap(false, true) {
		started <- errStopped
	}
}

// errStopped: the daemon was told to end before the shard served.
var errStopped = errors.New("stopped while starting")

// errPanic is what serve returns when a shard panicked.
var errPanic = errors.New("panic")

// serve runs a shard to its end on a goroutine and thread of its own; both end with it.
func (w *worker) serve(s *shard.Shard) error {
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
func (w *worker) options() shard.Options {
	o := w.opt
	o.CPU = w.seats.wanted().CPU
	return o
}

// stop makes the shard answer what it has received, and go on serving until release.
func (w *worker) stop() {
	w.stopping.Store(true)
	if s := w.current.Load(); s != nil {
		w.pass(s)
	}
}

// leave makes the shard answer and resolve what it has received, and hand its streams to the function to; then it goes
// on until release. Nothing new may come to its sockets any more.
func (w *worker) leave(to func(tcp.Moved)) {
	w.leaveTo.Store(&to)
	w.stop()
}

// pass tells a shard what the worker has been told.
func (w *worker) pass(s *shard.Shard) {
	if to := w.leaveTo.Load(); to != nil {
		s.Leave(*to)
	} else if w.stopping.Load() {
		s.Stop()
	}
	if w.released.Load() {
		s.Release()
	}
}

// drained tells whether the shard owes nothing to anybody.
func (w *worker) drained() bool {
	if !w.begun || w.gone() {
		return true
	}
	s := w.current.Load()
	return s != nil && (s.State() == shard.Drained || s.State() == shard.Stopped)
}

// gone tells whether run has returned.
func (w *worker) gone() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// release ends a shard that has been stopped.
func (w *worker) release() {
	w.released.Store(true)
	if s := w.current.Load(); s != nil {
		s.Release()
	}
}

// wait returns when the shard has ended.
func (w *worker) wait() {
	if w.begun {
		<-w.done
	}
}

// now returns the time on the shards' clock in nanoseconds.
func (w *worker) now() int64 { return int64(time.Since(w.epoch)) }

// state tells operators what the shard is doing.
func (w *worker) state() control.ShardState {
	s := w.current.Load()
	if s == nil {
		return control.ShardStarting
	}
	switch s.State() {
	case shard.Starting:
		return control.ShardStarting
	case shard.Running:
		return control.ShardRunning
	case shard.Draining, shard.Drained:
		return control.ShardDraining
	}
	if w.stopping.Load() {
		return control.ShardStopped
	}
	return control.ShardRestarting
}

var (
	errAbsent     = errors.New("the shard does not serve yet, or any more")
	errRestarting = errors.New("the shard is being started again")
	errFull       = errors.New("the shard's mailbox is full")
	// errFell is an errRestarting that the command itself may have caused.
	errFell = fmt.Errorf("%w: it ended at this command", errRestarting)
)

// do calls f on the shard's thread and waits for its end. On an error f has not been called and will not be, but for
// errFell.
func (w *worker) do(ctx context.Context, f func(*shard.Shard)) error {
	s := w.current.Load()
	if s == nil || s.State() == shard.Stopped {
		if !w.serving.Load() {
			return fmt.Errorf("shard %d: %w", w.opt.ID, errAbsent)
		}
		return fmt.Errorf("shard %d: %w", w.opt.ID, errRestarting)
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
		return fmt.Errorf("shard %d: %w", w.opt.ID, errFull)
	}
	var why error
	select {
	case <-done:
		return nil
	case <-s.Ended():
		why = errRestarting
	case <-ctx.Done():
		why = ctx.Err()
	}
	if claimed.CompareAndSwap(false, true) {
		return fmt.Errorf("shard %d: %w", w.opt.ID, why)
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
		return fmt.Errorf("shard %d: %w", w.opt.ID, errFell)
	}
}
