// Package tap is the query log and dnstap: what shards record of queries and responses becomes lines and frames here, off
// their threads.
//
//	shard ──> ring ──┐                        ┌─> lines ──> file, or the daemon's log
//	shard ──> ring ──┴─> Tap, one goroutine ──┴─> frames ─> stream to a reader, or file
//
// Nobody waits for the next one: a shard for room in its ring, the goroutine for an output, or an output's own goroutine
// for a disk or a reader. What finds no room is lost and counted.
package tap

import (
	"log/slog"
	"sync"
	"time"

	"heimdall/shard/tap/ring"
)

// Options are what a Tap needs. All of it is safe for concurrent use.
type Options struct {
	Epoch  time.Time     // zero of the shards' clocks
	Kernel func() uint64 // answers of tier 0, which no shard sees
	Log    *slog.Logger  // of the daemon
	Lines  *slog.Logger  // likewise, for lines of the query log: it must wait for nobody
	// Alone is closed when no other process writes to the same files any more, which then may go aside. Nil: none does.
	Alone <-chan struct{}
}

// Tap is the query log and dnstap. Its methods are safe for concurrent use.
type Tap struct {
	o      Options
	counts struct{ lines, frames counts }
	wake   chan struct{}
	ending chan struct{}
	ended  chan struct{}

	mu     sync.Mutex // held while records are read, and by a change
	lines  *lines     // nil: there is no query log
	frames *frames    // nil: there is no dnstap
	kernel uint64     // answers that the query log has told of
	told   time.Time  // when

	sources struct {
		sync.Mutex
		settings Settings
		rings    map[int]*ring.Ring // of the shards that have been given one, by ID
		retired  []retired
		lost     map[int]*lost
	}
}

// retired is a ring that the shard has no more use for. A shard that is late may still write to it for a while.
type retired struct {
	id   int
	ring *ring.Ring
	till time.Time
}

// retiredFor is how long a retired ring is looked at.
const retiredFor = time.Minute

const (
	// doze is how long the goroutine sleeps if nothing has come and no ring fills.
	doze = 20 * time.Millisecond
	// portion is how many records are read from one ring in turn.
	portion = 512
	// kernelEvery is how often the query log tells of the kernel's answers.
	kernelEvery = time.Minute
)

// New returns a Tap that records nothing. Close ends it.
func New(o Options) *Tap {
	if o.Alone == nil {
		alone := make(chan struct{})
		close(alone)
		o.Alone = alone
	}
	t := &Tap{o: o, wake: make(chan struct{}, 1), ending: make(chan struct{}), ended: make(chan struct{}), told: time.Now()}
	t.sources.rings, t.sources.lost = map[int]*ring.Ring{}, map[int]*lost{}
	go t.run()
	return t
}

// Ring returns where a shard records, and what; nil: nothing. It makes the ring of a shard that Apply did not know of.
func (t *Tap) Ring(id int) (*ring.Ring, ring.Selection) {
	if t == nil {
		return nil, ring.Selection{}
	}
	s := &t.sources
	s.Lock()
	defer s.Unlock()
	if !s.settings.on() {
		return nil, ring.Selection{}
	}
	if s.rings[id] == nil {
		t.add(id, ring.New(s.settings.Ring, t.wake))
	}
	return s.rings[id], s.settings.selection()
}

// add has a ring be read from now on. The sources are locked.
func (t *Tap) add(id int, r *ring.Ring) {
	s := &t.sources
	s.rings[id] = r
	if s.lost[id] == nil {
		s.lost[id] = new(lost)
	}
	t.rouse()
}

// rouse has the goroutine look.
func (t *Tap) rouse() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// run reads the rings until Close.
func (t *Tap) run() {
	defer close(t.ended)
	timer := time.NewTimer(doze)
	for {
		list := t.list()
		if t.pass(list) {
			continue
		}
		for _, s := range list {
			s.ring.Sleep()
		}
		var due <-chan time.Time
		if len(list) > 0 {
			timer.Reset(doze)
			due = timer.C
		}
		select {
		case <-t.wake:
		case <-due:
		case <-t.ending:
			for t.pass(t.list()) { // The shards have ended.
			}
			return
		}
	}
}

// source is a ring that is read.
type source struct {
	ring *ring.Ring
	lost *lost
}

// list returns the rings, those of the past included.
func (t *Tap) list() (list []source) {
	s := &t.sources
	s.Lock()
	defer s.Unlock()
	for id, r := range s.rings {
		list = append(list, source{r, s.lost[id]})
	}
	now, left := time.Now(), s.retired[:0]
	for _, r := range s.retired {
		list = append(list, source{r.ring, s.lost[r.id]})
		if now.Before(r.till) {
			left = append(left, r)
		}
	}
	clear(s.retired[len(left):])
	s.retired = left
	return list
}

// pass reads a portion of each ring, and tells whether there was anything.
func (t *Tap) pass(list []source) (some bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	zero := now.UnixNano() - int64(time.Since(t.o.Epoch)) // The wall clock may have been set.
	var rec ring.Record
	for _, s := range list {
		n := 0
		for ; n < portion && s.ring.Next(&rec); n++ {
			t.take(&rec, zero, s.lost)
		}
		s.ring.Release()
		some = some || n > 0
	}
	if t.lines != nil && now.Sub(t.told) >= kernelEvery {
		t.tellKernel(now)
	}
	return some
}

// take writes down a record.
func (t *Tap) take(rec *ring.Record, zero int64, l *lost) {
	if rec.Bits&(ring.Line|ring.Look) != 0 && t.lines != nil && !t.lines.take(rec, zero) {
		l.lines.Add(1)
	}
	if rec.Bits&(ring.QueryFrame|ring.ResponseFrame) != 0 && t.frames != nil {
		if n := t.frames.take(rec, zero); n > 0 {
			l.frames.Add(n)
		}
	}
}

// tellKernel has the query log tell of what it lacks.
func (t *Tap) tellKernel(now time.Time) {
	n := t.o.Kernel()
	if n > t.kernel {
		t.lines.tellKernel(n-t.kernel, now)
	}
	t.kernel, t.told = n, now
}

// Stats returns the counts.
func (t *Tap) Stats() Stats {
	lines, frames := t.outputs()
	s := &t.sources
	s.Lock()
	defer s.Unlock()
	out := Stats{Lost: map[int]Lost{}}
	to := ""
	if l := &s.settings.Lines; l.On {
		if to = l.File; to == "" {
			to = "the daemon's log"
		}
	}
	out.Lines = t.counts.lines.output(to, lines.fails())
	if to = ""; s.settings.Frames.Network != "" {
		to = s.settings.Frames.target()
	}
	out.Frames = t.counts.frames.output(to, frames.fails())
	for id, l := range s.lost {
		out.Lost[id] = Lost{l.lines.Load(), l.frames.Load()}
	}
	return out
}

// Close writes what the shards have recorded, and ends. The shards have ended.
func (t *Tap) Close() {
	if t == nil {
		return
	}
	close(t.ending)
	<-t.ended
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines.close(nil)
	t.frames.close(nil)
}
