package shard

import (
	"net/netip"
	"syscall"

	"heimdall/core/resolver"
	"heimdall/netio/outbound"
)

// Query implements core.Performer.
func (s *Shard) Query(q *resolver.Action) resolver.Obstacle {
	if q.Stream {
		msg := s.engine.Resolver().BuildQuery(q.Ref, 0, s.query[:0])
		if msg == nil {
			return resolver.Busy
		}
		return s.left(q, 0, msg, s.out.Stream(q.Ref, q.Server, msg, q.At))
	}
	sock, err := s.socket(q)
	if err != nil {
		return obstacle(err)
	}
	msg := s.engine.Resolver().BuildQuery(q.Ref, sock, s.query[:0])
	if msg == nil {
		s.out.Release(q.Ref, sock)
		return resolver.Busy
	}
	return s.left(q, sock, msg, s.out.Send(sock, q.Server, msg))
}

// left is where each query to another server leaves, or does not because of err.
func (s *Shard) left(q *resolver.Action, sock uint16, msg []byte, err error) resolver.Obstacle {
	if err == nil && s.recorder.upstream() {
		s.recorder.sent(q, sock, msg)
	}
	return obstacle(err)
}

// ReleaseSocket implements core.Performer.
func (s *Shard) ReleaseSocket(ref uint64, sock uint16) { s.out.Release(ref, sock) }

// socket finds one for a query that goes by datagram.
func (s *Shard) socket(q *resolver.Action) (uint16, error) {
	if q.Shared {
		if sock, ok := s.out.Pick(q.Server); ok {
			return sock, nil
		}
	}
	return s.out.Own(q.Ref, q.Server, q.At)
}

// obstacle tells what hinders the whole of a network or one server from what hinders us.
func obstacle(err error) resolver.Obstacle {
	if err == nil {
		return resolver.NoObstacle
	}
	switch err {
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT:
		return resolver.NoRoute
	case outbound.ErrLimit, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.EAGAIN, syscall.EBADF, syscall.ENOSPC, syscall.EADDRINUSE:
		return resolver.Busy
	}
	return resolver.Forbidden
}

// Timer implements core.Performer.
func (s *Shard) Timer(ref uint64, at int64) { s.wheel.Set(s.engine.TimerOf(ref), ref, at) }

// UpstreamDatagram implements outbound.Sink.
func (s *Shard) UpstreamDatagram(sock uint16, from netip.AddrPort, msg []byte) {
	s.engine.Receive(s.now, sock, from, msg)
}

// UpstreamRefused implements outbound.Sink.
func (s *Shard) UpstreamRefused(ref uint64) { s.engine.Refused(s.now, ref) }

// UpstreamStream implements outbound.Sink.
func (s *Shard) UpstreamStream(ref uint64, msg []byte, err error) {
	if err != nil && obstacle(err) == resolver.Busy {
		s.engine.SendFailed(s.now, ref, resolver.Busy)
		return
	}
	s.engine.ReceiveStream(s.now, ref, msg, err)
}
