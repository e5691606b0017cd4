package core

import (
	"fmt"
	"net/netip"

	"heimdall/core/cache"
	"heimdall/core/resolver"
	"heimdall/core/wire"
)

// Resolve resolves q anew and calls done with the steps when it has ended; see resolver.Machine.Trace. Nothing of
// it gets into the answer cache, and nothing of what is known here is looked at first.
func (e *Engine) Resolve(now int64, q *resolver.Question, done func(*resolver.Trace)) bool {
	e.setTime(now)
	ok := e.resolver.Trace(now, q, done)
	e.perform()
	return ok
}

// Trace does with q what is done with a client's query that wants recursion, but for the cache: it tells what that
// has, and resolves anew what has to be resolved. An invalid client stands for one that may use recursion. It calls
// done with all steps, at once or later. False if that cannot be begun now; done is not called then.
func (e *Engine) Trace(now int64, q *resolver.Question, client netip.Addr, done func(*resolver.Trace)) bool {
	e.setTime(now)
	msg := wire.AppendQuery(nil, 0, wire.FlagRD, q.Name, q.Type, q.Class)
	query := wire.Query{Msg: msg, End: len(msg), Flags: wire.FlagRD, Name: q.Name, Type: q.Type, Class: q.Class, DO: q.DO}
	if q.CD {
		query.Flags |= wire.FlagCD
	}
	told := &tracing{q: q, flags: wire.FlagQR | query.Flags, done: done}
	allowed := e.Recursion && (!client.IsValid() || e.ACL.Contains(client))
	if allowed {
		told.flags |= wire.FlagRA
	}
	if e.Zones != nil {
		if ref := e.Zones.Locate(&query); ref.Zone() != nil {
			reply, rcode, _ := e.Zones.AppendReplyAt(&ref, nil, &query, wire.MaxLen, told.flags)
			zone := "the zone " + ref.Zone().Origin().String() + ", which is served here"
			if rcode == wire.RcodeServFail {
				return told.end(reply, rcode, zone, "no version of the zone could be loaded", wire.EDENotReady)
			}
			if !ref.Away() || !allowed {
				return told.end(reply, rcode, zone, "answered out of the zone", wire.EDEOther)
			}
			return e.resolveFor(told, zone+"; its alias leads elsewhere")
		}
	}
	switch {
	case !e.Recursion:
		return told.refuse("nobody: no zone has the name, and there is no recursion (recursion.enabled)")
	case !allowed:
		return told.refuse(fmt.Sprintf("nobody: no zone has the name, and %v may not use recursion (recursion.allow)", client))
	}
	if v := e.Local.Lookup(&query); v.Found() {
		route, text := "a special name (local.special_names)", "answered from here, as RFC 6761 and 6303 say"
		if !e.special(&query).Found() {
			route, text = "type ANY (server.minimal_any)", "answered from here, as RFC 8482 says"
		}
		return told.end(v.AppendReply(nil, &query, told.flags), v.Rcode(), route, text, wire.EDEOther)
	}
	return e.resolveFor(told, e.resolver.RouteOf(q))
}

// tracing is a trace in the making.
type tracing struct {
	q     *resolver.Question
	flags uint16 // of a response
	done  func(*resolver.Trace)
}

// end hands over a trace of a question that nobody has to be asked about.
func (t *tracing) end(msg []byte, rcode wire.Rcode, route, text string, code wire.EDE) bool {
	t.done(&resolver.Trace{
		Route: route,
		Steps: []resolver.Step{{Kind: "here", Name: t.q.Name.String(), Type: t.q.Type, Text: text}},
		Answer: resolver.Answer{
			Msg: msg, Rcode: rcode, EDE: code, EDEText: text, Failed: rcode == wire.RcodeServFail,
		},
	})
	return true
}

// refuse hands over the trace of a question that is refused.
func (t *tracing) refuse(route string) bool {
	msg := wire.AppendQuery(nil, 0, t.flags|uint16(wire.RcodeRefused), t.q.Name, t.q.Type, t.q.Class)
	return t.end(msg, wire.RcodeRefused, route, "refused", wire.EDEProhibited)
}

// resolveFor resolves the question of a trace, and tells beside what the cache has.
func (e *Engine) resolveFor(t *tracing, route string) bool {
	key := cache.Key{Name: t.q.Name, Type: t.q.Type, Class: t.q.Class, DO: t.q.DO, CD: t.q.CD}
	cached := "nothing"
	switch state := e.answers.Peek(e.answers.Hash(&key), &key, e.nowSec, &e.hit); state {
	case cache.Fresh:
		cached = fmt.Sprintf("%v for %d s more, which clients get", e.hit.Rcode, e.hit.TTL)
	case cache.Stale:
		cached = fmt.Sprintf("%v, stale", e.hit.Rcode)
	}
	return e.Resolve(e.now, t.q, func(tr *resolver.Trace) {
		tr.Route, tr.Cached = route, cached
		t.done(tr)
	})
}
