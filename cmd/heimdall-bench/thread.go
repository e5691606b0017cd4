package main

import (
	"context"
	"time"
)

const (
	// lagUDP is how late the generator may send, in ns. After a longer pause of its
	// own a burst would overrun the server's receive buffer, which is not the
	// server's fault.
	lagUDP = 5e6
	// expireEvery is how often a warm-up looks for lost queries, in ns.
	expireEvery = 50e6
)

// thread is the streams that share one busy loop, so that they do not fight over
// a CPU.
type thread struct {
	streams []*stream
	clock   func() int64 // ns since the run began
	rest    *rest        // nil: the loop is busy
}

func (t *thread) close() {
	for _, s := range t.streams {
		s.close()
	}
}

// paced sends every stream by its schedule and then waits for the last replies.
func (t *thread) paced(ctx context.Context) {
	if t.rest != nil {
		t.rest.prepare()
	}
	now := t.clock()
	for sending := true; sending && ctx.Err() == nil; now = t.clock() {
		sending = false
		for _, s := range t.streams {
			s.pace(now)
			s.receive(t.clock, now)
			sending = sending || !s.schedule.done()
		}
		if t.rest != nil && sending {
			t.rest.take(t)
		}
	}
	for _, s := range t.streams {
		for end := now + s.timeout; s.open > 0 && now < end && ctx.Err() == nil; now = t.clock() {
			for _, other := range t.streams {
				other.receive(t.clock, now)
			}
		}
	}
}

// warm keeps window queries of the first stream open until every key has had a
// good reply or the time is over. It tells whether all had one.
func (t *thread) warm(ctx context.Context, total uint64, window int, limit time.Duration) bool {
	s := t.streams[0]
	now := t.clock()
	end, check := now+int64(limit), now+expireEvery
	for ; now < end && ctx.Err() == nil; now = t.clock() {
		if s.open < window {
			s.send(now, window-s.open)
		}
		s.receive(t.clock, now)
		if s.by[right]-s.late >= total {
			return true
		}
		if now > check {
			s.expire(now - s.timeout)
			check = now + expireEvery
		}
	}
	return false
}
