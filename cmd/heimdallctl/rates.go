package main

import (
	"heimdall/core/control"
	"heimdall/core/histogram"
)

// sample is the daemon at one moment.
type sample struct {
	status *control.Status
	shards []control.Shard
}

// rates is what happened between two samples.
type rates struct {
	Version       string       `json:"version"`
	PID           int          `json:"pid"`
	UptimeSeconds float64      `json:"uptime_seconds"`
	Seconds       float64      `json:"interval_seconds"`
	Shards        int          `json:"shards"`
	ShardsRunning int          `json:"shards_running"`
	CacheEntries  uint64       `json:"cache_entries"`
	XDP           *xdpRates    `json:"xdp,omitempty"` // absent when xdp.mode is off
	Warnings      []string     `json:"warnings,omitempty"`
	Total         shardRates   `json:"total"` // its ID and CPU are -1
	PerShard      []shardRates `json:"per_shard"`
}

// shardRates is one shard in that time. Rates are events a second.
type shardRates struct {
	ID          int                `json:"id"`
	CPU         int                `json:"cpu"`
	State       control.ShardState `json:"state,omitempty"`
	Queries     float64            `json:"queries"`
	Replies     float64            `json:"replies"`
	Misses      float64            `json:"misses"`
	ServFail    float64            `json:"servfail"`
	Drops       float64            `json:"drops"`
	HitRatio    float64            `json:"hit_ratio"`
	Batch       float64            `json:"batch"` // datagrams for each receive call that returned any
	InFlight    int                `json:"in_flight"`
	MemoryBytes uint64             `json:"memory_bytes"`
	P50Us       float64            `json:"p50_us"`
	P90Us       float64            `json:"p90_us"`
	P99Us       float64            `json:"p99_us"`
	P999Us      float64            `json:"p999_us"`
}

// interval is the counts of one shard, or of all, between two samples.
type interval struct {
	queries, datagrams, replies, hits, misses, servfail, drops, batches uint64
	service                                                             histogram.Histogram
}

// newRates compares two samples of one daemon. A shard that the earlier one does
// not have, or whose counters began anew, counts from zero.
func newRates(prev, now *sample) *rates {
	s := now.status
	r := &rates{
		Version: s.Version, PID: s.PID, UptimeSeconds: s.UptimeSeconds,
		Seconds: s.UptimeSeconds, Shards: s.Shards, ShardsRunning: s.ShardsRunning,
		CacheEntries: s.CacheEntries, Warnings: s.Warnings,
	}
	earlier := map[int]*control.Shard{}
	if prev.status.PID == s.PID && prev.status.UptimeSeconds < s.UptimeSeconds {
		r.Seconds -= prev.status.UptimeSeconds
		for i := range prev.shards {
			earlier[prev.shards[i].ID] = &prev.shards[i]
		}
	}
	if s.XDP != nil {
		r.XDP = newXDPRates(prev.status.XDP, s.XDP, r.Seconds)
	}
	var all interval
	r.Total = shardRates{ID: -1, CPU: -1}
	for i := range now.shards {
		h := &now.shards[i]
		before := earlier[h.ID]
		if before == nil || before.Queries > h.Queries || before.ServiceTime.Count > h.ServiceTime.Count {
			before = &control.Shard{}
		}
		d := between(before, h)
		all.add(&d)
		one := d.rates(r.Seconds)
		one.ID, one.CPU, one.State, one.InFlight, one.MemoryBytes = h.ID, h.CPU, h.State, h.InFlight, h.MemoryBytes
		r.PerShard = append(r.PerShard, one)
		r.Total.InFlight += h.InFlight
		r.Total.MemoryBytes += h.MemoryBytes
	}
	total := all.rates(r.Seconds)
	total.ID, total.CPU, total.InFlight, total.MemoryBytes = -1, -1, r.Total.InFlight, r.Total.MemoryBytes
	r.Total = total
	return r
}

// between returns what a shard did from a to b.
func between(a, b *control.Shard) interval {
	d := interval{
		queries:   b.Queries - a.Queries,
		datagrams: (b.Queries - b.TCPQueries) - (a.Queries - a.TCPQueries),
		replies:   b.Replies - a.Replies,
		hits:      b.Hits - a.Hits,
		misses:    b.Misses - a.Misses,
		servfail:  b.Rcodes["SERVFAIL"] - a.Rcodes["SERVFAIL"],
	}
	for _, n := range drops(&b.Counters) {
		d.drops += n
	}
	for _, n := range drops(&a.Counters) {
		d.drops -= n
	}
	for _, s := range b.BatchSizes {
		if s.Max > 0 {
			d.batches += s.Count
		}
	}
	for _, s := range a.BatchSizes {
		if s.Max > 0 {
			d.batches -= s.Count
		}
	}
	var before, after histogram.Histogram
	if after.Parse(b.ServiceTime.Histogram) {
		before.Parse(a.ServiceTime.Histogram)
		d.service = after.Since(&before)
	}
	return d
}

func (d *interval) add(o *interval) {
	d.queries += o.queries
	d.datagrams += o.datagrams
	d.replies += o.replies
	d.hits += o.hits
	d.misses += o.misses
	d.servfail += o.servfail
	d.drops += o.drops
	d.batches += o.batches
	d.service.Merge(&o.service)
}

// rates divides by the length of the interval.
func (d *interval) rates(seconds float64) shardRates {
	per := func(n uint64) float64 { return float64(n) / max(seconds, 1e-3) }
	service := control.LatencyOf(&d.service)
	return shardRates{
		Queries:  per(d.queries),
		Replies:  per(d.replies),
		Misses:   per(d.misses),
		ServFail: per(d.servfail),
		Drops:    per(d.drops),
		HitRatio: control.Ratio(d.hits, d.misses),
		Batch:    float64(d.datagrams) / float64(max(d.batches, 1)),
		P50Us:    service.P50Us,
		P90Us:    service.P90Us,
		P99Us:    service.P99Us,
		P999Us:   service.P999Us,
	}
}
