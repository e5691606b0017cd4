package shard

import (
	"heimdall/affinity"
	"heimdall/core/histogram"
)

// Latency are the times of responses in nanoseconds, by what had to be done for them and by how they left. What waited
// for another server is told apart: it says more of that server than of the shard.
type Latency [latencies]histogram.Histogram

// The places in Latency.
const (
	AtOnceUDP = iota // from receiving a batch of datagrams to having sent its responses
	AtOnceTCP        // from the begin of the round that reads a message of a stream to having its response in the stream
	WaitedUDP        // from receiving a query to its response, which others had to be asked for
	WaitedTCP
	latencies
)

// waited notes the time of a response to a client that had to wait.
func (s *Shard) waited(t *target) {
	switch t.kind {
	case datagram:
		s.latency[WaitedUDP].Record(s.now - t.since)
	case stream:
		s.latency[WaitedTCP].Record(s.now - t.since)
	}
}

// cpuTime is the CPU time of a shard's thread. The thread may have had other work before.
type cpuTime struct {
	began uint64 // ns
	used  uint64 // ns, when it was read last
}

// start begins to count. On the shard's thread, like read.
func (c *cpuTime) start() { c.began = affinity.ThreadTime() }

func (c *cpuTime) read() { c.used = affinity.ThreadTime() - c.began }
