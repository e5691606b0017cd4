package zones

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"heimdall/affinity"
	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/zone"
)

// Options say what a Store works with.
type Options struct {
	Nodes     []int // NUMA nodes that have shards, ascending, at least one; affinity.AnyNode alone where shards are not pinned
	HugePages bool  // for large zones
	// Publish has all shards take the Set of their node, and calls settled when none uses another one. That may be after it has
	// returned an error, which says that shards are late.
	Publish func(ctx context.Context, settled func()) error
	// Map maps memory on a node, which affinity.Unmap gives back; nil: with huge pages if HugePages says so.
	Map func(node, size int) ([]byte, error)
	Log *slog.Logger
}

// Store holds the zones that are served, in memory outside of the Go heap, and loads new versions. The
// shards of one NUMA node share one read-only copy. Its methods are safe for concurrent use.
type Store struct {
	opt   Options
	loads sync.Mutex // held while versions are loaded and published, one caller at a time

	unsettled atomic.Int32 // publications that some shard has not taken yet

	mu        sync.Mutex
	byName    map[string]*served // by origin, lower case
	coming    map[string]*served // likewise, while a change is prepared
	elsewhere []dname.Name       // Given.Elsewhere
	current   sets
}

// served is one zone and how its last load went.
type served struct {
	zone    Zone
	stamp   stamp   // of its files when they were last read
	version version // nil: never loaded
	loaded  time.Time
	took    time.Duration
	loading bool
	so      progress // while loading
	err     error    // why the last load failed
	notes   []string // its warnings
}

// New makes a Store without zones.
func New(o Options) *Store {
	if o.Map == nil {
		o.Map = func(node, size int) ([]byte, error) { return mapNear(node, size, o.HugePages) }
	}
	return &Store{opt: o, byName: map[string]*served{}}
}

// Set returns the zones as the shards of a node get them; nil if there are none. A shard that does not serve yet takes it by
// itself; Publish has the others take it.
func (z *Store) Set(node int) *zone.Set {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.current.of(node)
}

// Reload loads new versions of one zone, or of all with a nil name, and publishes them. It returns how that went for each.
func (z *Store) Reload(ctx context.Context, name dname.Name) ([]control.ZoneInfo, error) {
	z.loads.Lock()
	defer z.loads.Unlock()
	if err := z.isSettled(); err != nil {
		return nil, err
	}
	load := z.named(name)
	if name != nil && len(load) == 0 {
		return nil, control.Errorf(control.CodeBadRequest, "no zone %s is served here", name)
	}
	err := z.update(ctx, load) // what could not be loaded is in the infos
	return z.infos(load), err
}

// named lists the zone of a name, or all for nil.
func (z *Store) named(name dname.Name) (list []*served) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for key, s := range z.byName {
		if name == nil || key == string(name) {
			list = append(list, s)
		}
	}
	return list
}

// update loads versions, and publishes the sets with them.
func (z *Store) update(ctx context.Context, load []*served) error {
	var gone []version
	for _, s := range load {
		gone = append(gone, z.load(ctx, s))
	}
	z.mu.Lock()
	z.current = z.setsOf()
	z.mu.Unlock()
	return z.opt.Publish(ctx, z.retire(gone))
}

// changed tells whether a zone should be read again: its files, what it includes among them, are not those that were
// read, or something was wrong.
func (s *served) changed() bool { return s.err != nil || s.stamp.stale() }

// load reads a zone's file and makes it the zone's version. It returns the one before, nil if that stays.
func (z *Store) load(ctx context.Context, s *served) (old version) {
	z.mu.Lock()
	s.loading, s.so = true, progress{}
	z.mu.Unlock()
	began := time.Now()
	r := read(ctx, s.zone, func(size int) ([]byte, error) { return z.opt.Map(z.opt.Nodes[0], size) }, func(so progress) {
		z.mu.Lock()
		s.so = so
		z.mu.Unlock()
		if so.records%logEvery == 0 {
			z.opt.Log.Info("loading a zone", "zone", s.zone.Name.String(), "read", so)
		}
	})
	err := r.err
	var next version
	if err == nil {
		next, err = z.copies(r.zone, r.mem)
	} else {
		affinity.Unmap(r.mem)
	}
	r.log(z.opt.Log)
	z.mu.Lock()
	defer z.mu.Unlock()
	s.loading, s.err, s.notes, s.stamp = false, err, r.warnings, r.stamp
	if err != nil {
		z.opt.Log.Error("a zone was not loaded", "zone", s.zone.Name.String(), "old version served", s.version != nil, "error", strings.ReplaceAll(err.Error(), "\n", "; "))
		return nil
	}
	old = s.version
	s.version, s.loaded, s.took = next, time.Now(), time.Since(began)
	z.opt.Log.Info("loaded a zone", "zone", s.zone.Name.String(), "serial", r.zone.Serial(), "records", r.zone.Records(), "bytes", r.zone.Memory(), "took", s.took.Round(time.Millisecond))
	return old
}
