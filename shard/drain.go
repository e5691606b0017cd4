package shard

// Stop makes the shard refuse new misses and answer what it has received. It goes on serving until Release, as
// the kernel gives it queries for as long as its sockets are open. Safe for concurrent use.
func (s *Shard) Stop() {
	s.stopping.Store(true)
	s.poller.Wake()
}

// Release lets a shard end that has been stopped and is Drained. Safe for concurrent use.
func (s *Shard) Release() {
	s.released.Store(true)
	s.poller.Wake()
}

// drained tells whether nothing is left to do. The receive queues are read to their ends, queries in flight
// get their responses, streams are no longer accepted and closed when their last response is out.
func (s *Shard) drained() bool {
	switch s.State() {
	case Running:
		s.state.Store(int32(Draining))
		s.drainBy = s.now + int64(s.opt.DrainFor)
		s.engine.Drain()
		s.tcp.Drain()
	case Draining:
		late := s.now >= s.drainBy
		if late {
			s.engine.Abandon(s.now)
		}
		if late || s.engine.Waiting() == 0 && s.tcp.Conns() == 0 {
			s.state.Store(int32(Drained))
		}
	case Drained:
		return s.released.Load() && !s.backlog.now
	}
	return false
}
