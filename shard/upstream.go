package shard

import "net/netip"

// Query implements core.Performer.
func (s *Shard) Query(ref uint64, server netip.AddrPort, stream bool, deadline int64) bool {
	var sock uint16
	if !stream {
		var ok bool
		if sock, ok = s.out.Pick(server); !ok {
			return false
		}
	}
	msg := s.engine.Resolver().BuildQuery(ref, sock, s.query[:0])
	switch {
	case msg == nil:
		return false
	case stream:
		return s.out.Stream(ref, server, msg, deadline) == nil
	}
	return s.out.Send(sock, server, msg) == nil
}

// Timer implements core.Performer.
func (s *Shard) Timer(ref uint64, at int64) { s.wheel.Set(s.engine.TimerOf(ref), ref, at) }

// UpstreamDatagram implements outbound.Sink.
func (s *Shard) UpstreamDatagram(sock uint16, from netip.AddrPort, msg []byte) {
	s.engine.Receive(s.now, sock, from, msg)
}

// UpstreamStream implements outbound.Sink.
func (s *Shard) UpstreamStream(ref uint64, msg []byte, err error) {
	s.engine.ReceiveStream(s.now, ref, msg, err)
}
