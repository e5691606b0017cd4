package shard

import (
	"math/bits"

	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/core/resolver"
	"heimdall/netio"
	"heimdall/netio/outbound"
	"heimdall/netio/tcp"
)

// BatchSizes is the number of classes in the histogram of batch sizes: class i counts batches of at least
// 2^(i-1) and less than 2^i datagrams, the last one all that are larger.
const BatchSizes = 11

// Stats are counters of the loop itself.
type Stats struct {
	Batches   [BatchSizes]uint64
	Shed      uint64 // datagrams that had waited too long
	Streams   uint64 // messages that came over streams
	Sleeps    uint64 // times that the shard went to sleep
	Overloads uint64 // times that the receive queues stayed full

	Recorded   uint64 // records for the query log and dnstap
	Unrecorded uint64 // records lost because their ring was full
}

func (s *Stats) batch(n int) { s.Batches[min(bits.Len(uint(n)), BatchSizes-1)]++ }

// Snapshot is a copy of all that a shard counts, for readers on other threads.
type Snapshot struct {
	Stats    Stats
	Engine   core.Counters
	Waiting  int
	Queued   int
	Cache    cache.Stats
	Resolver resolver.Stats
	Ports    netio.PortStats   // of all together
	Each     []netio.PortStats // of each of Options.Ports
	TCP      tcp.Stats
	Outbound outbound.Stats
	Latency  Latency
	CPU      uint64 // ns of CPU time that the shard's thread has used
}

// Snapshot copies the counters. Only for commands that run on the shard's thread, and when the shard has ended: what
// never ran has counted nothing.
func (s *Shard) Snapshot() *Snapshot {
	if s.tcp == nil {
		return new(Snapshot)
	}
	if s.State() != Stopped {
		s.cpu.read()
	}
	snap := &Snapshot{
		Stats:    s.stats,
		Engine:   s.engine.Counters(),
		Waiting:  s.engine.Waiting(),
		Queued:   s.engine.Queued(),
		Cache:    s.engine.Answers().Stats(),
		Resolver: s.engine.Resolver().Stats(),
		TCP:      s.tcp.Stats(),
		Outbound: s.out.Stats(),
		Latency:  s.latency,
		CPU:      s.cpu.used,
	}
	for _, p := range s.opt.Ports {
		snap.Each = append(snap.Each, p.Stats())
		snap.Ports.Add(snap.Each[len(snap.Each)-1])
	}
	return snap
}
