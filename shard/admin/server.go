// Package admin is what operators see and do while the daemon runs: the control socket, on which it answers heimdallctl, and
// the metrics.
package admin

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/shard"
	"heimdall/shard/anchors"
	"heimdall/shard/hot"
	"heimdall/shard/journal"
	"heimdall/shard/snapshot"
	"heimdall/shard/tap"
	"heimdall/shard/verify"
	"heimdall/shard/worker"
	"heimdall/shard/zones"
)

// Options say what is administered. All of it is safe for concurrent use.
type Options struct {
	Version   string
	Epoch     time.Time // when the daemon was started
	Workers   func() []*worker.Worker
	Histories *worker.Histories
	Hot       *hot.Tier // nil: without XDP program
	Anchors   *anchors.Keeper
	Verifier  *verify.Pool
	Zones     *zones.Store
	Caches    *snapshot.Keeper
	Tap       *tap.Tap
	Settings  func() Settings                                // in force
	Network   func() string                                  // what keeps servers out of reach; empty: nothing known
	Clock     func() string                                  // what is wrong with the clock, likewise
	Warnings  func() []string                                // what keeps the daemon from its best
	Sandbox   string                                         // what of the process is confined
	Reload    func(context.Context) (*control.Reload, error) // of the configuration
	Refused   func() bool                                    // the last reload was
	Upgrade   func(context.Context, time.Duration) (*control.Upgrade, error)
	Diff      func() (*control.ConfigDiff, error)            // what Reload would change
	Place     func(key string, p netip.Prefix) string        // file and line of a key, or of a prefix in its list
	Health    func(context.Context) (*control.Health, error) // a verdict that is at most a second old
	Glance    func(context.Context) (*control.Health, error) // the same without asking other servers
	Anycast   func() *control.Anycast                        // nil: there are no service addresses
	Owner     func(name dname.Name) int                      // shard that gets the queries for a name over UDP; below 0: any may
	Log       *slog.Logger
	Journal   *journal.Journal // that Log writes to; nil: its lines are not counted
}

// Settings are the part of the configuration that operators are shown.
type Settings struct {
	Path        string   // of its file
	Files       []string // that, and those that it includes
	Listen      []netip.AddrPort
	CacheEngine string
	XDPMode     string        // "off": the program is not wanted
	HotAnswers  int           // in the kernel at most; 0: none are given
	Limit       control.Limit // but for InKernel
	ResolveTime time.Duration // what an upstream may take
	// MetricsUpstreams is how many servers have metrics of their own.
	MetricsUpstreams int
	WebTop           bool // the page shows names and clients
}

// Server answers what operators ask. It is safe for concurrent use.
type Server struct {
	o        Options
	profiler profiler
	past     whole // of the page's goroutine, and sampling
	sampling bool  // the shards note queries
}

var _ control.Server = (*Server)(nil)

// New returns a Server.
func New(o Options) *Server { return &Server{o: o} }

// Reload implements control.Server.
func (s *Server) Reload(ctx context.Context) (*control.Reload, error) { return s.o.Reload(ctx) }

// Upgrade implements control.Server. Who may ask for it, the connection knows.
func (s *Server) Upgrade(ctx context.Context, args control.UpgradeArgs) (*control.Upgrade, error) {
	within := time.Duration(args.Within) * time.Second
	if within == 0 {
		within = 2 * time.Minute
	}
	return s.o.Upgrade(ctx, within)
}

// Health implements control.Server.
func (s *Server) Health(ctx context.Context) (*control.Health, error) { return s.o.Health(ctx) }

// snapshots copies the counters of the shards of list. One that does not answer has none.
func snapshots(ctx context.Context, list []*worker.Worker) ([]*shard.Snapshot, error) {
	snaps := make([]*shard.Snapshot, len(list))
	err := onAll(ctx, list, func(i int, w *worker.Worker, sh *shard.Shard) { snaps[i] = w.History.Complete(sh.Snapshot()) })
	return snaps, err
}

// onAll calls f on all shards of list within the time of a command.
func onAll(ctx context.Context, list []*worker.Worker, f func(i int, w *worker.Worker, sh *shard.Shard)) error {
	ctx, cancel := context.WithTimeout(ctx, worker.CommandTime)
	defer cancel()
	return worker.Each(ctx, list, f)
}

func parseName(text string) (dname.Name, error) {
	n, err := dname.ParseText(nil, text)
	if err != nil {
		return nil, control.Errorf(control.CodeBadRequest, "name %q: %v", text, err)
	}
	return dname.Name(dname.AppendLower(nil, n)), nil
}

// parseQuestion reads a name, as parseName does, and a type.
func parseQuestion(name, typ string) (dname.Name, wire.Type, error) {
	n, err := parseName(name)
	if err != nil {
		return nil, 0, err
	}
	t, err := wire.ParseType(typ)
	if err != nil {
		return nil, 0, control.Errorf(control.CodeBadRequest, "type %q: %v", typ, err)
	}
	return n, t, nil
}
