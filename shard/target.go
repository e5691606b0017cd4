package shard

import (
	"heimdall/core"
	"heimdall/netio"
	"heimdall/netio/tcp"
)

// target is where the responses to one request go.
type target struct {
	gen   uint32 // of the place in the table; odd while it is taken
	next  uint32 // free list
	kind  targetKind
	begun bool  // responses have gone there, and others follow
	port  int16 // that the query came through, of a datagram; elsewhere: which of Shard.receivers
	peer  netio.Endpoint
	conn  tcp.ConnID
}

type targetKind uint8

const (
	datagram targetKind = iota
	stream
	elsewhere // a Receiver
)

// targets is a table of fixed size. It has no pointers, so that the collector does not look into it and untouched pages
// stay unmapped.
type targets struct {
	slot  []target
	free  uint32 // first of the free list
	fresh uint32 // slots from here on were never used
}

const noTarget = ^uint32(0)

func newTargets(n int) targets { return targets{slot: make([]target, n), free: noTarget} }

// hold puts t into the table. The zero Target: there is no room.
func (ts *targets) hold(t target) core.Target {
	i := ts.free
	switch {
	case i != noTarget:
		ts.free = ts.slot[i].next
	case int(ts.fresh) < len(ts.slot):
		i = ts.fresh
		ts.fresh++
	default:
		return 0
	}
	at := &ts.slot[i]
	t.gen = at.gen + 1
	*at = t
	return core.Target(t.gen)<<32 | core.Target(i)
}

// find returns the target of that name, or nil if it has ended.
func (ts *targets) find(name core.Target) *target {
	i := int(uint32(name))
	if i >= len(ts.slot) || ts.slot[i].gen != uint32(name>>32) || ts.slot[i].gen&1 == 0 {
		return nil
	}
	return &ts.slot[i]
}

// end frees a target: its name is not found any more.
func (ts *targets) end(name core.Target) {
	t := &ts.slot[uint32(name)]
	t.gen++
	t.next = ts.free
	ts.free = uint32(name)
}

// streamTag is the tag of a request that came over a stream; those of datagrams are their numbers in the batch.
const streamTag = ^uint32(0)

// Hold implements core.Performer.
func (s *Shard) Hold(tag uint32) core.Target {
	if tag == streamTag {
		return s.targets.hold(target{kind: stream, conn: s.conn})
	}
	return s.targets.hold(target{kind: datagram, port: s.port, peer: s.in[tag].Peer})
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
	case room == core.Gone, room == core.Taken && !more:
		s.end(to, t)
	case room == core.Taken:
		t.begun = true
	}
	return room
}

// replyStream replies to a message of a stream. One whose client does not read is cut if that message has one response;
// several wait until there is room.
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
