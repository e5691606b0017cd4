package core

import (
	"net/netip"

	"heimdall/core/cache"
	"heimdall/core/resolver"
	"heimdall/core/wire"
)

// Receive takes a datagram that came from another server through the outbound socket sock. It says whether the query that
// it answers, or tries to, has ended with it.
func (e *Engine) Receive(now int64, sock uint16, from netip.AddrPort, msg []byte) (done bool) {
	e.setTime(now)
	done = e.resolver.Receive(now, sock, from, msg)
	e.perform()
	return done
}

// Refused says that the query ref reached nobody, as the network tells.
func (e *Engine) Refused(now int64, ref uint64) {
	e.setTime(now)
	e.resolver.Refused(now, ref)
	e.perform()
}

// ReceiveStream takes the response to the stream query ref, or the reason why there is none.
func (e *Engine) ReceiveStream(now int64, ref uint64, msg []byte, err error) {
	e.setTime(now)
	e.resolver.ReceiveStream(now, ref, msg, err)
	e.perform()
}

// SendFailed says that the query ref could not be sent after all.
func (e *Engine) SendFailed(now int64, ref uint64, why resolver.Obstacle) {
	e.setTime(now)
	e.resolver.SendFailed(now, ref, why)
	e.perform()
}

// Fire is called when a timer of Performer.Timer is due.
func (e *Engine) Fire(now int64, ref uint64) {
	e.setTime(now)
	if n, ours := e.staleWaiter(ref); ours {
		e.serveStale(n, uint32(ref>>32))
		return
	}
	e.resolver.Fire(now, ref)
	e.perform()
}

// unsent is a query that could not be sent.
type unsent struct {
	ref uint64
	why resolver.Obstacle
}

// perform does what the resolver wants done.
func (e *Engine) perform() {
	for {
		e.unsent, e.unverified = e.unsent[:0], e.unverified[:0]
		for i := 0; i < len(e.resolver.Actions()); i++ {
			switch a := &e.resolver.Actions()[i]; a.Kind {
			case resolver.Query:
				if why := e.performer.Query(a); why != resolver.NoObstacle {
					e.unsent = append(e.unsent, unsent{a.Ref, why})
				}
			case resolver.Verify:
				if a.Waiter != resolver.NoWaiter {
					a.Job.Client = e.queue.Address(e.waiters.slot[a.Waiter].fair)
				}
				if !e.performer.Verify(a.Ref, a.Job) {
					e.unverified = append(e.unverified, unverified{a.Ref, a.Job})
				}
			case resolver.Timer:
				e.performer.Timer(a.Ref, a.At)
			case resolver.Respond:
				e.respond(a)
			}
		}
		e.resolver.Clear()
		if len(e.unsent) == 0 && len(e.unverified) == 0 {
			return
		}
		// Each failed query uses up one of its task's attempts: this ends.
		for _, u := range e.unsent {
			e.resolver.SendFailed(e.now, u.ref, u.why)
		}
		for _, u := range e.unverified {
			e.resolver.Verified(e.now, u.ref, u.job)
		}
		clear(e.unverified)
	}
}

// respond caches what a task has found out, and tells those who wait for it.
func (e *Engine) respond(a *resolver.Action) {
	q, ans := &a.Question, &a.Answer
	key := cache.Key{Name: q.Name, Type: q.Type, Class: q.Class, DO: q.DO, CD: q.CD, View: q.View}
	hash := e.answers.Hash(&key)
	if ans.Failed && e.holdOld(hash, &key) {
		for _, n := range a.Waiters {
			if w := &e.waiters.slot[n]; w.state == waiterServed {
				e.release(n, w)
			} else {
				e.replyHit(n, w, e.StaleTTL)
			}
		}
		return
	}
	put, kept := cache.Uncacheable, false
	if ttl := min(ans.TTL, e.FailureTTL); ans.Cacheable && (!ans.Failed || ttl > 0) {
		put = e.answers.Put(hash, &key, ans.Msg, cache.Meta{AD: ans.AD, EDE: ans.EDE, Text: ans.EDEText, TTL: ttl, Depends: ans.Depends}, e.nowSec)
		// What was kept is told from the cache, so that the first client gets the TTLs that all others get.
		kept = put == cache.Stored && !ans.Failed && e.answers.Peek(hash, &key, e.nowSec, &e.hit) == cache.Fresh
	}
	if put != cache.Stored && !ans.Failed {
		// It cannot be kept, for its TTL is 0 or it is too large, but it says that what is there is not true any more.
		e.answers.Remove(hash, &key)
	}
	for _, n := range a.Waiters {
		w := &e.waiters.slot[n]
		switch {
		case w.state == waiterServed:
			e.release(n, w)
		case kept:
			e.replyHit(n, w, 0)
		default:
			e.reply(n, w, ans)
		}
	}
}

// reply sends an answer to a waiter and frees it.
func (e *Engine) reply(n uint32, w *waiter, ans *resolver.Answer) {
	if ans.Rcode == wire.RcodeServFail {
		e.count.Failed++
	} else {
		e.count.Answered++
	}
	msg := append(e.scratch[:0], ans.Msg...)
	copy(msg[wire.HeaderLen:], w.name()) // the client's own letter case
	flags := e.answerFlags(&w.asker, ans.Rcode)
	if ans.AD && w.wantsAD() {
		flags |= wire.FlagAD
	}
	wire.SetID(msg, w.id)
	wire.SetFlags(msg, flags|uint16(ans.Rcode&15))
	e.tally(ans.Rcode)
	e.performer.Reply(n, e.finish(msg, &w.asker, ans.Rcode, ans.EDE, ans.EDEText))
	e.release(n, w)
}

// replyHit sends the entry in e.hit to a waiter and frees it.
func (e *Engine) replyHit(n uint32, w *waiter, staleTTL uint32) {
	e.performer.Reply(n, e.hitFor(w, staleTTL))
	e.count.Answered++
	e.release(n, w)
}

// hitFor builds the response to a waiter from the entry in e.hit.
func (e *Engine) hitFor(w *waiter, staleTTL uint32) []byte {
	q := w.query(e.asked)
	code := e.hit.EDE
	if staleTTL > 0 {
		code = staleCode(e.hit.Rcode)
	}
	msg := e.answers.AppendReply(e.scratch[:0], &e.hit, &q, e.answerFlags(&w.asker, e.hit.Rcode), staleTTL)
	e.tally(e.hit.Rcode)
	return finish(e, msg, &w.asker, e.hit.Rcode, code, e.hit.Text)
}

// fail sends SERVFAIL to a waiter and frees it.
func (e *Engine) fail(n uint32, code wire.EDE, text string) {
	w := &e.waiters.slot[n]
	e.replyFailure(n, w, code, text)
	e.release(n, w)
}

// abandon sends SERVFAIL to a waiter that the resolver or the queue still knows, and leaves it to them.
func (e *Engine) abandon(n uint32) {
	w := &e.waiters.slot[n]
	e.replyFailure(n, w, wire.EDENotReady, "shutting down")
	w.state = waiterServed
}

func (e *Engine) replyFailure(n uint32, w *waiter, code wire.EDE, text string) {
	e.count.Failed++
	e.tally(wire.RcodeServFail)
	msg := wire.AppendQuery(e.scratch[:0], w.id, e.flags(&w.asker)|uint16(wire.RcodeServFail), w.name(), w.typ, w.class)
	e.performer.Reply(n, e.finish(msg, &w.asker, wire.RcodeServFail, code, text))
}

// release frees a waiter that needs nothing more.
func (e *Engine) release(n uint32, w *waiter) {
	if w.state != waiterQueued {
		e.queue.Release(w.fair)
	}
	e.waiters.put(n)
}
