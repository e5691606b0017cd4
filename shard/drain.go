package shard

import "time"

// drainFor bounds the time that a stopping shard waits for queries in flight and for streams to take their
// responses. Longer than a query to another server may take by default.
const drainFor = int64(6 * time.Second)

// Stop makes the shard end once it has answered what it has received. Safe for concurrent use.
func (s *Shard) Stop() {
	s.stopping.Store(true)
	s.poller.Wake()
}

// drained tells whether nothing is left to do. The receive queues are read to their ends, queries in flight
// get their responses, streams are no longer accepted and closed when their last response is out.
func (s *Shard) drained() bool {
	if s.State() != Draining {
		s.state.Store(int32(Draining))
		s.drainBy = s.now + drainFor
		s.tcp.Drain()
	}
	return s.now >= s.drainBy || !s.backlog.now && s.engine.Waiting() == 0 && s.tcp.Conns() == 0
}
