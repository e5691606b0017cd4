// Package clock finds out whether the machine's clock is wrong: without a battery it may begin in 1970, and then nothing
// that is signed validates. The root's keys tell, which are signed for three weeks at a time: where their signature is right
// but for its time, it is the clock that is not.
package clock

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"heimdall/core/dnssec"
	"heimdall/shard/anchors"
)

const (
	pause = time.Minute // between two questions for the root's keys
	look  = time.Second // between two looks at a clock that is wrong
)

// Options say what is watched. All fields are needed.
type Options struct {
	Ask    func(context.Context) ([]byte, error) // for the root's DNSKEY RRset, not validated
	Root   func() *dnssec.Anchor                 // nil: nothing is validated
	Wall   func() int64                          // seconds since 1970, by which signatures are judged
	Remedy string                                // what an operator is to do
	Right  func()                                // the clock is right again: what was judged by it is to be forgotten
	Log    *slog.Logger
}

// Watch is the watcher. Its methods are safe for concurrent use.
type Watch struct {
	o       Options
	suspect chan struct{} // holds a token after Suspect
	wrong   atomic.Pointer[state]
}

// state is what is known of a clock that is wrong.
type state struct {
	life anchors.Lifetime
	text string
}

// New returns a Watch to which the clock is right.
func New(o Options) *Watch { return &Watch{o: o, suspect: make(chan struct{}, 1)} }

// Suspect says that a signature was not valid for its time. It is called by the shards, on their threads, and waits for
// nobody.
func (w *Watch) Suspect() {
	select {
	case w.suspect <- struct{}{}:
	default:
	}
}

// Warning is what an operator should know, and empty if the clock is right as far as is known.
func (w *Watch) Warning() string {
	if s := w.wrong.Load(); s != nil {
		return s.text
	}
	return ""
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.suspect:
		}
		if found := w.judge(ctx); found == misdated && !w.await(ctx) {
			return
		}
		select { // Zones whose own signatures are old do not have us ask for the root's keys all the time.
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// finding is what the root's keys tell about the clock.
type finding int

const (
	unknown  finding = iota // nothing: there was no answer, or one that is not the root's
	valid                   // it is right
	misdated                // it is wrong, or the answer is of another time
)

// judge asks for the root's keys, and tells operators if by them the clock is wrong.
func (w *Watch) judge(ctx context.Context) finding {
	root := w.o.Root()
	if root == nil {
		return unknown
	}
	msg, err := w.o.Ask(ctx)
	if err != nil {
		return unknown
	}
	now := w.o.Wall()
	life, isValid, isMisdated := anchors.RootSignature(msg, root, now)
	switch {
	case isValid:
		return valid
	case !isMisdated:
		return unknown
	}
	const form = "2006-01-02 15:04 UTC"
	date := func(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(form) }
	text := fmt.Sprintf("the clock is wrong: it says %s, and the root's keys are signed from %s to %s; whatever is signed fails: %s",
		date(now), date(life.From), date(life.Until), w.o.Remedy)
	if before := w.wrong.Swap(&state{life, text}); before == nil || before.life != life {
		w.o.Log.Error(text)
	}
	return misdated
}

// await waits until the clock is within the life of the signature that it is wrong by, or an answer is valid: that signature
// may have been of another time itself, as a forwarder may hand out what has expired. So the keys are asked for again once in
// a while, and at once when the clock was set; without an answer all stays as it is. False: ctx has ended.
func (w *Watch) await(ctx context.Context) bool {
	tick := time.NewTicker(look)
	defer tick.Stop()
	before, asked := w.o.Wall(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		now := w.o.Wall()
		jumped := now < before || now > before+int64(time.Minute/time.Second)
		before = now
		life := w.wrong.Load().life
		right := now >= life.From && now <= life.Until
		if !right && (jumped || time.Since(asked) >= pause) {
			found := w.judge(ctx)
			asked, right = time.Now(), found == valid
		}
		if !right {
			continue
		}
		w.wrong.Store(nil)
		w.o.Right()
		w.o.Log.Info("the clock is right: what it has made fail is forgotten")
		return true
	}
}
