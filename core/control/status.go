package control

import (
	"heimdall/core/histogram"
)

// Status is the daemon as a whole.
type Status struct {
	Version       string   `json:"version"`
	PID           int      `json:"pid"`
	UptimeSeconds float64  `json:"uptime_seconds"`
	Config        string   `json:"config"`          // path of the file in force; empty: built-in defaults
	Files         []string `json:"files,omitempty"` // that it was read from, if it includes others
	Log           Log      `json:"log"`
	Listen        []string `json:"listen"`
	Backend       string   `json:"backend"` // how packets are received and sent
	Shards        int      `json:"shards"`
	ShardsRunning int      `json:"shards_running"`
	Totals        Counters `json:"totals"`
	InFlight      int      `json:"in_flight"`
	CacheEntries  uint64   `json:"cache_entries"`
	MemoryBytes   uint64   `json:"memory_bytes"` // resident set of the process; 0: unknown
	ServiceTime   Latency  `json:"service_time"`
	XDP           *XDP     `json:"xdp,omitempty"` // without its exits; absent when xdp.mode is off
	Health        Health   `json:"health"`
	Anycast       *Anycast `json:"anycast,omitempty"`  // absent without service addresses
	Records       *Records `json:"records,omitempty"`  // absent when neither the query log nor dnstap has been on
	Sandbox       string   `json:"sandbox"`            // what of the process is confined
	Network       string   `json:"network,omitempty"`  // what keeps all servers out of reach; among the warnings too
	Clock         string   `json:"clock,omitempty"`    // what is wrong with the clock; likewise
	Warnings      []string `json:"warnings,omitempty"` // what keeps the daemon from its best, one sentence each

	Snapshot *Snapshot `json:"snapshot,omitempty"` // absent when cache.file is empty
}

// Log is what has become of the lines of the daemon's log.
type Log struct {
	Format  string `json:"format"` // text, json or journald
	Lines   uint64 `json:"lines"`
	Held    uint64 `json:"held"`    // left out: others of their kind had been written just before
	Dropped uint64 `json:"dropped"` // their reader was slow, or did not take them
}

// Counters are what a shard counts about its traffic since it was first started.
type Counters struct {
	Queries     uint64            `json:"queries"`
	Replies     uint64            `json:"replies"`
	Hits        uint64            `json:"hits"`              // answered from the cache, stale answers included
	StaleHits   uint64            `json:"stale_hits"`        // answered with an expired entry, RFC 8767
	Misses      uint64            `json:"misses"`            // had to be asked upstream
	Local       uint64            `json:"local"`             // answered from zones served here and other local data
	HitRatio    float64           `json:"hit_ratio"`         // Hits / (Hits + Misses); 0 without either
	TCPQueries  uint64            `json:"tcp_queries"`       // part of Queries
	KernelDrops uint64            `json:"kernel_drops"`      // datagrams lost because a receive queue was full
	SendDrops   uint64            `json:"send_drops"`        // replies that the kernel did not take
	Slipped     uint64            `json:"slipped,omitempty"` // above the client's rate, and answered with TC
	Drops       map[string]uint64 `json:"drops,omitempty"`
	Limited     map[string]uint64 `json:"limited,omitempty"` // misses that got SERVFAIL, or nothing, because of a limit
	Rcodes      map[string]uint64 `json:"rcodes,omitempty"`  // replies by RCODE mnemonic
	Recorded    uint64            `json:"recorded,omitempty"`
	Unrecorded  map[string]uint64 `json:"unrecorded,omitempty"` // records for the query log and dnstap that were lost, by what had no room
}

// Add adds o to c, for a total over shards. The maps of o are not retained.
func (c *Counters) Add(o *Counters) {
	c.Queries += o.Queries
	c.Replies += o.Replies
	c.Hits += o.Hits
	c.StaleHits += o.StaleHits
	c.Misses += o.Misses
	c.Local += o.Local
	c.TCPQueries += o.TCPQueries
	c.KernelDrops += o.KernelDrops
	c.SendDrops += o.SendDrops
	c.Slipped += o.Slipped
	c.HitRatio = Ratio(c.Hits, c.Misses)
	c.Drops = addCounts(c.Drops, o.Drops)
	c.Limited = addCounts(c.Limited, o.Limited)
	c.Rcodes = addCounts(c.Rcodes, o.Rcodes)
	c.Recorded += o.Recorded
	c.Unrecorded = addCounts(c.Unrecorded, o.Unrecorded)
}

func addCounts(dst, src map[string]uint64) map[string]uint64 {
	for k, n := range src {
		if dst == nil {
			dst = make(map[string]uint64, len(src))
		}
		dst[k] += n
	}
	return dst
}

// Ratio returns the share of hits among hits and misses; 0 without either.
func Ratio(hits, misses uint64) float64 {
	if hits+misses == 0 {
		return 0
	}
	return float64(hits) / float64(hits+misses)
}

// Latency sums up a distribution of durations since the daemon started, in
// microseconds. Histogram is the distribution itself, in the binary form of
// core/histogram: with two of them a tool can tell what happened in between.
type Latency struct {
	Count     uint64  `json:"count"`
	MeanUs    float64 `json:"mean_us"`
	P50Us     float64 `json:"p50_us"`
	P90Us     float64 `json:"p90_us"`
	P99Us     float64 `json:"p99_us"`
	P999Us    float64 `json:"p999_us"`
	MaxUs     float64 `json:"max_us"`
	Histogram []byte  `json:"histogram,omitempty"`
}

// LatencyOf sums up h.
func LatencyOf(h *histogram.Histogram) Latency {
	us := func(ns int64) float64 { return float64(ns) / 1e3 }
	return Latency{
		Count:  h.Count(),
		MeanUs: us(h.Mean()),
		P50Us:  us(h.Quantile(0.5)),
		P90Us:  us(h.Quantile(0.9)),
		P99Us:  us(h.Quantile(0.99)),
		P999Us: us(h.Quantile(0.999)),
		MaxUs:  us(h.Max()),

		Histogram: h.AppendBinary(nil),
	}
}

// ShardState says what a shard is doing.
type ShardState string

// The states of a shard.
const (
	ShardStarting   ShardState = "starting"
	ShardRunning    ShardState = "running"
	ShardRestarting ShardState = "restarting" // it panicked; its sockets are kept open
	ShardDraining   ShardState = "draining"
	ShardStopped    ShardState = "stopped"
)

// Shard is one shard: the loop on one CPU.
type Shard struct {
	ID       int        `json:"id"`
	CPU      int        `json:"cpu"`  // -1: not pinned
	Node     int        `json:"node"` // NUMA node of its memory; -1: unknown
	State    ShardState `json:"state"`
	Restarts uint64     `json:"restarts"`
	Counters
	InFlight      int         `json:"in_flight"`       // queries waiting for an upstream
	InFlightLimit int         `json:"in_flight_limit"` // beyond it the newest miss is refused
	TCPConns      int         `json:"tcp_conns"`
	Queues        []Queue     `json:"queues,omitempty"`
	MemoryBytes   uint64      `json:"memory_bytes"` // cache memory in use
	MemoryLimit   uint64      `json:"memory_limit"` // cache memory it may use
	BatchSizes    []BatchSize `json:"batch_sizes"`  // in ascending order
	ServiceTime   Latency     `json:"service_time"` // from receiving a query to handing its reply to the kernel
}

// Queue is a receive queue of a network interface whose AF_XDP socket a shard has. What comes through kernel sockets
// beside it is not counted here.
type Queue struct {
	Interface string `json:"interface"`
	Queue     int    `json:"queue"`
	ZeroCopy  bool   `json:"zero_copy"` // the card writes to the shard's memory; false: the kernel copies
	Received  uint64 `json:"received"`
	Sent      uint64 `json:"sent"`
	Drops     uint64 `json:"drops"` // queries lost because the queue was full
}

// Shards is the reply to the command shards.
type Shards struct {
	Shards []Shard `json:"shards"`
}

// BatchSize counts the receive calls that returned between Min and Max datagrams.
type BatchSize struct {
	Min   int    `json:"min"`
	Max   int    `json:"max"`
	Count uint64 `json:"count"`
}

// BatchSlots is how many slots a shard counts batches in: one for empty ones, then one for each power of two, up to 1023.
const BatchSlots = 11

// BatchSizes turns counts of batches into the table that is shown.
// Slots above the highest one in use are left out.
func BatchSizes(counts *[BatchSlots]uint64) []BatchSize {
	var table []BatchSize
	for slot, n := range counts {
		if n == 0 {
			continue
		}
		for i := len(table); i <= slot; i++ {
			table = append(table, BatchSize{Min: 1 << i >> 1, Max: 1<<i - 1, Count: counts[i]})
		}
	}
	return table
}
