// Package tcp answers DNS clients over TCP (RFC 7766) inside a shard: one server
// for each shard, driven by the shard's poller, without a goroutine, a lock or a
// blocking call. It moves messages and never looks into them.
//
// A client may send many queries without waiting (pipelining) and gets the
// replies in whatever order they are ready. What one client can make the server
// hold is bounded: connections, queries in flight, octets queued, time.
package tcp

import (
	"time"

	"heimdall/netio"
)

// ConnID names one connection: a slot in its low half and the slot's generation
// in its high half, so that a late reply does not reach the slot's next tenant.
// The zero ConnID names none.
type ConnID uint64

func (id ConnID) slot() int { return int(uint32(id)) }

// next returns the ID of the slot's next tenant.
func (id ConnID) next() ConnID { return id + 1<<32 }

// Sink takes the messages that clients send.
type Sink interface {
	// StreamMessage hands over one message of 1 to 65535 octets. msg is valid
	// during the call, peer until the connection is gone. Every message is in
	// flight until Server.Reply or Server.Done is called for it, within
	// StreamMessage or later. Of the server's methods only Reply, Done and
	// IdleTimeout may be called from here.
	StreamMessage(conn ConnID, peer *netio.Endpoint, msg []byte)
}

// Options are the limits of one server. Zero values take the default named.
type Options struct {
	// MaxConns is how many connections may be open. At the limit the one longest
	// idle makes room; when none is idle, clients wait in the kernel's backlog.
	// Default 1024.
	MaxConns int
	// MaxPerClient is how many of them one client may hold: one IPv4 address, or
	// one IPv6 /64, which is what one site commonly has. Default MaxConns/4.
	MaxPerClient int
	// MaxPipelined is how many queries of one connection may be in flight. At the
	// limit the server stops reading from it. Default 64.
	MaxPipelined int
	// MaxQueued is how many bytes of replies may wait for one client that does
	// not read; beyond it the connection is cut. Default 128 KiB. A single reply
	// is always queued, whatever its size.
	MaxQueued int
	// MaxBuffered is how many bytes all connections together may hold, received
	// and queued. A connection that needs more is cut. Default 16 MiB.
	MaxBuffered int

	// Idle is how long a connection without queries in flight stays open. A query
	// that trickles in does not prolong it. It shrinks to a twentieth as MaxConns
	// comes near. Default 10 s: RFC 7766, section 6.2.3, asks for a few seconds.
	Idle time.Duration
	// Stall is how long a client may take no octet of what waits for it. Default 5 s.
	Stall time.Duration
	// Unanswered is how long a connection waits for its queries in flight while
	// nothing moves. It is a guard against replies that never come, and must be
	// longer than the longest resolution. Default 30 s.
	Unanswered time.Duration
	// Starved is called, on the shard's thread, when a client cannot be accepted for want of a
	// descriptor or of the kernel's memory. It must not wait. Nil: nobody is told.
	Starved func()
}

func (o Options) withDefaults() Options {
	set := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	setDuration := func(v *time.Duration, def time.Duration) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&o.MaxConns, 1024)
	set(&o.MaxPerClient, max(1, o.MaxConns/4))
	set(&o.MaxPipelined, 64)
	set(&o.MaxQueued, 128<<10)
	set(&o.MaxBuffered, 16<<20)
	setDuration(&o.Idle, 10*time.Second)
	setDuration(&o.Stall, 5*time.Second)
	setDuration(&o.Unanswered, 30*time.Second)
	return o
}

// Stats are the counters of one server.
type Stats struct {
	// Now.
	Open     int // connections
	Pending  int // queries in flight
	Buffered int // bytes held for connections

	// Since the start.
	Accepted     uint64 // connections taken from a listener
	Adopted      uint64 // connections taken over from another server
	Refused      uint64 // of these closed at once: the client had MaxPerClient
	Rests        uint64 // times the listeners were left alone: all connections busy, or no descriptor
	Starved      uint64 // times a client could not be accepted for want of a descriptor or of memory
	AcceptErrors uint64 // connections that failed before they were accepted
	Received     uint64 // messages handed to the sink
	Sent         uint64 // replies queued
	Late         uint64 // replies whose connection was gone

	// Why connections ended.
	Finished   uint64 // the client closed it, nothing being owed
	Incomplete uint64 // of these, in the middle of a message
	Lost       uint64 // reset by the client or the network
	Malformed  uint64 // a message of length zero
	Slow       uint64 // more than MaxQueued waited
	Stalled    uint64 // nothing taken for Stall
	Unanswered uint64 // the sink owed replies for Unanswered
	NoBuffer   uint64 // MaxBuffered reached
	Idle       uint64 // idle for the idle timeout
	Evicted    uint64 // idle, and another client needed the room
	Drained    uint64 // by Drain or Close
	Moved      uint64 // to another server, by Leave
}
