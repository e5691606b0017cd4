package admin

import (
	"context"
	"os"
	"slices"
	"time"

	"heimdall/core/control"
	"heimdall/core/histogram"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// Status implements control.Server.
func (s *Server) Status(ctx context.Context) (*control.Status, error) {
	list := s.o.Workers()
	snaps, err := snapshots(ctx, list)
	if err != nil {
		return nil, err
	}
	c := s.o.Settings()
	st := &control.Status{
		Version: s.o.Version, PID: os.Getpid(), UptimeSeconds: time.Since(s.o.Epoch).Seconds(), Config: c.Path,
		Snapshot: s.o.Caches.Status(), Shards: len(list), MemoryBytes: resident(), Warnings: s.o.Warnings(), Backend: s.o.Hot.Backend(),
		Sandbox: s.o.Sandbox,
	}
	if len(c.Files) > 1 {
		st.Files = c.Files
	}
	n := s.o.Journal.Counts()
	st.Log = control.Log{Format: s.o.Journal.Format(), Lines: n.Lines, Held: n.Held, Dropped: n.Dropped + n.Unwritten}
	for _, a := range c.Listen {
		st.Listen = append(st.Listen, a.String())
	}
	if c.XDPMode != "off" {
		if st.XDP, err = s.XDP(ctx); err != nil {
			return nil, err
		}
		st.XDP.Exits = nil
	}
	health, err := s.o.Glance(ctx)
	if err != nil {
		return nil, err
	}
	st.Health, st.Anycast = *health, s.o.Anycast()
	st.Network, st.Clock = s.o.Network(), s.o.Clock()
	for _, w := range []string{st.Network, st.Clock} {
		if w != "" {
			st.Warnings = append(st.Warnings, w)
		}
	}
	st.Warnings = append(st.Warnings, s.o.Zones.Failures()...)
	var service histogram.Histogram
	recorded := s.o.Tap.Stats()
	st.Records = records(recorded)
	for id, past := range s.o.Histories.Ended(list, snaps) {
		c := counters(past)
		c.Unrecorded = unrecorded(past, recorded.Lost[id])
		st.Totals.Add(&c)
		service.Merge(&past.Latency[shard.AtOnceUDP])
	}
	for i, snap := range snaps {
		if snap == nil {
			continue
		}
		c := counters(snap)
		c.Unrecorded = unrecorded(snap, recorded.Lost[list[i].ID()])
		st.Totals.Add(&c)
		st.InFlight += snap.Waiting
		st.CacheEntries += uint64(snap.Cache.Store.Entries)
		service.Merge(&snap.Latency[shard.AtOnceUDP])
		if list[i].State() == worker.Running {
			st.ShardsRunning++
		}
	}
	st.ServiceTime = control.LatencyOf(&service)
	return st, nil
}

// Shards implements control.Server. A shard that does not answer is listed without its counters.
func (s *Server) Shards(ctx context.Context) (*control.Shards, error) {
	list := s.o.Workers()
	snaps, err := snapshots(ctx, list)
	if err != nil && !slices.ContainsFunc(snaps, func(p *shard.Snapshot) bool { return p != nil }) {
		return nil, err
	}
	out, recorded := new(control.Shards), s.o.Tap.Stats()
	for i, w := range list {
		at := w.Seat()
		sh := control.Shard{ID: w.ID(), CPU: -1, Node: at.Node, State: control.ShardState(w.State().String()), Restarts: w.History.Restarts(), InFlightLimit: w.Shard.Waiters}
		if w.Shard.Pin {
			sh.CPU = at.CPU
		}
		if snap := snaps[i]; snap != nil {
			sh.Counters = counters(snap)
			sh.Unrecorded = unrecorded(snap, recorded.Lost[w.ID()])
			sh.InFlight = snap.Waiting
			sh.Queues = s.queues(i, snap)
			sh.TCPConns = snap.TCP.Open
			sh.MemoryBytes = uint64(snap.Cache.Store.Bytes)
			sh.MemoryLimit = uint64(snap.Cache.Store.Capacity)
			sh.BatchSizes = control.BatchSizes((*[control.BatchSlots]uint64)(&snap.Stats.Batches))
			sh.ServiceTime = control.LatencyOf(&snap.Latency[shard.AtOnceUDP])
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
		KernelDrops: s.Ports.QueueDrops, SendDrops: s.Ports.SendDrops, Slipped: s.Engine.Slipped, Drops: occurred(drops(s)), Limited: occurred(limited(s)), Rcodes: occurred(rcodes(s)),
		Recorded: s.Stats.Recorded,
	}
	c.Replies = s.Ports.Sent + s.TCP.Sent
	return c
}
