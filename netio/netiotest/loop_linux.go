package netiotest

import (
	"testing"
	"time"

	"heimdall/netio"
)

// HangGuard ends a test that waits for something that does not come. It is no claim about speed.
const HangGuard = 30 * time.Second

// Source is what takes the events of a Loop and has deadlines of its own.
type Source interface {
	Ready(kind netio.Kind, index uint32, events uint32, now int64)
	Expire(now int64)
}

// Loop is the loop of a shard around one source of events. Its clock moves only when a test moves it. Not safe for
// concurrent use.
type Loop struct {
	Poller *netio.Poller
	Clock  int64           // of the shard, in nanoseconds
	Turned func(now int64) // called at the end of each turn; nil: the source's Expire
	T      testing.TB      // who fails; the target of a fuzz test puts its own here

	source Source
	state  func() any
	events [64]netio.Event
}

// NewLoop returns a loop at one hour. Its poller is closed when the test has ended.
func NewLoop(t testing.TB) *Loop {
	t.Helper()
	p, err := netio.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return &Loop{Poller: p, Clock: int64(time.Hour), T: t}
}

// Serve gives the loop its source, and what a test that waits in vain is to print.
func (l *Loop) Serve(s Source, state func() any) {
	l.source, l.state = s, state
	if l.Turned == nil {
		l.Turned = s.Expire
	}
}

// Turn is one turn of the loop. It waits for events no longer than timeout, and reports whether there were any.
func (l *Loop) Turn(timeout time.Duration) bool {
	n := l.Poller.Wait(l.events[:], timeout)
	for _, e := range l.events[:n] {
		l.source.Ready(e.Kind(), e.Index(), e.Ready, l.Clock)
	}
	l.Turned(l.Clock)
	return n > 0
}

// Until turns the loop until ok.
func (l *Loop) Until(what string, ok func() bool) {
	l.T.Helper()
	for start := time.Now(); !ok(); {
		l.Turn(time.Millisecond)
		if time.Since(start) > HangGuard {
			l.T.Fatalf("waiting until %s: %+v", what, l.state())
		}
	}
}

// Quiet turns the loop until the poller has nothing to report. It fails the test when that never happens: then a
// descriptor is watched without need.
func (l *Loop) Quiet() {
	l.T.Helper()
	for range 10000 {
		if !l.Turn(0) {
			return
		}
	}
	l.T.Fatalf("the poller never rests: %+v", l.state())
}

// Pass moves the clock, and ends what is due.
func (l *Loop) Pass(d time.Duration) {
	l.Clock += int64(d)
	l.source.Expire(l.Clock)
}
