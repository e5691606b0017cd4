package core

import (
	"net/netip"

	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/policy"
	"heimdall/core/resolver"
	"heimdall/core/wire"
)

// park puts a request aside until its client's turn to ask other servers comes. A client with more than its
// share of the queue is refused.
func (e *Engine) park(r *Request) stage {
	if r.inquiry != nil {
		return e.inquire(r)
	}
	if e.draining {
		return r.fail(shuttingDown)
	}
	n, ok := e.takeWaiter()
	if !ok {
		e.count.InFlight++
		return r.fail(tooManyInFlight)
	}
	w := e.waiters.At(n)
	w.asker = r.asker
	w.hold(&r.key, r.hash)
	switch verdict, evicted := e.queue.Push(netip.AddrFrom16(r.Client), n, e.now); verdict {
	case policy.ParkedEvicting:
		// Misses will tell it, after the responses of this batch.
		e.count.Share++
		e.evicted = append(e.evicted, evicted)
	case policy.RefusedShare:
		e.count.Share++
		e.putWaiter(n)
		return r.fail(aboveShare)
	case policy.RefusedFull:
		e.count.InFlight++
		e.putWaiter(n)
		return r.fail(tooManyWaiting)
	}
	e.count.Misses++
	w.to = e.performer.Hold(r.Tag)
	r.Outcome, r.To = Wait, w.to
	if e.Tap != nil {
		e.tapRequest(r, wire.RcodeNoError, wire.EDEOther)
	}
	return ended
}

// Queued returns how many queries wait for their turn.
func (e *Engine) Queued() int { return e.queue.Stats().Parked }

// maxParked is the time in nanoseconds that a query may wait for its turn. What waits longer would be
// answered to a client that has asked again.
const maxParked = int64(2e9)

// Misses begins up to budget of the parked queries, each client in turn, and then of the refreshes that hits have asked
// for. It returns how many it ended or began.
func (e *Engine) Misses(now int64, budget int) (work int) {
	e.setTime(now)
	for _, n := range e.evicted {
		e.fail(n, aboveShare)
	}
	e.evicted = e.evicted[:0]
	for ; work < budget; work++ {
		n, ok := e.queue.Expire(now - maxParked)
		if !ok {
			break
		}
		e.count.Expired++
		e.fail(n, waitedTooLong)
	}
	for ; work < budget; work++ {
		n, client, ok := e.queue.Pop()
		if !ok {
			break
		}
		w := e.waiters.At(n)
		w.fair = client
		w.state = waiterAsked
		e.begin(n, w)
	}
	for ; work < budget && len(e.refreshes) > 0; work++ {
		e.refresh()
	}
	return work
}

// begin asks the resolver for what waiter n wants, unless the answer has come since it was parked.
func (e *Engine) begin(n uint32, w *waiter) {
	key := w.key()
	state := e.answers.Peek(w.hash, &key, e.nowSec, &e.hit)
	if state == cache.Fresh {
		e.count.Answered++
		e.replyHit(n, w, 0)
		e.release(n, w)
		return
	}
	q := e.lowered(&key)
	switch e.resolver.Begin(e.now, &q, n) {
	case resolver.Full:
		e.count.InFlight++
		e.fail(n, tooManyInFlight)
	case resolver.NoGroup:
		e.fail(n, noServer)
	default:
		if state == cache.Stale && e.StaleAfter > 0 {
			e.performer.Timer(staleRef(n, w), e.now+e.StaleAfter)
		}
		e.perform()
	}
}

// lowered is key as the resolver wants it; the name is in e.lower.
func (e *Engine) lowered(key *cache.Key) resolver.Question {
	e.lower = dname.AppendLower(e.lower[:0], key.Name)
	return resolver.Question{Name: e.lower, Type: key.Type, Class: key.Class, DO: key.DO, CD: key.CD, View: key.View}
}
