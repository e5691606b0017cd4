package shard

import (
	"heimdall/netio"
	"heimdall/netio/tcp"
)

// Stop makes the shard refuse new misses and answer what it has received. It goes on serving until Release, as
// the kernel gives it queries for as long as its sockets are open. Safe for concurrent use.
func (s *Shard) Stop() {
	s.stopping.Store(true)
	s.poller.Wake()
}

// Leave makes the shard end for good while others go on serving. Call it when nothing new comes to the shard's ports any
// more. The shard answers all that it has received. As soon as a stream has no query in flight, the shard hands it to the
// function to, on its own thread. It ends after Release. Safe for concurrent use; always with the same function.
func (s *Shard) Leave(to func(tcp.Moved)) {
	s.leaveTo.Store(&to)
	s.Stop()
}

// Deafen has Stop and what follows leave the datagrams and clients that come to somebody else who has the same sockets. Call
// it before. Safe for concurrent use.
func (s *Shard) Deafen() { s.deaf.Store(true) }

// Retire reads port i to its end and closes it. Responses to what has come there leave by what the port's own Retire returns. Only
// for commands, when nothing new comes to the port.
func (s *Shard) Retire(i int) {
	p, ok := s.opt.Ports[i].(interface{ Retire() netio.Port })
	if !ok {
		return
	}
	for range retireRounds {
		n := s.opt.Ports[i].Recv(s.in)
		if n == 0 {
			break
		}
		s.handle(i, s.opt.Ports[i], s.in[:n])
	}
	s.poller.Del(s.opt.Ports[i].FD())
	s.watches[i] = watch{}
	s.flushLate()
	s.opt.Ports[i] = p.Retire()
}

// retireRounds bounds the batches that Retire reads: more than any ring holds.
const retireRounds = 4096

// unwatch ends the reading of datagrams. What the ports hold is for another process.
func (s *Shard) unwatch() {
	s.measureAge(false)
	for i, p := range s.opt.Ports {
		s.watches[i].ready = false
		if !s.watches[i].off {
			s.poller.Del(p.FD())
		}
	}
}

// Adopt takes over a stream from another shard. Only for commands.
func (s *Shard) Adopt(m tcp.Moved) { s.tcp.Adopt(m, s.now) }

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
		deaf := s.deaf.Load()
		if deaf {
			s.unwatch()
		}
		if to := s.leaveTo.Load(); to != nil {
			if deaf {
				s.tcp.HandOver(*to)
			} else {
				s.tcp.Leave(*to)
			}
			break
		}
		s.engine.Drain()
		s.tcp.Drain()
	case Draining:
		late := s.now >= s.drainBy
		if late {
			s.engine.Abandon(s.now)
		}
		if late || s.settled() && s.tcp.Conns() == 0 {
			s.state.Store(int32(Drained))
		}
	case Drained:
		return s.released.Load() && !s.backlog.now && (s.settled() || s.now >= s.drainBy)
	}
	return false
}

// settled tells whether nobody waits for other servers, and nobody can come to do so: a shard that leaves takes
// misses as long as there are datagrams in its receive queues, one that was stopped refuses them.
func (s *Shard) settled() bool {
	return s.engine.Waiting() == 0 && (s.leaveTo.Load() == nil || !s.backlog.now)
}
