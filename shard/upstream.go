package shard

import (
	"net/netip"
	"syscall"

	"heimdall/core/resolver"
	"heimdall/netio/outbound"
)

// Query implements core.Performer.
func (s *Shard) Query(ref uint64, server netip.AddrPort, stream bool, deadline int64) resolver.Obstacle {
	var sock uint16
	if !stream {
		var ok bool
		if sock, ok = s.out.Pick(server); !ok {
			if !s.out.Reaches(server.Addr()) {
				return resolver.NoRoute
			}
			return resolver.Busy
		}
	}
	msg := s.engine.Resolver().BuildQuery(ref, sock, s.query[:0])
	switch {
	case msg == nil:
		return resolver.Busy
	case stream:
		return obstacle(s.out.Stream(ref, server, msg, deadline))
	}
	return obstacle(s.out.Send(sock, server, msg))
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

// UpstreamStream implements outbound.Sink.
func (s *Shard) UpstreamStream(ref uint64, msg []byte, err error) {
	if err != nil && obstacle(err) == resolver.Busy {
		s.engine.SendFailed(s.now, ref, resolver.Busy)
		return
	}
	s.engine.ReceiveStream(s.now, ref, msg, err)
}
