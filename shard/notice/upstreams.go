package notice

import (
	"context"
	"log/slog"

	"heimdall/core/control"
)

// maxUpstreams bounds the servers that are told apart; of those beyond it changes are not logged.
const maxUpstreams = 4096

// upstreams logs which servers of [[forward]] and [[stub]] have gone down, and which are back.
type upstreams struct {
	log   *slog.Logger
	known map[upstream]control.UpstreamState // of the last look
}

// upstream is one server of one group.
type upstream struct{ kind, zone, address string }

// look compares the servers with those of the last look.
func (u *upstreams) look(now *control.Upstreams) {
	next := map[upstream]control.UpstreamState{}
	for i := range now.Groups {
		g := &now.Groups[i]
		left := 0 // servers that are not down
		for _, s := range g.Servers {
			if s.State != control.UpstreamDown {
				left++
			}
		}
		for _, s := range g.Servers {
			id := upstream{g.Kind, g.Zone, s.Address}
			before := u.known[id]
			state := s.State
			switch {
			case len(next) >= maxUpstreams:
				continue
			case state == control.UpstreamDown && before != control.UpstreamDown:
				u.down(id, &s, left)
			case state == control.UpstreamUp && before == control.UpstreamDown:
				u.log.Info("a server answers again", "server", id.address, "kind", id.kind, "zone", id.zone)
			case state == control.UpstreamUnknown && before == control.UpstreamDown:
				state = before // its shards have started again: it has not answered yet
			}
			next[id] = state
		}
	}
	u.known = next
}

func (u *upstreams) down(id upstream, s *control.Upstream, left int) {
	what, level := "a server does not answer: others of its zone are asked", slog.LevelWarn
	if left == 0 {
		what, level = "no server of a zone answers any more: its names fail, but for what is cached; see `heimdallctl upstreams`", slog.LevelError
	}
	u.log.Log(context.Background(), level, what, "server", id.address, "kind", id.kind, "zone", id.zone, "timeouts", s.Timeouts, "others", left)
}
