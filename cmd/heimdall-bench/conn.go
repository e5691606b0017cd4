package main

import "net/netip"

// batch is how many messages one system call moves at most. Servers read about
// as many, and the generator's own share of the work is small by then.
const batch = 32

// conn is one source of queries towards one server: a UDP socket or a TCP
// connection. Not safe for concurrent use.
type conn interface {
	// queue copies a message for the next flush; false when there is no room.
	queue(msg []byte) bool
	// flush hands what is queued to the kernel. It returns how many messages, from
	// the first on, are on their way; the others are forgotten.
	flush() int
	// receive returns the messages that have come, valid until the next call. It
	// never blocks. Lost means that nothing sent before will be answered any more.
	receive(now int64) (msgs [][]byte, lost bool)
	// arrived returns when the kernel had message i of the last receive, in ns since 1970; 0: it was not asked.
	arrived(i int) int64
	close()
}

// pending is a query that waits for its reply.
type pending struct {
	at  int64 // ns on the run's clock: when the schedule wanted it sent; 0: none waits
	key uint64
}

// line is a conn and the queries that wait on it, by ID.
type line struct {
	conn
	next uint16 // ID of the next query
	wait [1 << 16]pending
}

// dialer opens connections from a local address, which may be the zero value.
type dialer func(local netip.Addr, server netip.AddrPort) (conn, error)
