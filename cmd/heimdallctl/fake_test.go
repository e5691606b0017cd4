package main

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"heimdall/core/control"
	"heimdall/core/histogram"
)

// fakeDaemon answers with fixed data; every call of Status moves its clock and
// counters one second on.
type fakeDaemon struct {
	err     error
	seconds uint64
	flushed []control.CacheFlushArgs
	sick    bool
	fakeZones
}

// start serves d on a Unix socket until the test ends, and returns its path.
func start(t *testing.T, d control.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = control.Serve(context.Background(), conn, d)
				conn.Close()
			}()
		}
	}()
	return path
}

// service is the service time of the shard id after n replies.
func service(id int, n uint64) control.Latency {
	var h histogram.Histogram
	h.RecordN(int64(2000+1000*id), n-n/100)
	h.RecordN(15e6, n/100)
	return control.LatencyOf(&h)
}

func (d *fakeDaemon) shard(id int) control.Shard {
	n := (uint64(id) + 1) * (100_000 + d.seconds*1000)
	return control.Shard{
		ID: id, CPU: 2 * id, Node: -id, State: control.ShardRunning, Restarts: uint64(id),
		Counters: control.Counters{
			Queries: n, Replies: n - 7, Hits: n / 10 * 9, StaleHits: 3, Misses: n / 10, HitRatio: 0.9,
			TCPQueries: 12, KernelDrops: 40 * d.seconds,
			Drops:  map[string]uint64{"short": 5, "response": 2, "never": 0},
			Rcodes: map[string]uint64{"NOERROR": n - 100, "SERVFAIL": 10 + d.seconds, "NXDOMAIN": 83},
		},
		Queues:   []control.Queue{{Interface: "eth0", Queue: id, ZeroCopy: id == 1, Received: n - 12, Sent: n - 20, Drops: uint64(id)}},
		InFlight: 3 + id, InFlightLimit: 4096, MemoryBytes: 24 << 20, MemoryLimit: 128 << 20,
		BatchSizes: []control.BatchSize{
			{Min: 0, Max: 0, Count: 500}, {Min: 1, Max: 1, Count: 300 + 10*d.seconds}, {Min: 2, Max: 3, Count: 100 + 20*d.seconds}, {Min: 4, Max: 7, Count: 100 + 100*d.seconds},
		}[:4-id],
		ServiceTime: service(id, n),
	}
}

func (d *fakeDaemon) Status(context.Context) (*control.Status, error) {
	d.seconds++
	s := &control.Status{
		Version: "1.2.3", PID: 4711, UptimeSeconds: 93784 + float64(d.seconds), Config: "/etc/heimdall/config.toml",
		Listen: []string{"127.0.0.1:1053", "[::1]:1053"}, Backend: "AF_XDP and kernel sockets", Shards: 2, ShardsRunning: 2,
		InFlight: 7, CacheEntries: 123456, MemoryBytes: 90 << 20,
		Health: fakeHealth(true),
		Anycast: &control.Anycast{Interface: "lo", Because: "zones: 1 of 2 have a version", Addresses: []control.AnycastAddress{
			{Address: "192.0.2.53", State: control.AnycastDown}, {Address: "2001:db8::53", State: control.AnycastFailed, Error: "no \x1b[31m such device"},
		}},
		Sandbox:  "confined: capabilities, files, system calls",
		Warnings: []string{"net.core.rmem_max is 212992: raise it to 8388608 so that bursts are not lost"},
	}
	var h histogram.Histogram
	for id := range 2 {
		one := d.shard(id)
		s.Totals.Add(&one.Counters)
		h.RecordN(int64(2000+1000*id), one.Replies)
	}
	s.ServiceTime = control.LatencyOf(&h)
	return s, d.err
}

func (d *fakeDaemon) Shards(context.Context) (*control.Shards, error) {
	return &control.Shards{Shards: []control.Shard{d.shard(0), d.shard(1)}}, d.err
}

func (d *fakeDaemon) CacheLookup(_ context.Context, a control.CacheLookupArgs) (*control.CacheLookup, error) {
	reply := &control.CacheLookup{Name: a.Name, Type: a.Type, Entries: []control.CacheEntry{}}
	if a.Name == "www.example." {
		reply.Entries = append(reply.Entries,
			control.CacheEntry{Shard: 0, Rcode: "NOERROR", TTL: 283, OrigTTL: 300, Hits: 1700, Bytes: 96, Records: []string{"www.example. 283 IN A 192.0.2.1", "www.example. 283 IN A 192.0.2.2"}},
			control.CacheEntry{Shard: 1, View: 2, DO: true, AD: true, Rcode: "SERVFAIL", Stale: true, OrigTTL: 30, Bytes: 60, EDE: "22 \x1b[31m(no reachable authority)"})
	}
	return reply, d.err
}

func (d *fakeDaemon) CacheFlush(_ context.Context, a control.CacheFlushArgs) (*control.CacheFlush, error) {
	d.flushed = append(d.flushed, a)
	return &control.CacheFlush{Name: a.Name, Subtree: a.Subtree, Removed: 1234}, d.err
}

func (d *fakeDaemon) CacheStats(context.Context) (*control.CacheStats, error) {
	s := &control.CacheStats{Engine: "segment", Total: control.CacheShard{Shard: -1}}
	for id := range 2 {
		n := uint64(id + 1)
		s.Shards = append(s.Shards, control.CacheShard{
			Shard: id, Entries: 61728 * n, BytesUsed: 24 << 20, BytesCapacity: 128 << 20, IndexBuckets: 16384,
			Hits: 900_000 * n, StaleHits: 3, Misses: 100_000, HitRatio: 0.9, Inserts: 99_000, Expired: 1000, Flushed: 7, TooLarge: 1,
			Evictions: map[string]uint64{"merge": 80, "full": 2},
		})
		s.Total.Add(&s.Shards[id])
	}
	return s, d.err
}

func (d *fakeDaemon) Upstreams(context.Context) (*control.Upstreams, error) {
	return &control.Upstreams{Groups: []control.UpstreamGroup{
		{Zone: ".", Kind: "forward", Servers: []control.Upstream{
			{Address: "192.0.2.53:53", State: control.UpstreamUp, SRTTUs: 12345, InFlight: 3, Queries: 100_000, Responses: 99_990, Timeouts: 4, Failures: 5, Mismatches: 1, Truncated: 20},
			{Address: "[2001:db8::53]:53", State: control.UpstreamDown, ShardsDown: 2, Queries: 10, Timeouts: 10, NextProbeMs: 1500, LastError: "network is unreachable"},
		}},
		{Zone: "corp.example.", Kind: "stub", Servers: []control.Upstream{
			{Address: "192.0.2.54:53", State: control.UpstreamUp, ShardsDown: 1, SRTTUs: 800, Queries: 5, Responses: 5, NoEDNS: true},
		}},
	}}, d.err
}

func (d *fakeDaemon) Reload(context.Context) (*control.Reload, error) {
	return &control.Reload{
		Config: "/etc/heimdall/config.toml", Applied: []string{"cache.max_ttl", "forward"}, NeedsRestart: []string{"cpu.shards"},
		Warnings: []string{"cpu.shards: 2 shards go on running"},
	}, d.err
}

func (d *fakeDaemon) Upgrade(_ context.Context, a control.UpgradeArgs) (*control.Upgrade, error) {
	return &control.Upgrade{PID: 4711, Version: "2", Before: "1", Shards: 4, TookSeconds: float64(a.Within) / 100}, d.err
}

// fakeHealth is a verdict of two checks.
func fakeHealth(good bool) control.Health {
	h := control.Health{Healthy: good, Reasons: []string{}, Checks: []control.HealthCheck{
		{Check: "service", OK: true, Found: "goes on"}, {Check: "zones", OK: good, Found: "2 of 2 have a version"},
	}}
	if !good {
		h.Checks[1].Found = "1 of 2 have a version; none has bad\x1b[31m.example."
		h.Reasons = append(h.Reasons, "zones: "+h.Checks[1].Found)
	}
	return h
}

func (d *fakeDaemon) Health(context.Context) (*control.Health, error) {
	h := fakeHealth(!d.sick)
	return &h, d.err
}
