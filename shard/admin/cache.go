package admin

import (
	"context"
	"slices"

	"heimdall/core/cache"
	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// CacheLookup implements control.Server.
func (s *Server) CacheLookup(ctx context.Context, args control.CacheLookupArgs) (*control.CacheLookup, error) {
	name, typ, err := parseQuestion(args.Name, args.Type)
	if err != nil {
		return nil, err
	}
	list := s.o.Workers()
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
	eachRecord(e.Message, func(_ wire.Section, text string) { out.Records = append(out.Records, text) })
	return out
}

// CacheFlush implements control.Server.
func (s *Server) CacheFlush(ctx context.Context, args control.CacheFlushArgs) (*control.CacheFlush, error) {
	ctx, cancel := context.WithTimeout(ctx, worker.CommandTime)
	defer cancel()
	defer s.o.Hot.Flush()
	out := &control.CacheFlush{Subtree: args.Subtree}
	list := s.o.Workers()
	removed := make([]int, len(list))
	if args.Name == "" {
		s.o.Caches.Flushed(dname.Root(), true)
		err := worker.Each(ctx, list, func(i int, _ *worker.Worker, sh *shard.Shard) {
			removed[i] = sh.Engine().Answers().Stats().Store.Entries
			sh.Engine().Answers().FlushAll()
			sh.Engine().Resolver().Flush(dname.Root(), true)
		})
		for _, n := range removed {
			out.Removed += uint64(n)
		}
		return out, err
	}
	name, err := parseName(args.Name)
	if err != nil {
		return nil, err
	}
	out.Name = name.String()
	s.o.Caches.Flushed(name, args.Subtree)
	err = worker.Each(ctx, list, func(i int, _ *worker.Worker, sh *shard.Shard) {
		removed[i] = sh.Engine().Answers().Flush(name, args.Subtree)
		sh.Engine().Resolver().Flush(name, args.Subtree)
	})
	if err != nil {
		return nil, err
	}
	out.Removed, err = worker.FinishFlush(ctx, list, removed)
	return out, err
}

// CacheStats implements control.Server.
func (s *Server) CacheStats(ctx context.Context) (*control.CacheStats, error) {
	list := s.o.Workers()
	snaps, err := snapshots(ctx, list)
	if err != nil {
		return nil, err
	}
	out := &control.CacheStats{Engine: s.o.Settings().CacheEngine, Total: control.CacheShard{Shard: -1}}
	for i, snap := range snaps {
		if snap == nil {
			continue
		}
		sh := cacheShard(list[i].ID(), snap)
		out.Shards = append(out.Shards, sh)
		out.Total.Add(&sh)
	}
	for id, past := range s.o.Histories.Ended(list, snaps) {
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
		Evictions: occurred(evictions(snap)),
	}
	sh.HitRatio = control.Ratio(sh.Hits, sh.Misses)
	return sh
}
