package core

import (
	"heimdall/core/policy"
	"heimdall/core/wire"
)

// admit tells whether a message may cost anything at all. It comes before everything else: what a flood sends
// beyond its rate costs no more than its reception.
func (e *Engine) admit(r *Request) bool {
	switch e.Limiter.Admit(e.now, r.Client, r.Stream) {
	case policy.Admitted:
		return true
	case policy.Denied:
		e.count.Denied++
	case policy.Slipped:
		if e.refusals > 0 && r.query.Parse(r.Msg) == wire.QueryOK {
			e.refusals--
			e.count.Queries++
			e.count.Slipped++
			e.slip(r)
			return false
		}
		e.count.Limited++
	default:
		e.count.Limited++
	}
	r.Outcome, r.stage = Drop, stageDrop
	return false
}

// slip answers a query above its client's rate with nothing but TC. The XDP program does the same, octet for octet.
func (e *Engine) slip(r *Request) {
	q := &r.query
	r.Response = wire.AppendError(r.Buf, q, wire.RcodeNoError, wire.FlagTC)
	if q.EDNS {
		r.Response = wire.AppendOPT(r.Response, wire.OPT{UDPSize: e.UDPPayload, DO: q.DO})
	}
	e.tally(wire.RcodeNoError)
	e.count.Truncated++
	r.Outcome, r.stage = Send, stageDrop
}
