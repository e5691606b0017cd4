package core

import (
	"heimdall/core/cache"
	"heimdall/core/resolver"
	"heimdall/core/wire"
)

// source says where those who waited for an answer get it from.
type source uint8

const (
	itself source = iota // the answer as the resolver gave it
	kept                 // the cache, which has it now: the first client gets the TTLs that all others get
	old                  // the cache, which has something older that is better
)

// resolved takes an answer of the resolver's to the cache and to those who wait for it. What changes an answer for everybody
// belongs before keep; what changes it for one client, before tell.
func (e *Engine) resolved(a *resolver.Action) {
	q := &a.Question
	key := cache.Key{Name: q.Name, Type: q.Type, Class: q.Class, DO: q.DO, CD: q.CD, View: q.View}
	from := e.keep(&key, &a.Answer)
	for _, n := range a.Waiters {
		e.tell(n, from, &a.Answer)
	}
}

// keep puts an answer into the cache, and says from where it is told.
func (e *Engine) keep(key *cache.Key, ans *resolver.Answer) source {
	hash := e.answers.Hash(key)
	if ans.Failed && e.holdOld(hash, key) {
		return old
	}
	put := cache.Uncacheable
	if ttl := min(ans.TTL, e.FailureTTL); ans.Cacheable && (!ans.Failed || ttl > 0) {
		put = e.answers.Put(hash, key, ans.Msg, cache.Meta{AD: ans.AD, EDE: ans.EDE, Text: ans.EDEText, TTL: ttl, Depends: ans.Depends}, e.nowSec)
	}
	switch {
	case ans.Failed:
		return itself
	case put != cache.Stored:
		// It cannot be kept, for its TTL is 0 or it is too large, but it says that what is there is not true any more.
		e.answers.Remove(hash, key)
		return itself
	case e.answers.Peek(hash, key, e.nowSec, &e.hit) == cache.Fresh:
		return kept
	}
	return itself
}

// tell gives waiter n its response, if it has none yet, and frees it.
func (e *Engine) tell(n uint32, from source, ans *resolver.Answer) {
	w := e.waiters.At(n)
	if w.inside {
		defer e.recount(e.count)
	}
	switch {
	case w.state == waiterServed:
	case from == kept:
		e.count.Answered++
		e.replyHit(n, w, 0)
	case from == old:
		e.count.Answered++
		e.replyHit(n, w, e.StaleTTL)
	default:
		e.replyAnswer(n, w, ans)
	}
	e.release(n, w)
}

// replyAnswer sends an answer to a waiter.
func (e *Engine) replyAnswer(n uint32, w *waiter, ans *resolver.Answer) {
	if ans.Rcode == wire.RcodeServFail {
		e.count.Failed++
	} else {
		e.count.Answered++
	}
	w.source, w.secure = FromOthers, ans.AD
	reply(e, n, e.appendAnswer(e.scratch[:0], &w.asker, w.name(), ans), ans.Rcode, ans.EDE, ans.EDEText)
}

// replyHit sends the entry in e.hit to a waiter; staleTTL is 0 for a fresh one.
func (e *Engine) replyHit(n uint32, w *waiter, staleTTL uint32) {
	q := w.query(e.asked)
	code := e.hit.EDE
	w.source, w.secure = FromOthers, e.hit.AD
	if staleTTL > 0 {
		w.source, code = FromStale, staleCode(e.hit.Rcode)
	}
	msg := e.answers.AppendReply(e.scratch[:0], &e.hit, &q, e.answerFlags(&w.asker, e.hit.Rcode), staleTTL)
	reply(e, n, msg, e.hit.Rcode, code, e.hit.Text)
}

// fail sends SERVFAIL to a waiter and frees it.
func (e *Engine) fail(n uint32, why failure) {
	w := e.waiters.At(n)
	e.replyFailure(n, w, why)
	e.release(n, w)
}

// abandon sends SERVFAIL to a waiter that the resolver or the queue still knows, and leaves it to them.
func (e *Engine) abandon(n uint32) {
	w := e.waiters.At(n)
	e.replyFailure(n, w, shuttingDown)
	w.state = waiterServed
}

func (e *Engine) replyFailure(n uint32, w *waiter, why failure) {
	if w.inside {
		defer e.recount(e.count)
	}
	e.count.Failed++
	f := &failures[why]
	msg := wire.AppendQuery(e.scratch[:0], w.id, e.flags(&w.asker)|uint16(f.rcode), w.name(), w.typ, w.class)
	reply(e, n, msg, f.rcode, f.code, f.text)
}

// release frees a waiter that needs nothing more.
func (e *Engine) release(n uint32, w *waiter) {
	if w.state != waiterQueued && !w.inside {
		e.queue.Release(w.fair)
	}
	e.putWaiter(n)
}
