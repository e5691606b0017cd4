package shard

import (
	"heimdall/core"
	"heimdall/netio"
	"heimdall/netio/tcp"
)

// StreamMessage implements tcp.Sink: one message of a client's stream.
func (s *Shard) StreamMessage(conn tcp.ConnID, peer *netio.Endpoint, msg []byte) {
	r := &s.stream[0]
	r.Msg, r.Client = msg, peer.Addr
	s.conn, s.peer = conn, *peer
	s.engine.KeepAlive = s.tcp.IdleTimeout()
	s.engine.Handle(s.now, s.stream[:])
	if s.samples != nil {
		s.samples.note(s.now, s.stream[:])
	}
	s.stats.Streams++
	switch r.Outcome {
	case core.Send:
		s.tcp.Reply(conn, r.Response)
		s.latency[AtOnceTCP].Record(s.clock() - s.now)
	case core.Drop:
		s.tcp.Done(conn)
	}
}
