// Package notice logs what shards notice, once in a while: they call it on their threads, and wait for nobody. It also looks
// at their counters, and logs each change of servers and limits once.
package notice

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// every is how long the log is silent about something that goes on.
const every = time.Minute

// Starved logs that clients could not be accepted for want of descriptors.
type Starved struct {
	next atomic.Int64 // when it may be logged again, in nanoseconds since 1970
	log  *slog.Logger
}

// NewStarved returns one that has not logged yet.
func NewStarved(log *slog.Logger) *Starved { return &Starved{log: log} }

// Tell is called by a shard that could not accept a client.
func (s *Starved) Tell() {
	now := time.Now().UnixNano()
	next := s.next.Load()
	if now < next || !s.next.CompareAndSwap(next, now+int64(every)) {
		return
	}
	go s.log.Warn("a TCP client could not be accepted: too many open files (descriptors). The longest idle one makes room, others wait. " +
		"Raise the limit (LimitNOFILE= in a systemd unit, ulimit -n in a shell), or lower tcp.max_connections. " +
		"heimdallctl shards counts them as drops (descriptors)")
}
