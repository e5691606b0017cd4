package main

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/miekg/dns"
)

type shardList struct {
	Shards []struct {
		ID, CPU     int
		State       string
		Queries     int
		TCPQueries  int                             `json:"tcp_queries"`
		MemoryLimit int                             `json:"memory_limit"`
		BatchSizes  []struct{ Min, Max, Count int } `json:"batch_sizes"`
		ServiceTime struct{ Count int }             `json:"service_time"`
	}
}

// With several shards every client is answered, whichever shard its packets go to, by either way of steering.
func TestSeveralShards(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		steer string
		pin   bool
	}{{"flow", false}, {"cpu", false}, {"cpu", true}} {
		if c.pin && runtime.NumCPU() < 2 {
			continue // two shards cannot be pinned to one CPU
		}
		t.Run(fmt.Sprintf("%s, pin %v", c.steer, c.pin), func(t *testing.T) {
			t.Parallel()
			up := newUpstream(t, nil)
			d := start(t, fmt.Sprintf("[cpu]\nshards = 2\npin = %v\n[xdp]\nsteer = %q\n%s", c.pin, c.steer, forward(".", up)))
			const clients = 60
			for i := range clients { // each from a port of its own
				stillRight(t, d, "shared.example.")
				if i%10 == 0 {
					stillRight(t, d, fmt.Sprintf("n%d.example.", i))
				}
			}
			var s shardList
			d.ctlJSON(&s, "shards")
			if len(s.Shards) != 2 {
				t.Fatalf("%+v", s)
			}
			total, tcp := 0, 0
			for i, sh := range s.Shards {
				if sh.ID != i || sh.State != "running" || sh.MemoryLimit > 128<<20 || sh.MemoryLimit < 64<<20 {
					t.Errorf("shard %d: %+v", i, sh)
				}
				if c.steer == "flow" && (sh.Queries < 10 || sh.ServiceTime.Count == 0 || len(sh.BatchSizes) == 0) {
					t.Errorf("shard %d got no share of the queries: %+v", i, sh)
				}
				total += sh.Queries
				tcp += sh.TCPQueries
			}
			if want := 2*clients + 2*clients/10; total < want || tcp != want/2 {
				t.Errorf("%d queries, %d over TCP, want %d", total, tcp, want)
			}
			// Each shard has a cache of its own.
			if n := up.Count("shared.example."); n < 1 || n > 2 {
				t.Errorf("asked for a name of 2 caches %d times", n)
			}
			var lookup struct{ Entries []struct{ Shard int } }
			d.ctlJSON(&lookup, "cache", "lookup", "shared.example", "A")
			if len(lookup.Entries) != up.Count("shared.example.") {
				t.Errorf("%+v", lookup)
			}
			var flushed struct{ Removed int }
			d.ctlJSON(&flushed, "cache", "flush", "shared.example")
			if flushed.Removed != len(lookup.Entries) {
				t.Errorf("%d of %d entries removed", flushed.Removed, len(lookup.Entries))
			}
		})
	}
}

// A list of CPUs is obeyed.
func TestShardOnOneCPU(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	var s shardList
	start(t, forward(".", up)).ctlJSON(&s, "shards")
	cpu := s.Shards[0].CPU // one that this process may use
	d := start(t, fmt.Sprintf("[cpu]\nshards = \"%d-%d\"\n%s", cpu, cpu, forward(".", up)))
	if r := d.ask("www.example.", dns.TypeA); len(r.Answer) != 1 {
		t.Fatal(r)
	}
	d.ctlJSON(&s, "shards")
	if len(s.Shards) != 1 || s.Shards[0].CPU != cpu {
		t.Errorf("%+v", s)
	}
}
