package supervisor

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sort"
	"time"

	"heimdall/core/cache"
	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/histogram"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// The methods of this file answer the admin socket: they implement control.Server.
var _ control.Server = (*Supervisor)(nil)

// snapshots copies the counters of the shards of list. One that does not answer has none.
func snapshots(ctx context.Context, list []*worker.Worker) ([]*shard.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, worker.CommandTime)
	defer cancel()
	snaps := make([]*shard.Snapshot, len(list))
	err := worker.Each(ctx, list, func(i int, w *worker.Worker, sh *shard.Shard) { snaps[i] = w.History.Complete(sh.Snapshot()) })
	return snaps, err
}

// Status implements control.Server.
func (s *Supervisor) Status(ctx context.Context) (*control.Status, error) {
	list := s.workers()
	snaps, err := snapshots(ctx, list)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	st := &control.Status{
		Version: s.version, PID: os.Getpid(), UptimeSeconds: time.Since(s.epoch).Seconds(), Config: s.path,
		Shards: len(list), MemoryBytes: resident(), Warnings: slices.Clone(s.warnings),
		Backend: s.backend(),
	}
	for _, a := range s.config().Server.Listen {
		st.Listen = append(st.Listen, a.String())
	}
	s.mu.Unlock()
	if s.config().XDP.Mode != "off" {
		if st.XDP, err = s.XDP(ctx); err != nil {
			return nil, err
		}
		st.XDP.Exits = nil
	}
	st.Warnings = append(st.Warnings, s.zones.failures()...)
	var service histogram.Histogram
	for _, past := range s.histories.Ended(list, snaps) {
		c := counters(past)
		st.Totals.Add(&c)
		service.Merge(&past.Service)
	}
	for i, snap := range snaps {
		if snap == nil {
			continue
		}
		c := counters(snap)
		st.Totals.Add(&c)
		st.InFlight += snap.Waiting
		st.CacheEntries += uint64(snap.Cache.Store.Entries)
		service.Merge(&snap.Service)
		if list[i].State() == worker.Running {
			st.ShardsRunning++
		}
	}
	st.ServiceTime = control.LatencyOf(&service)
	return st, nil
}

// Shards implements control.Server. A shard that does not answer is listed without its counters.
func (s *Supervisor) Shards(ctx context.Context) (*control.Shards, error) {
	list := s.workers()
	snaps, err := snapshots(ctx, list)
	if err != nil && !slices.ContainsFunc(snaps, func(p *shard.Snapshot) bool { return p != nil }) {
		return nil, err
	}
	out := new(control.Shards)
	for i, w := range list {
		at := w.Seat()
		sh := control.Shard{ID: w.ID(), CPU: -1, Node: at.Node, State: control.ShardState(w.State().String()), Restarts: w.History.Restarts(), InFlightLimit: w.Shard.Waiters}
		if w.Shard.Pin {
			sh.CPU = at.CPU
		}
		if snap := snaps[i]; snap != nil {
			sh.Counters = counters(snap)
			sh.InFlight = snap.Waiting
			sh.Queues = s.queues(i, snap)
			sh.TCPConns = snap.TCP.Open
			sh.MemoryBytes = uint64(snap.Cache.Store.Bytes)
			sh.MemoryLimit = uint64(snap.Cache.Store.Capacity)
			sh.BatchSizes = control.BatchSizes((*[control.BatchSlots]uint64)(&snap.Stats.Batches))
			sh.ServiceTime = control.LatencyOf(&snap.Service)
		}
		out.Shards = append(out.Shards, sh)
	}
	return out, nil
}

func counters(s *shard.Snapshot) control.Counters {
	hits := s.Engine.Hits + s.Engine.StaleHits
	c := control.Counters{
		Queries: s.Engine.Queries, Hits: hits, StaleHits: s.Engine.StaleHits, Misses: s.Engine.Misses, Local: s.Engine.Local + s.Engine.Zone,
		HitRatio: control.Ratio(hits, s.Engine.Misses), TCPQueries: s.Stats.Streams,
		KernelDrops: s.Ports.QueueDrops, SendDrops: s.Ports.SendDrops, Slipped: s.Engine.Slipped, Drops: drops(s), Limited: limited(s), Rcodes: rcodes(s),
	}
	c.Replies = s.Ports.Sent + s.TCP.Sent
	return c
}

// CacheLookup implements control.Server.
func (s *Supervisor) CacheLookup(ctx context.Context, args control.CacheLookupArgs) (*control.CacheLookup, error) {
	name, err := parseName(args.Name)
	if err != nil {
		return nil, err
	}
	typ, err := wire.ParseType(args.Type)
	if err != nil {
		return nil, control.Errorf(control.CodeBadRequest, "type %q: %v", args.Type, err)
	}
	list := s.workers()
	found := make([][]control.CacheEntry, len(list))
	err = onAll(ctx, list, func(i int, w *worker.Worker, sh *shard.Shard) {
		for _, bits := range []struct{ do, cd bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
			key := cache.Key{Name: name, Type: typ, Class: wire.ClassIN, DO: bits.do, CD: bits.cd}
			if e, ok := sh.Engine().Inspect(&key, w.Now()); ok {
				found[i] = append(found[i], cacheEntry(w.ID(), &key, &e))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return &control.CacheLookup{Name: name.String(), Type: typ.String(), Entries: slices.Concat(found...)}, nil
}

func cacheEntry(shard int, k *cache.Key, e *cache.Info) control.CacheEntry {
	out := control.CacheEntry{
		Shard: shard, View: int(k.View), DO: k.DO, CD: k.CD, Rcode: e.Rcode.String(), AD: e.AD, Stale: e.State == cache.Stale,
		TTL: e.TTL, OrigTTL: e.OrigTTL, Hits: uint64(e.Hits), Bytes: e.Bytes,
	}
	if e.EDE != wire.EDEOther {
		out.EDE = e.EDE.String()
	}
	var r wire.Reader
	var rr wire.RR
	if r.Reset(e.Message) {
		for {
			if _, ok := r.Next(&rr); !ok {
				break
			}
			out.Records = append(out.Records, string(wire.AppendRRText(nil, e.Message, &rr)))
		}
	}
	return out
}

// CacheFlush implements control.Server.
func (s *Supervisor) CacheFlush(ctx context.Context, args control.CacheFlushArgs) (*control.CacheFlush, error) {
	ctx, cancel := context.WithTimeout(ctx, worker.CommandTime)
	defer cancel()
	defer s.hot.Flush()
	out := &control.CacheFlush{Subtree: args.Subtree}
	list := s.workers()
	removed := make([]int, len(list))
	if args.Name == "" {
		err := worker.Each(ctx, list, func(i int, _ *worker.Worker, sh *shard.Shard) {
			removed[i] = sh.Engine().Answers().Stats().Store.Entries
			sh.Engine().Answers().FlushAll()
			sh.Engine().Resolver().Flush(dname.Root(), true)
		})
		out.Removed = sum(removed)
		return out, err
	}
	name, err := parseName(args.Name)
	if err != nil {
		return nil, err
	}
	out.Name = name.String()
	err = worker.Each(ctx, list, func(i int, _ *worker.Worker, sh *shard.Shard) {
		removed[i] = sh.Engine().Answers().Flush(name, args.Subtree)
		sh.Engine().Resolver().Flush(name, args.Subtree)
	})
	if err == nil {
		err = finishFlush(ctx, list, removed)
	}
	out.Removed = sum(removed)
	return out, err
}

// finishFlush goes on with flushes that the shards have begun. Nothing of what they remove is found any more: the rest
// frees the memory, in steps between which the shards serve. What is removed of each is added to removed.
func finishFlush(ctx context.Context, list []*worker.Worker, removed []int) (err error) {
	busy := make([]bool, len(list))
	for again := true; again && err == nil; again = slices.Contains(busy, true) {
		err = worker.Each(ctx, list, func(i int, _ *worker.Worker, sh *shard.Shard) {
			n, done := sh.Engine().Answers().FlushStep()
			removed[i] += n
			busy[i] = !done
		})
	}
	return err
}

func sum(list []int) (total uint64) {
	for _, n := range list {
		total += uint64(n)
	}
	return total
}

// CacheStats implements control.Server.
func (s *Supervisor) CacheStats(ctx context.Context) (*control.CacheStats, error) {
	list := s.workers()
	snaps, err := snapshots(ctx, list)
	if err != nil {
		return nil, err
	}
	out := &control.CacheStats{Engine: s.config().Cache.Engine, Total: control.CacheShard{Shard: -1}}
	for i, snap := range snaps {
		if snap == nil {
			continue
		}
		sh := cacheShard(list[i].ID(), snap)
		out.Shards = append(out.Shards, sh)
		out.Total.Add(&sh)
	}
	for id, past := range s.histories.Ended(list, snaps) {
		sh := cacheShard(id, past)
		out.Total.Add(&sh)
	}
	return out, nil
}

func cacheShard(id int, snap *shard.Snapshot) control.CacheShard {
	c := &snap.Cache
	sh := control.CacheShard{
		Shard: id, Entries: uint64(c.Store.Entries), BytesUsed: uint64(c.Store.Bytes), BytesCapacity: uint64(c.Store.Capacity),
		IndexBuckets: uint64(c.Store.Buckets), Hits: snap.Engine.Hits + snap.Engine.StaleHits, StaleHits: snap.Engine.StaleHits,
		Misses: snap.Engine.Misses, Inserts: c.Stored, Expired: c.Store.Expired, Flushed: c.Store.Purged + c.Store.Deleted, TooLarge: c.TooLarge,
		Evictions: evictions(snap),
	}
	sh.HitRatio = control.Ratio(sh.Hits, sh.Misses)
	return sh
}

// Upstreams implements control.Server.
func (s *Supervisor) Upstreams(ctx context.Context) (*control.Upstreams, error) {
	list := s.workers()
	infos := make([][]resolver.UpstreamInfo, len(list))
	err := onAll(ctx, list, func(i int, _ *worker.Worker, sh *shard.Shard) { infos[i] = sh.Engine().Resolver().Upstreams() })
	if err != nil {
		return nil, err
	}
	return mergeUpstreams(infos), nil
}

// mergeUpstreams joins what the shards know of each server.
func mergeUpstreams(infos [][]resolver.UpstreamInfo) *control.Upstreams {
	groups := map[string]map[string]*control.Upstream{} // "kind zone", address
	for _, list := range infos {
		for _, u := range list {
			for k, zone := range u.Zones {
				id := u.Kinds[k] + " " + zone
				if groups[id] == nil {
					groups[id] = map[string]*control.Upstream{}
				}
				addr := u.Server.String()
				to := groups[id][addr]
				if to == nil {
					to = &control.Upstream{Address: addr, State: control.UpstreamUnknown}
					groups[id][addr] = to
				}
				mergeUpstream(to, &u)
			}
		}
	}
	out := new(control.Upstreams)
	for id, servers := range groups {
		var g control.UpstreamGroup
		fmt.Sscan(id, &g.Kind, &g.Zone)
		for _, u := range servers {
			g.Servers = append(g.Servers, *u)
		}
		sort.Slice(g.Servers, func(i, j int) bool { return g.Servers[i].Address < g.Servers[j].Address })
		out.Groups = append(out.Groups, g)
	}
	sort.Slice(out.Groups, func(i, j int) bool { return out.Groups[i].Zone < out.Groups[j].Zone })
	return out
}

func mergeUpstream(to *control.Upstream, u *resolver.UpstreamInfo) {
	switch {
	case u.State == "down":
		to.ShardsDown++
		if to.State == control.UpstreamUnknown {
			to.State = control.UpstreamDown
		}
	case u.State == "up":
		to.State = control.UpstreamUp
	}
	if us := float64(u.SRTT) / 1e3; us > 0 && (to.SRTTUs == 0 || us < to.SRTTUs) {
		to.SRTTUs = us
	}
	to.InFlight += u.InFlight
	to.Queries += u.Sent
	to.Responses += u.Answered
	to.Timeouts += u.Timeouts
	to.Mismatches += u.Mismatches
	to.Truncated += u.Truncated
	to.NoEDNS = to.NoEDNS || u.EDNS == "no"
	if to.DNSSEC == "" || to.DNSSEC == "unknown" || u.DNSSEC == "no" {
		to.DNSSEC = u.DNSSEC
	}
	if u.Bare != "" {
		to.Bare = u.Bare
	}
	for _, n := range u.Failures {
		to.Failures += n
	}
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
