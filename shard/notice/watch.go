package notice

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"heimdall/core/control"
)

// lookEvery is how often the state of the daemon is compared with what it was.
const lookEvery = 2 * time.Second

// Watched is what a Watch looks at.
type Watched interface {
	Status(context.Context) (*control.Status, error)
	Upstreams(context.Context) (*control.Upstreams, error)
	XDP(context.Context) (*control.XDP, error)
}

// Watch logs each change of servers and limits once. Its methods are safe for concurrent use.
type Watch struct {
	log      *slog.Logger
	troubles atomic.Pointer[[]string] // of the last look; nil: there was none
}

// NewWatch returns one that has not looked yet.
func NewWatch(log *slog.Logger) *Watch { return &Watch{log: log} }

// Troubles lists what is not well at present, with what to do: limits that strike, and servers that do not answer.
func (n *Watch) Troubles() []string {
	if list := n.troubles.Load(); list != nil {
		return *list
	}
	return nil
}

// Run looks until ctx ends. It asks the shards for their counters now and then: nothing is added to what they do for a query.
func (n *Watch) Run(ctx context.Context, w Watched) {
	u, l := upstreams{log: n.log}, limits{log: n.log}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if s, err := w.Status(ctx); err == nil {
			if s.XDP != nil { // Status leaves its exits out
				if x, err := w.XDP(ctx); err == nil {
					s.XDP = x
				}
			}
			l.look(time.Now(), s)
		}
		if list, err := w.Upstreams(ctx); err == nil {
			u.look(list)
		}
		troubles := append(l.troubles(), u.troubles()...)
		n.troubles.Store(&troubles)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
