package core

import (
	"heimdall/core/cache"
	"heimdall/core/local"
	"heimdall/core/wire"
)

// Outcome says what the shard has to do with a request.
type Outcome uint8

const (
	Drop Outcome = iota // nothing; it has been counted
	Send                // send Request.Response
	Wait                // nothing: the response goes to Request.To, later
)

// Request is one message from a client on its way through the stages of Engine.Handle. A shard makes a
// batch of them once and uses them again and again.
type Request struct {
	// Set by the shard.
	Msg    []byte   // the message; borrowed until Handle returns
	Client [16]byte // its address, IPv4 as ::ffff:a.b.c.d
	Stream bool     // it came over a stream: the response is not truncated
	Tag    uint32   // its number in the batch or the like, for Performer.Hold
	Buf    []byte   // where the response goes: length 0, capacity at least Engine.UDPPayload

	// Set by the Engine.
	Outcome  Outcome
	Response []byte // with Send: in Buf, or in memory of the Engine until the next Handle
	To       Target // with Wait

	asker
	inquiry *Inquiry // a question from inside; nil: it is a client's
	stage   stage
	failure failure       // with toError
	verdict local.Verdict // with toLocal
	query   wire.Query
	key     cache.Key // with toCache, and hash
	hash    uint64
	located int32 // with toZone: in Engine.located
	hit     cache.Hit
}

// stage is where a request goes next.
type stage uint8

const (
	onward  stage = iota // to the next decision
	ended                // nowhere: it has its response, waits for it, or gets none
	toZone               // a zone that is served here answers
	toLocal              // the table of local names answers
	toCache              // the cache answers if it can
	toMiss               // others have to be asked
	toError              // an error response without data
)

// fail sends a request to its error response.
func (r *Request) fail(why failure) stage {
	r.failure = why
	return toError
}

// asker is what has to be known of a query to shape its response.
type asker struct {
	id        uint16
	flags     uint16 // of the query
	udpSize   uint16 // octets that the client takes (RFC 6891, 6.2.3)
	edns, do  bool
	keepAlive bool
	stream    bool
	stranger  bool // it may not use recursion
	own       bool // the answer begins in a zone that is served here
	secure    bool // the answer was validated
	source    Source
}

func (a *asker) set(q *wire.Query, stream bool) {
	a.id, a.flags = q.ID, q.Flags
	a.udpSize = q.UDPSize
	a.edns, a.do = q.EDNS, q.DO
	a.keepAlive = q.KeepAlive
	a.stream = stream
	a.stranger, a.own, a.secure, a.source = false, false, false, FromError
}

// wantsAD tells whether the AD bit means something to the client (RFC 6840, section 5.7).
func (a *asker) wantsAD() bool { return a.do || a.flags&wire.FlagAD != 0 }
