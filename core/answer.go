package core

import (
	"net/netip"

	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// The places where responses come from, in the order of Engine.answer. Each has the response leave, or returns a place
// further on.

// answerZone answers from the zones that are served here. They are everybody's: RA tells each client whether it could
// have asked for recursion too.
func (e *Engine) answerZone(r *Request) stage {
	buf := r.Buf
	if r.Stream {
		buf = e.scratch[:0]
	}
	r.stranger = e.Recursion && !e.ACL.Contains(netip.AddrFrom16(r.Client)) && !r.trusted()
	room := e.room(&r.asker)
	if r.edns {
		room -= wire.OPTLen
	}
	ref := &e.located[r.located]
	msg, rcode, _ := e.Zones.AppendReplyAt(ref, buf, &r.query, room, e.flags(&r.asker))
	if e.goesOn(r, ref) {
		r.own = true
		return r.unlessAnew(e.identify(r))
	}
	e.count.Zone++
	r.source = FromZone
	code := wire.EDEOther
	if rcode == wire.RcodeServFail {
		code = wire.EDENotReady // RFC 8914, section 4.15
	}
	return send(e, r, msg, rcode, code, "")
}

// goesOn tells whether the client of a request that a zone answers with an alias to a name elsewhere is told more than
// the zone knows (RFC 1034, section 4.3.2, step 3a): if it wants recursion, and may use it.
func (e *Engine) goesOn(r *Request, ref *zone.Ref) bool {
	return ref.Away() && r.flags&wire.FlagRD != 0 && e.Recursion && !r.stranger && !e.draining
}

// answerLocal answers with what the table of local names has.
func (e *Engine) answerLocal(r *Request) stage {
	e.count.Local++
	r.source = FromLocal
	msg := r.verdict.AppendReply(r.Buf, &r.query, e.flags(&r.asker))
	return send(e, r, msg, r.verdict.Rcode(), wire.EDEOther, "")
}

// answerCached answers from the cache, if what it has will do.
func (e *Engine) answerCached(r *Request) stage {
	switch e.answers.Lookup(r.hash, &r.key, e.nowSec, &r.hit) {
	case cache.Fresh:
		e.count.Hits++
		e.sendHit(r, 0)
		e.maybePrefetch(r)
		return ended
	case cache.Stale:
		if e.staleAtOnce(&r.hit) {
			e.count.StaleHits++
			return e.sendHit(r, e.StaleTTL)
		}
	}
	if r.flags&wire.FlagRD == 0 {
		return e.answerKnown(r)
	}
	return toMiss
}

// staleAtOnce tells whether a stale entry is given without asking others before: they were asked a moment ago.
func (e *Engine) staleAtOnce(h *cache.Hit) bool { return h.Held && e.StaleTTL > 0 }

// sendHit sends the cache entry in r.hit; staleTTL is 0 for a fresh one.
func (e *Engine) sendHit(r *Request, staleTTL uint32) stage {
	code := r.hit.EDE
	r.source, r.secure = FromCache, r.hit.AD
	if staleTTL > 0 {
		r.source, code = FromStale, staleCode(r.hit.Rcode)
	}
	flags := e.answerFlags(&r.asker, r.hit.Rcode)
	if r.hit.Len(&r.query)+plainOPT+len(r.hit.Text) <= cap(r.Buf) {
		return send(e, r, e.answers.AppendReply(r.Buf, &r.hit, &r.query, flags, staleTTL), r.hit.Rcode, code, r.hit.Text)
	}
	return sendLarge(e, r, e.answers.AppendReply(e.scratch[:0], &r.hit, &r.query, flags, staleTTL), r.hit.Rcode, code, r.hit.Text)
}

// answerKnown answers a client that does not ask for recursion with what the resolver knows, without asking anybody.
func (e *Engine) answerKnown(r *Request) stage {
	q := e.lowered(&r.key)
	next := toError
	if ans, ok := e.resolver.Snoop(e.now, &q); ok {
		e.count.Hits++
		r.source, r.secure = FromCache, ans.AD
		next = sendLarge(e, r, e.appendAnswer(e.scratch[:0], &r.asker, r.query.Name, &ans), ans.Rcode, wire.EDEOther, "")
	} else {
		r.fail(notKnown)
	}
	e.resolver.Clear()
	return next
}

// appendAnswer appends an answer of the resolver's as a client gets it: with its ID, its letter case, and its flags.
func (e *Engine) appendAnswer(dst []byte, a *asker, qname dname.Name, ans *resolver.Answer) []byte {
	flags := e.answerFlags(a, ans.Rcode)
	if ans.AD && a.wantsAD() {
		flags |= wire.FlagAD
	}
	msg := append(dst, ans.Msg...)
	copy(msg[wire.HeaderLen:], qname)
	wire.SetID(msg, a.id)
	wire.SetFlags(msg, flags|uint16(ans.Rcode)&wire.RcodeMask)
	return msg
}

// answerError answers with an error. A batch has an allowance of SERVFAIL responses, and under pressure of errors of all
// kinds; beyond it, requests are dropped. So a flood costs the sending of few responses.
func (e *Engine) answerError(r *Request) {
	f := &failures[r.failure]
	if (e.Pressure > 0 || f.rcode == wire.RcodeServFail) && !e.allowed(r) {
		return
	}
	if f.rcode == wire.RcodeRefused {
		e.count.Refused++
	}
	msg := wire.AppendError(r.Buf, &r.query, f.rcode&15, e.flags(&r.asker)&wire.FlagRA|r.flags&wire.FlagCD)
	send(e, r, msg, f.rcode, f.code, f.text)
}

// allowed takes one from the batch's allowance of responses without an answer. When none is left, the
// request is dropped. Clients on streams wait for each response, and there are few of them.
func (e *Engine) allowed(r *Request) bool {
	if r.Stream {
		return true
	}
	if e.refusals == 0 {
		e.count.Dropped++
		return false
	}
	e.refusals--
	return true
}

// staleCode is the extended error of a stale answer (RFC 8914, sections 4.4 and 4.20).
func staleCode(rcode wire.Rcode) wire.EDE {
	if rcode == wire.RcodeNXDomain {
		return wire.EDEStaleNXDomain
	}
	return wire.EDEStaleAnswer
}
