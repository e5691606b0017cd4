package core

import (
	"fmt"
	"net/netip"

	"heimdall/core/cache"
	"heimdall/core/resolver"
	"heimdall/core/wire"
)

// Inquiry is a question from inside: an operator's, that of whoever keeps the trust anchors, or of a hit on an entry that
// is about to expire.
type Inquiry struct {
	resolver.Question
	Client  netip.Addr      // for whom it is asked; invalid: for one that may use recursion
	Refresh bool            // what is resolved replaces what the cache has, and nobody waits for it
	Anew    bool            // what has to be resolved is, from the root on, whatever is cached, and leaves the cache as it is
	Watch   *resolver.Trace // is told what is done; implies Anew. nil: nobody is told
}

// anew tells whether the cache neither answers nor learns.
func (q *Inquiry) anew() bool { return q.Anew || q.Watch != nil }

// unlessAnew is next, but for a question from inside that the cache must not answer.
func (r *Request) unlessAnew(next stage) stage {
	if next == toCache && r.inquiry != nil && (r.inquiry.Refresh || r.inquiry.anew()) {
		return toMiss
	}
	return next
}

// trusted tells whether a question is our own, and nobody's who would need permission.
func (r *Request) trusted() bool { return r.inquiry != nil && !r.inquiry.Client.IsValid() }

// Resolve takes a question from inside through the decisions about a client's that wants recursion, but for admission and
// the turn in the queue. The response goes to a target, at once or later; q.Watch belongs to the Engine until then. False
// if it cannot be begun now: the target is not used. No client has sent it: of Counters only Prefetch changes.
func (e *Engine) Resolve(now int64, q *Inquiry, to Target) bool {
	defer e.recount(e.count)
	e.setTime(now)
	e.located = e.located[:0]
	e.inner = Request{Msg: q.message(), Client: q.Client.As16(), Stream: true, To: to, inquiry: q}
	r := &e.inner
	r.stage = r.unlessAnew(e.decide(r))
	e.answer(r)
	if r.Outcome == Drop {
		return false
	}
	if q.Watch != nil {
		e.observe(r, q.Watch)
	}
	if r.Outcome == Send && to != nobody {
		e.performer.Reply(to, r.Response, false)
	}
	e.perform()
	return true
}

// message builds the question as a client sends it.
func (q *Inquiry) message() []byte {
	flags := wire.FlagRD
	if q.CD {
		flags |= wire.FlagCD
	}
	msg := wire.AppendQuery(nil, 0, flags, q.Name, q.Type, q.Class)
	if q.DO {
		msg = wire.AppendOPT(msg, wire.OPT{UDPSize: wire.MinUDPSize, DO: true})
	}
	return msg
}

// inquire begins what others have to be asked for a question from inside. Without room its Outcome stays Drop.
func (e *Engine) inquire(r *Request) stage {
	if e.draining {
		return ended
	}
	q := e.lowered(&r.key)
	if r.inquiry.Refresh {
		if e.resolver.Begin(e.now, &q, resolver.NoWaiter) == resolver.Started {
			e.count.Prefetch++
			r.Outcome = Wait
		}
		return ended
	}
	n, ok := e.takeWaiter()
	if !ok {
		return ended
	}
	w := e.waiters.At(n)
	w.asker = r.asker
	w.hold(&r.key, r.hash)
	w.to, w.inside, w.state = r.To, true, waiterAsked
	status := resolver.Full
	if r.inquiry.anew() {
		status = e.resolver.Anew(e.now, &q, n, r.inquiry.Watch)
	} else {
		status = e.resolver.Begin(e.now, &q, n)
	}
	if status == resolver.Full || status == resolver.NoGroup {
		e.putWaiter(n)
		return ended
	}
	r.Outcome = Wait
	return ended
}

// recount takes the counters back to what they were before a question from inside was handled.
func (e *Engine) recount(before Counters) {
	before.Prefetch = e.count.Prefetch
	e.count = before
}

// observe tells the observer of a question from inside where its response comes from.
func (e *Engine) observe(r *Request, watch *resolver.Trace) {
	watch.Route = e.route(r)
	if r.Outcome == Send {
		watch.Here(&r.inquiry.Question, e.why(r), r.Response)
		return
	}
	watch.Cached = "nothing"
	switch e.answers.Peek(r.hash, &r.key, e.nowSec, &e.hit) {
	case cache.Fresh:
		watch.Cached = fmt.Sprintf("%v for %d s more, which clients get", e.hit.Rcode, e.hit.TTL)
	case cache.Stale:
		watch.Cached = fmt.Sprintf("%v, stale", e.hit.Rcode)
	}
}

// route says in words where the response to a question from inside comes from.
func (e *Engine) route(r *Request) string {
	switch r.stage {
	case toZone:
		route := "the zone " + e.located[r.located].Zone().Origin().String() + ", which is served here"
		if r.Outcome == Wait {
			route += "; its alias leads elsewhere"
		}
		return route
	case toLocal:
		if r.query.Type == wire.TypeANY && !e.special(&r.query).Found() {
			return "type ANY (server.minimal_any)"
		}
		return "a special name (local.special_names)"
	case toError:
		if !e.Recursion {
			return "nobody: no zone has the name, and there is no recursion (recursion.enabled)"
		}
		return fmt.Sprintf("nobody: no zone has the name, and %v may not use recursion (recursion.allow)", r.inquiry.Client)
	}
	return e.resolver.RouteOf(&r.inquiry.Question)
}

// why says in words how a question from inside was answered here.
func (e *Engine) why(r *Request) string {
	switch rcode := wire.RcodeOf(wire.Flags(r.Response)); {
	case r.stage == toZone && rcode == wire.RcodeServFail:
		return "no version of the zone could be loaded"
	case r.stage == toZone:
		return "answered out of the zone"
	case r.stage == toError:
		return "refused"
	case r.query.Type == wire.TypeANY && !e.special(&r.query).Found():
		return "answered from here, as RFC 8482 says"
	}
	return "answered from here, as RFC 6761 and 6303 say"
}
