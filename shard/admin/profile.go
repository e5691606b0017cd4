package admin

import (
	"bytes"
	"context"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"

	"heimdall/core/control"
)

// enough is the size in octets at which a profile ends before its time: what is written until it has ended fits into
// control.MaxProfile.
const enough = control.MaxProfile / 2

// profiler makes profiles of this process, one at a time. Safe for concurrent use.
type profiler struct{ busy sync.Mutex }

// Profile implements control.Server.
func (s *Server) Profile(ctx context.Context, args control.ProfileArgs) (*control.Profile, error) {
	return s.profiler.take(ctx, args)
}

func (p *profiler) take(ctx context.Context, args control.ProfileArgs) (*control.Profile, error) {
	if !p.busy.TryLock() {
		return nil, &control.Error{Code: control.CodeUnavailable, Message: "another profile is being taken", Hint: "wait for its end: it takes a minute at most"}
	}
	defer p.busy.Unlock()
	out := &growing{full: make(chan struct{})}
	var err error
	switch args.Kind {
	case control.ProfileHeap:
		err = pprof.Lookup("heap").WriteTo(out, 0)
	case control.ProfileCPU:
		if err = pprof.StartCPUProfile(out); err == nil {
			out.wait(ctx, args.Seconds)
			pprof.StopCPUProfile()
		}
	case control.ProfileTrace:
		if err = trace.Start(out); err == nil {
			out.wait(ctx, args.Seconds)
			trace.Stop()
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return &control.Profile{Octets: out.buf.Bytes(), Early: out.isFull()}, nil
}

// growing takes a profile, and says when there is enough of it. What comes beyond the largest profile is not kept.
type growing struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	full chan struct{} // closed when there is enough
}

// Write implements io.Writer.
func (g *growing) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.buf.Len()
	if before <= control.MaxProfile { // one that is too large by then is refused
		g.buf.Write(b)
	}
	if before < enough && g.buf.Len() >= enough {
		close(g.full)
	}
	return len(b), nil
}

// wait returns after the seconds, or when there is enough, or when ctx ends.
func (g *growing) wait(ctx context.Context, seconds int) {
	end := time.NewTimer(time.Duration(seconds) * time.Second)
	defer end.Stop()
	select {
	case <-end.C:
	case <-g.full:
	case <-ctx.Done():
	}
}

func (g *growing) isFull() bool {
	select {
	case <-g.full:
		return true
	default:
		return false
	}
}
