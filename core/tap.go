package core

import "heimdall/core/wire"

// Tap is told of what clients ask and get, where responses leave. The shard implements it. Arguments are borrowed for the
// call.
type Tap interface{ Exchange(x *Exchange) }

// Exchange is a client's query, or the response to it, or both at once. Questions from inside are none.
type Exchange struct {
	Tag      uint32 // of the request that is being handled; of no meaning if To is set
	To       Target // of a client that has waited; zero: it has not
	Query    []byte // as it came; nil: its client has waited, and the query was told of when that began
	Response []byte // as it leaves; nil: the client begins to wait
	Question int    // octets at the start of Query and Response, header and question; no more than a header if there is no question

	Flags  uint16 // of the query
	DO     bool   // likewise
	Source Source
	Rcode  wire.Rcode // with the bits that the OPT has
	Secure bool       // the answer was validated
	EDE    wire.EDE   // of the response
}

// tapRequest tells of a request that is being handled: it has its response, or its client begins to wait.
func (e *Engine) tapRequest(r *Request, rcode wire.Rcode, code wire.EDE) {
	if r.inquiry != nil {
		return
	}
	e.exchange = Exchange{
		Tag: r.Tag, Query: r.Msg, Response: r.Response, Question: max(r.query.End, wire.HeaderLen),
		Flags: r.flags, DO: r.do, Source: r.source, Rcode: rcode, Secure: r.secure, EDE: code,
	}
	if r.Outcome == Wait {
		e.exchange.Response = nil
	}
	e.Tap.Exchange(&e.exchange)
}

// tapWaiter tells of the response to a client that has waited.
func (e *Engine) tapWaiter(w *waiter, msg []byte, rcode wire.Rcode, code wire.EDE) {
	if w.inside {
		return
	}
	e.exchange = Exchange{
		To: w.to, Response: msg, Question: wire.HeaderLen + int(w.nameLen) + 4,
		Flags: w.flags, DO: w.do, Source: w.source, Rcode: rcode, Secure: w.secure, EDE: code,
	}
	e.Tap.Exchange(&e.exchange)
}
