package core

import (
	"net/netip"

	"heimdall/core/cache"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// Handle takes a batch of requests through the stages: parse all, look up all, build all. The first touch of
// each entry's memory is a stage of its own, so that the misses of the CPU's cache overlap. It never blocks
// and does not allocate.
func (e *Engine) Handle(now int64, reqs []Request) {
	e.setTime(now)
	e.refusals = e.RefusalsPerRound >> e.Pressure
	e.located = e.located[:0]
	for i := range reqs {
		if r := &reqs[i]; e.admit(r) {
			e.parse(r)
		}
	}
	zone.Prefetch(e.located)
	for i := range reqs {
		if r := &reqs[i]; r.stage == stageLookup {
			e.answers.Prefetch(r.hash)
		}
	}
	for i := range reqs {
		if r := &reqs[i]; r.stage == stageLookup {
			e.answers.PrefetchEntry(r.hash)
		}
	}
	for i := range reqs {
		e.build(&reqs[i])
	}
}

// parse decides where a request goes.
func (e *Engine) parse(r *Request) {
	q := &r.query
	r.Outcome = Drop
	r.stage = stageError
	verdict := q.Parse(r.Msg)
	switch verdict {
	case wire.QueryShort:
		e.count.Short++
		r.stage = stageDrop
		return
	case wire.QueryResponse:
		e.count.Responses++
		r.stage = stageDrop
		return
	}
	e.count.Queries++
	r.asker.set(q, r.Stream)
	switch verdict {
	case wire.QueryFormErr:
		e.count.FormErr++
		r.rcode = wire.RcodeFormErr
		return
	case wire.QueryNotImp:
		e.count.NotImp++
		r.rcode = wire.RcodeNotImp
		return
	case wire.QueryBadVers:
		e.count.BadVers++
		r.rcode = wire.RcodeBadVers
		return
	}
	if q.Class == wire.ClassCH {
		e.parseLocal(r)
		return
	}
	r.rcode = wire.RcodeRefused
	if e.Zones != nil {
		if ref := e.Zones.Locate(q); ref.Zone() != nil {
			r.located = len(e.located)
			e.located = append(e.located, ref)
			r.stage = stageZone
			return
		}
	}
	if q.Class != wire.ClassIN || !e.Recursion {
		return
	}
	if !e.ACL.Contains(netip.AddrFrom16(r.Client)) {
		r.stranger = true
		return
	}
	if q.Type.IsMeta() && q.Type != wire.TypeANY {
		// Transfers need zones; OPT, TSIG and the like are not data (RFC 6895, section 3.1).
		return
	}
	if e.parseLocal(r); r.stage == stageLocal {
		return
	}
	// Field by field: a literal would be built aside and copied, which costs as much as the lookup's hash.
	k := &r.key
	k.Name, k.Type, k.Class, k.DO, k.CD = q.Name, q.Type, q.Class, q.DO, q.Flags&wire.FlagCD != 0
	r.hash = e.answers.Hash(&r.key)
	r.stage = stageLookup
}

// parseLocal looks a query up among the local names.
func (e *Engine) parseLocal(r *Request) {
	if v := e.Local.Lookup(&r.query); v.Found() {
		r.verdict = v
		r.stage = stageLocal
	} else {
		r.rcode = wire.RcodeRefused
	}
}

// build makes the response, or parks the request.
func (e *Engine) build(r *Request) {
	switch r.stage {
	case stageError:
		if e.Pressure > 0 && !e.allowed(r) {
			return
		}
		if r.rcode == wire.RcodeRefused {
			e.count.Refused++
			e.sendError(r, r.rcode, wire.EDEProhibited, "")
			return
		}
		e.sendError(r, r.rcode, wire.EDEOther, "")
	case stageLocal:
		e.count.Local++
		msg := r.verdict.AppendReply(r.Buf, &r.query, e.flags(&r.asker))
		e.send(r, msg, r.verdict.Rcode(), wire.EDEOther, "")
	case stageZone:
		e.sendZone(r)
	case stageLookup:
		e.lookup(r)
	}
}

// sendZone builds a response from the zones that are served here. They are everybody's: RA tells each client
// whether it could have asked for recursion too.
func (e *Engine) sendZone(r *Request) {
	buf := r.Buf
	if r.Stream {
		buf = e.scratch[:0]
	}
	r.stranger = e.Recursion && !e.ACL.Contains(netip.AddrFrom16(r.Client))
	flags := e.flags(&r.asker)
	limit := e.limit(&r.asker)
	if r.edns {
		limit -= wire.OPTLen
	}
	ref := &e.located[r.located]
	msg, rcode, _ := e.Zones.AppendReplyAt(ref, buf, &r.query, limit, flags)
	if e.goesOn(r, ref) {
		e.goOn(r)
		return
	}
	e.count.Zone++
	if wire.Flags(msg)&wire.FlagTC != 0 {
		e.count.Truncated++
	}
	code := wire.EDEOther
	if rcode == wire.RcodeServFail {
		code = wire.EDENotReady // RFC 8914, section 4.15
	}
	e.send(r, msg, rcode, code, "")
}

// lookup answers from the cache, or parks the request.
func (e *Engine) lookup(r *Request) {
	switch e.answers.Lookup(r.hash, &r.key, e.nowSec, &r.hit) {
	case cache.Fresh:
		e.count.Hits++
		e.sendHit(r, 0)
		e.maybePrefetch(r)
		return
	case cache.Stale:
		if r.hit.Held && e.StaleTTL > 0 {
			e.count.StaleHits++
			e.sendHit(r, e.StaleTTL)
			return
		}
	}
	if r.flags&wire.FlagRD == 0 {
		// Only what is known is told to those who do not ask for recursion.
		if e.snoop(r) {
			return
		}
		e.count.Refused++
		e.sendError(r, wire.RcodeRefused, wire.EDENotAuthoritative, "")
		return
	}
	e.park(r)
}

// sendHit builds a response from the cache entry; staleTTL is 0 for a fresh one.
func (e *Engine) sendHit(r *Request, staleTTL uint32) {
	code := r.hit.EDE
	if staleTTL > 0 {
		code = staleCode(r.hit.Rcode)
	}
	if r.hit.Len(&r.query)+plainOPT+len(r.hit.Text) <= cap(r.Buf) {
		msg := e.answers.AppendReply(r.Buf, &r.hit, &r.query, e.answerFlags(&r.asker, r.hit.Rcode), staleTTL)
		e.tally(r.hit.Rcode)
		r.Response = finish(e, msg, &r.asker, r.hit.Rcode, code, r.hit.Text)
		r.Outcome = Send
		return
	}
	e.sendLarge(r, e.answers.AppendReply(e.scratch[:0], &r.hit, &r.query, e.answerFlags(&r.asker, r.hit.Rcode), staleTTL), r.hit.Rcode, code)
}

// sendLarge is send for a message that was built in e.scratch.
func (e *Engine) sendLarge(r *Request, msg []byte, rcode wire.Rcode, code wire.EDE) {
	e.send(r, msg, rcode, code, "")
	if !r.Stream {
		r.Response = append(r.Buf, r.Response...) // it was truncated to what fits
	}
}

// snoop answers with what the resolver knows, without asking anybody.
func (e *Engine) snoop(r *Request) bool {
	q := e.lowered(&r.key)
	ans, ok := e.resolver.Snoop(e.now, &q)
	if ok {
		e.count.Hits++
		msg := append(e.scratch[:0], ans.Msg...)
		copy(msg[wire.HeaderLen:], r.query.Name)
		wire.SetID(msg, r.id)
		flags := e.flags(&r.asker) | uint16(ans.Rcode)&wire.RcodeMask
		if ans.AD && r.wantsAD() {
			flags |= wire.FlagAD
		}
		wire.SetFlags(msg, flags)
		e.sendLarge(r, msg, ans.Rcode, wire.EDEOther)
	}
	e.resolver.Clear()
	return ok
}

// send finishes msg and makes it the response.
func (e *Engine) send(r *Request, msg []byte, rcode wire.Rcode, code wire.EDE, text string) {
	e.tally(rcode)
	r.Response = e.finish(msg, &r.asker, rcode, code, text)
	r.Outcome = Send
}

func (e *Engine) sendError(r *Request, rcode wire.Rcode, code wire.EDE, text string) {
	r.Response = e.errorTo(r.Buf, &r.query, &r.asker, rcode, code, text)
	r.Outcome = Send
}

// staleCode is the extended error of a stale answer (RFC 8914, sections 4.4 and 4.20).
func staleCode(rcode wire.Rcode) wire.EDE {
	if rcode == wire.RcodeNXDomain {
		return wire.EDEStaleNXDomain
	}
	return wire.EDEStaleAnswer
}
