package notice

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"heimdall/core/control"
	"heimdall/shard/shardtest"
)

// expect compares the messages that were logged since the last call.
func expect(t *testing.T, b *shardtest.Buffer, from *int, want ...string) {
	t.Helper()
	text := b.String()
	lines := strings.Split(strings.TrimSuffix(text[*from:], "\n"), "\n")
	*from = len(text)
	if len(want) == 0 && lines[0] == "" {
		return
	}
	if len(lines) != len(want) {
		t.Fatalf("logged %q, want %q", lines, want)
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("logged %q, want %q", lines[i], want[i])
		}
	}
}

// Each change of a server is logged once, whatever it was before; one that has gone from the configuration is not.
func TestUpstreamsAreToldOfOnce(t *testing.T) {
	b, from := new(shardtest.Buffer), 0
	u := upstreams{log: slog.New(slog.NewTextHandler(b, nil))}
	look := func(states ...control.UpstreamState) {
		g := control.UpstreamGroup{Kind: "forward", Zone: "."}
		for i, s := range states {
			g.Servers = append(g.Servers, control.Upstream{Address: "192.0.2." + string(rune('1'+i)) + ":53", State: s})
		}
		u.look(&control.Upstreams{Groups: []control.UpstreamGroup{g}})
	}
	const up, down, unknown = control.UpstreamUp, control.UpstreamDown, control.UpstreamUnknown
	look(unknown, up)
	expect(t, b, &from)
	look(down, up)
	expect(t, b, &from, `level=WARN msg="a server does not answer: others of its zone are asked" server=192.0.2.1:53 kind=forward zone=. timeouts=0 others=1`)
	look(down, up)
	expect(t, b, &from)
	look(down, down)
	expect(t, b, &from, `level=ERROR msg="no server of a zone answers any more: its names fail, but for what is cached; see `)
	look(unknown, down) // the shards were started again
	look(down, down)
	expect(t, b, &from)
	look(up, down)
	expect(t, b, &from, `a server answers again" server=192.0.2.1:53`)
	look(up)
	look(up, up)
	expect(t, b, &from)
}

// A limit is told of when it begins to strike, and when it has not for a while; what was counted before the first look is old.
func TestLimitsAreToldOfOnce(t *testing.T) {
	b, from := new(shardtest.Buffer), 0
	l := limits{log: slog.New(slog.NewTextHandler(b, nil))}
	now := time.Unix(1_700_000_000, 0)
	s := new(control.Status)
	s.Totals.Drops = map[string]uint64{"limited": 5}
	look := func(after time.Duration, n uint64) {
		now = now.Add(after)
		s.Totals.Drops["limited"] += n
		l.look(now, s)
	}
	look(0, 0)
	look(time.Second, 0)
	expect(t, b, &from)
	look(time.Second, 3)
	expect(t, b, &from, "clients above their rate are limited; limit.queries_per_second and limit.exempt say who may ask how often\" limit=rate so_far=3")
	look(time.Second, 4)
	look(quiet-time.Second, 0)
	look(0, 1)
	look(quiet-time.Second, 0)
	expect(t, b, &from)
	look(time.Second, 0)
	expect(t, b, &from, `msg="a limit strikes no more" limit=rate struck=8 for=20s`)
	look(time.Hour, 0)
	expect(t, b, &from)
	s.XDP = &control.XDP{Exits: []control.XDPExit{{Name: "drop_limit", Packets: 2}, {Name: "drop_denied", Packets: 7}}}
	s.Totals.KernelDrops = 9
	look(time.Second, 0)
	expect(t, b, &from, "limit=rate so_far=2", "limit=receive_queue so_far=9")
}

// fake is a daemon whose only server is down.
type fake struct{}

func (fake) Status(context.Context) (*control.Status, error) { return new(control.Status), nil }
func (fake) XDP(context.Context) (*control.XDP, error)       { return new(control.XDP), nil }
func (fake) Upstreams(context.Context) (*control.Upstreams, error) {
	return &control.Upstreams{Groups: []control.UpstreamGroup{{Servers: []control.Upstream{{State: control.UpstreamDown}}}}}, nil
}

func TestWatch(t *testing.T) {
	b := new(shardtest.Buffer)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { Watch(ctx, fake{}, slog.New(slog.NewTextHandler(b, nil))); close(ended) }()
	logged(t, b, "no server of a zone answers", 1)
	cancel()
	<-ended
}
