package core

import "heimdall/core/wire"

// Counters tell what became of clients' messages.
type Counters struct {
	Queries   uint64 // messages that were parsed as queries
	Hits      uint64 // answered from the cache, fresh
	StaleHits uint64 // answered from the cache, expired (RFC 8767)
	Zone      uint64 // answered from a zone that is served here
	Local     uint64 // answered here: special names, CHAOS, ANY
	Misses    uint64 // had to wait for another server
	Refused   uint64 // REFUSED
	FormErr   uint64
	NotImp    uint64
	BadVers   uint64
	Short     uint64 // dropped: no whole header
	Responses uint64 // dropped: QR set
	Denied    uint64 // dropped: the client is on the deny list
	Limited   uint64 // dropped: above the client's rate
	Slipped   uint64 // above the client's rate, and answered with TC
	InFlight  uint64 // SERVFAIL: no room for another query in flight
	Expired   uint64 // SERVFAIL: waited too long for its turn
	Share     uint64 // SERVFAIL or dropped: the client has more than its share of the miss path
	Dropped   uint64 // refusals and errors that were dropped without a response
	Prefetch  uint64 // refreshes of hot entries that were begun
	Truncated uint64 // responses with TC
	Answered  uint64 // clients that waited and got an answer
	Failed    uint64 // clients that waited and got SERVFAIL
	Rcodes    [wire.RcodeBadVers + 1]uint64
	Types     [OtherTypes + 1]uint64 // of Queries that were understood, by the type asked for
}

// OtherTypes is the place in Counters.Types of all types that have none of their own.
const OtherTypes = int(wire.TypeCAA) + 1

// Counters returns a copy.
func (e *Engine) Counters() Counters { return e.count }
