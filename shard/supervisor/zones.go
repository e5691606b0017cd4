package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"heimdall/affinity"
	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/zone"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// zoneStore holds the zones that are served, in memory outside of the Go heap, and loads new versions. The
// shards of one NUMA node share one read-only copy. Its methods are safe for concurrent use.
type zoneStore struct {
	log      *slog.Logger
	nodes    []int                                // that have shards, at least one
	mapLocal func(node, size int) ([]byte, error) // maps memory that affinity.Unmap gives back
	swap     func(context.Context, func()) error  // gives all shards their present set, and calls the function when none uses another
	loads    sync.Mutex                           // held while versions are loaded and swapped, one caller at a time

	unsettled atomic.Int32 // swaps that some shard has not taken yet

	mu        sync.Mutex
	byName    map[string]*servedZone // by origin, lower case
	coming    map[string]*servedZone // likewise, while a change is prepared
	elsewhere []dname.Name           // zones whose names others are asked for
	current   zoneSets
}

// servedZone is one zone and how its last load went.
type servedZone struct {
	config  zoneConfig
	files   zoneStamp  // when it was last read
	version zoneCopies // nil: never loaded
	loaded  time.Time
	took    time.Duration
	loading bool
	so      progress // while loading
	err     error    // why the last load failed
	notes   []string // its warnings
}

func newZoneStore(log *slog.Logger, nodes []int, huge bool, swap func(context.Context, func()) error) *zoneStore {
	mapLocal := func(node, size int) ([]byte, error) { return mapZone(node, size, huge) }
	return &zoneStore{log: log, nodes: nodes, mapLocal: mapLocal, swap: swap, byName: map[string]*servedZone{}}
}

// set returns the zones as the shards of a node get them; nil if there are none.
func (z *zoneStore) set(node int) *zone.Set {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.current.of(node)
}

// reload loads new versions of one zone, or of all with a nil name. It returns how that went for each.
func (z *zoneStore) reload(ctx context.Context, name dname.Name) ([]control.ZoneInfo, error) {
	z.loads.Lock()
	defer z.loads.Unlock()
	if err := z.isSettled(); err != nil {
		return nil, err
	}
	var load []*servedZone
	z.mu.Lock()
	for key, s := range z.byName {
		if name == nil || key == string(name) {
			load = append(load, s)
		}
	}
	z.mu.Unlock()
	if name != nil && len(load) == 0 {
		return nil, control.Errorf(control.CodeBadRequest, "no zone %s is served here", name)
	}
	err := z.update(ctx, load) // what could not be loaded is in the infos
	z.mu.Lock()
	defer z.mu.Unlock()
	var infos []control.ZoneInfo
	for _, s := range load {
		infos = append(infos, s.info())
	}
	sortInfos(infos)
	return infos, err
}

// update loads versions, and publishes the sets with them.
func (z *zoneStore) update(ctx context.Context, load []*servedZone) error {
	var gone []zoneCopies
	for _, s := range load {
		gone = append(gone, z.load(ctx, s))
	}
	z.mu.Lock()
	z.current = z.setsOf()
	z.mu.Unlock()
	return z.swap(ctx, z.retire(gone))
}

// changed tells whether a zone should be read again: its files, what it includes among them, are not those that were
// read, or something was wrong.
func (s *servedZone) changed() bool { return s.err != nil || s.files.stale() }

// load reads a zone's file and makes it the zone's version. It returns the one before, nil if that stays.
func (z *zoneStore) load(ctx context.Context, s *servedZone) (old zoneCopies) {
	z.mu.Lock()
	s.loading, s.so = true, progress{}
	z.mu.Unlock()
	began := time.Now()
	r := readZone(ctx, s.config, func(size int) ([]byte, error) { return z.mapLocal(z.nodes[0], size) }, func(so progress) {
		z.mu.Lock()
		s.so = so
		z.mu.Unlock()
		if so.records%logEvery == 0 {
			z.log.Info("loading a zone", "zone", s.config.Name.String(), "read", so)
		}
	})
	next, err := r.zone, r.err
	var version zoneCopies
	if err == nil {
		version, err = z.copies(next, r.mem)
	} else {
		affinity.Unmap(r.mem)
	}
	r.log(z.log)
	z.mu.Lock()
	defer z.mu.Unlock()
	s.loading, s.err, s.notes, s.files = false, err, r.warnings, r.files
	if err != nil {
		z.log.Error("a zone was not loaded", "zone", s.config.Name.String(), "old version served", s.version != nil, "error", strings.ReplaceAll(err.Error(), "\n", "; "))
		return nil
	}
	old = s.version
	s.version, s.loaded, s.took = version, time.Now(), time.Since(began)
	z.log.Info("loaded a zone", "zone", s.config.Name.String(), "serial", next.Serial(), "records", next.Records(), "bytes", next.Memory(), "took", s.took.Round(time.Millisecond))
	return old
}

// swapZones gives all shards the zones of their node, and calls settled when none uses others any more.
func (s *Supervisor) swapZones(ctx context.Context, settled func()) error {
	defer s.hot.Flush()
	return s.tell(ctx, s.workers(), func(_ int, w *worker.Worker, sh *shard.Shard) { sh.Engine().SetZones(s.zones.set(w.Seat().Node)) }, settled)
}

// failures tells which zones are not what their files should be, one line each.
func (z *zoneStore) failures() (list []string) {
	for _, i := range z.list() {
		if i.State != control.ZoneFailed {
			continue
		}
		what := "its old version is served"
		if i.Loaded.IsZero() {
			what = "its names get SERVFAIL"
		}
		list = append(list, fmt.Sprintf("zone %s was not loaded, %s: %s", i.Name, what, strings.ReplaceAll(i.Problems[0], "\n", "; ")))
	}
	return list
}

// list tells operators about all zones.
func (z *zoneStore) list() []control.ZoneInfo {
	z.mu.Lock()
	defer z.mu.Unlock()
	var infos []control.ZoneInfo
	for key, s := range z.byName {
		if c := z.coming[key]; c != nil && c.loading {
			s = c
		}
		infos = append(infos, s.info())
	}
	for key, c := range z.coming {
		if z.byName[key] == nil && c.loading {
			infos = append(infos, c.info())
		}
	}
	sortInfos(infos)
	return infos
}

// info describes a zone. The caller holds zoneStore.mu.
func (s *servedZone) info() control.ZoneInfo {
	i := control.ZoneInfo{
		Name: s.config.Name.String(), File: s.config.File, Loaded: s.loaded, LoadSeconds: s.took.Seconds(), State: control.ZoneServing,
	}
	for _, note := range shortened(s.notes) {
		i.Problems = append(i.Problems, "warning: "+note)
	}
	if s.version != nil {
		served := s.version[0].zone
		i.Serial, i.Records, i.Names = served.Serial(), uint64(served.Records()), uint64(served.Names())
		i.MemoryBytes, i.Signed, i.ZONEMD = uint64(served.Memory()*len(s.version)), served.Signed(), served.Digest().String()
	}
	switch {
	case s.loading:
		i.State, i.Progress = control.ZoneLoading, s.so.String()
	case s.err != nil:
		i.State, i.Problems = control.ZoneFailed, append([]string{s.err.Error()}, i.Problems...)
	}
	return i
}

func sortInfos(infos []control.ZoneInfo) {
	sort.Slice(infos, func(i, j int) bool { return infos[i].Name < infos[j].Name })
}
