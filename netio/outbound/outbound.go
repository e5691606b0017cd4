// Package outbound carries a shard's queries to other servers: datagrams, each from
// a random source port of its own (RFC 5452, section 9.2) or from one of a few
// shared ones, and streams when an answer does not fit a datagram (RFC 7766). It is driven by the shard's poller, never
// blocks, and looks into messages no further than the ID by which the responses
// of one stream are told apart.
package outbound

import (
	"errors"
	"net/netip"
	"time"
)

// Rand is a source of unpredictable numbers: who can predict it can forge answers.
type Rand interface{ Uint64() uint64 }

// Sink takes what other servers send. Its methods may call Pick, Own, Send,
// Release and Stream.
type Sink interface {
	// UpstreamDatagram hands over a datagram that came to socket sock, from
	// whomever. msg is valid during the call.
	UpstreamDatagram(sock uint16, from netip.AddrPort, msg []byte)

	// UpstreamRefused says that the query that was given to Own as ref reached
	// nobody: an ICMP message about it came, which whoever knows the port can send.
	// Its socket is closed.
	UpstreamRefused(ref uint64)

	// UpstreamStream ends the query that was given to Stream as ref, with a
	// message that carries its ID or with an error: one of this package's or a
	// syscall.Errno. msg is valid during the call.
	UpstreamStream(ref uint64, msg []byte, err error)
}

// The errors of streams.
var (
	// ErrTimeout means the deadline passed.
	ErrTimeout = errors.New("no answer in time")
	// ErrClosed means the server closed a new connection without an answer.
	ErrClosed = errors.New("connection closed by the server")
	// ErrMalformed means what came was no stream of DNS messages, or many
	// messages that nobody had asked for.
	ErrMalformed = errors.New("malformed stream")
	// ErrLimit means MaxStreams, MaxPerServer or the memory for them is used up.
	ErrLimit = errors.New("too many streams")
	// ErrMessage means the message is not 2 to 65535 octets long.
	ErrMessage = errors.New("message length out of range")
)

// Options configure one pool. Zero values take the default named.
type Options struct {
	// Rand chooses ports and sockets. Required.
	Rand Rand

	// Ports is how many sockets of one query each may be open, at most 32768.
	// Default 4096.
	Ports int

	// Sockets is how many shared source ports are in use at once for each address
	// family, at most 4096. They are opened as they are first picked. Default 16.
	Sockets int
	// UsesPerSocket is how many datagrams leave from one port before it is
	// replaced. Default 512.
	UsesPerSocket int
	// MaxAge is how long a port is used. Default 30 s.
	MaxAge time.Duration
	// Grace is how long a replaced port, and that of a query that is not answered,
	// still take answers; it should be as long as the resolver waits for one.
	// Default 5 s. As many replaced ports as
	// Sockets are kept; when that is not enough, those that are owed no answer
	// close early, and if there is none, ports are used beyond UsesPerSocket.
	Grace time.Duration
	// MinPort and MaxPort bound the source ports. Default 1024 to 65535.
	MinPort, MaxPort uint16

	// Bind4 and Bind6 are the source addresses. Default: the kernel's choice.
	Bind4, Bind6 netip.Addr
	// NoIPv4 and NoIPv6 keep an address family from being used.
	NoIPv4, NoIPv6 bool
	// RcvBuf is the receive buffer of one shared socket in bytes. Default: the
	// kernel's.
	RcvBuf int

	// MaxStreams is how many connections may be open. At the limit the one longest
	// idle makes room. Default 64.
	MaxStreams int
	// MaxPerServer is how many of them may lead to one server. Default 8.
	MaxPerServer int
	// MaxInFlight is how many queries may be in flight on one connection.
	// Default 32.
	MaxInFlight int
	// IdleStream is how long a connection without queries stays open, if the
	// server does not close it. Default 10 s.
	IdleStream time.Duration
}

const (
	defaultMinPort = 1024
	defaultMaxPort = 65535

	// maxSockets and maxPorts keep all socket numbers below noSocket: the shared ones
	// of two families, in use and replaced, and those of one query.
	maxSockets = 4096
	maxPorts   = 32768
)

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
	set(&o.Ports, 4096)
	o.Ports = min(o.Ports, maxPorts)
	set(&o.Sockets, 16)
	o.Sockets = min(o.Sockets, maxSockets)
	set(&o.UsesPerSocket, 512)
	setDuration(&o.MaxAge, 30*time.Second)
	setDuration(&o.Grace, 5*time.Second)
	if o.MinPort == 0 {
		o.MinPort = defaultMinPort
	}
	if o.MaxPort == 0 {
		o.MaxPort = defaultMaxPort
	}
	set(&o.MaxStreams, 64)
	set(&o.MaxPerServer, 8)
	set(&o.MaxInFlight, 32)
	setDuration(&o.IdleStream, 10*time.Second)
	return o
}

// Descriptors returns how many file descriptors a pool with these options uses
// at most: Ports, for each address family Sockets in use and Sockets replaced, and
// MaxStreams. With the defaults 4096 + 2*2*16 + 64 = 4224.
func (o Options) Descriptors() int {
	o = o.withDefaults()
	families := 2
	if o.NoIPv4 {
		families--
	}
	if o.NoIPv6 {
		families--
	}
	return o.Ports + families*2*o.Sockets + o.MaxStreams
}

// Stats are the counters of one pool.
type Stats struct {
	// Now.
	Ports    int // sockets of one query each
	Sockets  int // shared ports in use, both families
	Retired  int // replaced ports that still take answers
	Streams  int // connections, those being made included
	InFlight int // queries in flight on streams
	Buffered int // bytes held for streams

	// Datagrams, since the start.
	Opened     uint64 // ports opened
	OpenErrors uint64 // ports that could not be opened
	Unbound    uint64 // of those opened, how many were chosen by the kernel: random ports were taken
	Sent       uint64 // taken by the kernel
	SendDrops  uint64 // lost because the kernel had no room, which counts as loss on the way
	SendErrors uint64 // refused: no route, not permitted, too large
	Received   uint64 // handed to the sink
	Oversize   uint64 // longer than a receive buffer; cut, and marked as truncated
	SockErrors uint64 // pending errors (ICMP) that a call met and ignored

	PortsRefused uint64 // queries not sent: ErrLimit of Own
	PortsEvicted uint64 // sockets of overdue queries that were closed to make room
	Unreachable  uint64 // queries that ICMP says reached nobody

	// Streams, since the start.
	Connects    uint64 // connections begun
	Asked       uint64 // queries taken
	Answered    uint64 // of these answered
	Failed      uint64 // of these ended with an error other than ErrTimeout
	TimedOut    uint64 // of these ended with ErrTimeout
	Reused      uint64 // of these sent on a connection that had answered before
	Retried     uint64 // moved to a new connection because a reused one was closed
	Unsolicited uint64 // messages with an ID that nobody had asked with; ignored
	Refused     uint64 // queries not taken: ErrLimit
	Evicted     uint64 // idle connections closed to make room
}
