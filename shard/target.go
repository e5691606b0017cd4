package shard

import (
	"heimdall/core"
	"heimdall/core/slots"
	"heimdall/netio"
	"heimdall/netio/tcp"
)

// target is where the responses to one request go.
type target struct {
	gen   uint32 // of the place in the table; odd while it is taken
	kind  targetKind
	begun bool  // responses have gone there, and others follow
	port  int16 // that the query came through, of a datagram; elsewhere: which of Shard.receivers
	since int64 // ns on the shard's clock: when its query came
	peer  netio.Endpoint
	conn  tcp.ConnID
}

type targetKind uint8

const (
	datagram targetKind = iota
	stream
	elsewhere // a Receiver
)

// targets is a table of fixed size without pointers.
type targets struct{ slots.Table[target] }

func newTargets(n int) targets { return targets{slots.New[target](n)} }

// hold puts t into the table. The zero Target: there is no room.
func (ts *targets) hold(t target) core.Target {
	i, ok := ts.Take()
	if !ok {
		return 0
	}
	at := ts.At(i)
	t.gen = at.gen + 1
	*at = t
	return core.Target(t.gen)<<32 | core.Target(i)
}

// find returns the target of that name, or nil if it has ended.
func (ts *targets) find(name core.Target) *target {
	if int(uint32(name)) >= ts.Len() {
		return nil
	}
	t := ts.At(uint32(name))
	if t.gen != uint32(name>>32) || t.gen&1 == 0 {
		return nil
	}
	return t
}

// end frees a target: its name is not found any more.
func (ts *targets) end(name core.Target) {
	ts.At(uint32(name)).gen++
	ts.Put(uint32(name))
}

// streamTag is the tag of a request that came over a stream; those of datagrams are their numbers in the batch.
const streamTag = ^uint32(0)

// Hold implements core.Performer.
func (s *Shard) Hold(tag uint32) core.Target {
	if tag == streamTag {
		return s.targets.hold(target{kind: stream, since: s.now, conn: s.conn, peer: s.peer})
	}
	return s.targets.hold(target{kind: datagram, since: s.now, port: s.port, peer: s.in[tag].Peer})
}

// Reply implements core.Performer.
func (s *Shard) Reply(to core.Target, msg []byte, more bool) core.Room {
	t := s.targets.find(to)
	if t == nil {
		return core.Gone
	}
	room := core.Taken
	switch t.kind {
	case datagram:
		s.late.add(s, t, msg)
	case stream:
		room = s.replyStream(t, msg, more)
	case elsewhere:
		room = s.receivers[t.port](msg, more)
	}
	switch {
	case room == core.Taken && !more:
		s.waited(t)
		s.end(to, t)
	case room == core.Gone:
		s.end(to, t)
	case room == core.Taken:
		t.begun = true
	}
	return room
}

// replyStream replies to a message of a stream. If the client does not read, a single response cuts the stream; one of
// several waits until there is room.
func (s *Shard) replyStream(t *target, msg []byte, more bool) core.Room {
	if more || t.begun {
		if fits, open := s.tcp.Room(t.conn, len(msg)); !open {
			return core.Gone
		} else if !fits {
			return core.Full
		}
	}
	open := false
	if more {
		open = s.tcp.Part(t.conn, msg)
	} else {
		open = s.tcp.Reply(t.conn, msg)
	}
	if !open {
		return core.Gone
	}
	return core.Taken
}
