package notice

import (
	"context"
	"log/slog"
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

// Watch logs each change of servers and limits once, until ctx ends. It asks the shards for their counters now and then:
// nothing is added to what they do for a query.
func Watch(ctx context.Context, w Watched, log *slog.Logger) {
	u, l := upstreams{log: log}, limits{log: log}
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
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
