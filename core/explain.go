package core

import (
	"net/netip"
	"slices"

	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/policy"
	"heimdall/core/resolver"
	"heimdall/core/wire"
)

// Case is a query of a client's that nobody has sent.
type Case struct {
	resolver.Question
	Client netip.Addr
	Stream bool // over TCP and the like
}

// Explanation is what would become of a Case, and why. What lies behind From has not been looked at, and is empty.
type Explanation struct {
	Admission policy.Admission
	From      Source
	Rcode     wire.Rcode // with Response
	Response  []byte     // what the client would get, with admission; nil: nothing, or others have to be asked

	Zone     dname.Name // that is served here and has the name; nil: none
	Serial   uint32
	NotReady bool // no version of it could be loaded
	Away     bool // an alias in it leads to a name elsewhere

	May    bool   // the client may use recursion
	Failed string // why an error is the answer, in the words of the extended error; may be empty

	Cached  *cache.Info // what the answer cache has; nil: nothing, or it was not looked at
	AtOnce  bool        // Cached is stale, and given all the same
	Records resolver.Known
	Plan    resolver.Plan // who is asked, and how that is validated; of FromCache, FromOthers and FromKnown
}

// Source is where the response to a Case comes from.
type Source uint8

// The sources of responses, in the order in which they are looked at.
const (
	FromNobody Source = iota // no response at all
	FromError                // nowhere: it is refused, or no query
	FromZone
	FromLocal // the table of local names
	FromCache
	FromOthers // they have to be asked
	FromStale  // the cache, whose data has expired
	FromKnown  // what the resolver knows; only of an Explanation, elsewhere it is FromOthers
)

// String returns the source as the query log has it.
func (s Source) String() string {
	return [...]string{"none", "none", "zone", "local", "cache", "upstream", "stale", "known"}[s]
}

// Explain takes a Case through the decisions about a client's query, as Handle does. Nothing is counted, limited, learned,
// asked or sent.
func (e *Engine) Explain(now int64, c *Case) *Explanation {
	e.setTime(now)
	x := &Explanation{Admission: e.Limiter.Look(now, c.Client.As16(), c.Stream)}
	count, limiter, refusals, pressure, tap := e.count, e.Limiter, e.refusals, e.Pressure, e.Tap
	e.Limiter, e.refusals, e.Pressure, e.Tap = nil, 1, 0, nil // an error would be sent: whether there is room for it just now is luck
	defer func() {
		e.count, e.Limiter, e.refusals, e.Pressure, e.Tap = count, limiter, refusals, pressure, tap
	}()

	i := Inquiry{Question: c.Question}
	e.located = e.located[:0]
	r := &Request{Msg: i.message(), Client: c.Client.As16(), Stream: c.Stream, Buf: make([]byte, 0, max(int(e.UDPPayload), wire.MinUDPSize))}
	r.stage = e.decide(r)
	e.explain(r, x)
	if x.Response = append(x.Response, r.Response...); len(x.Response) >= wire.HeaderLen {
		x.Rcode = wire.RcodeOf(wire.Flags(x.Response))
	}
	x.May = !r.stranger && e.Recursion
	return x
}

// explain goes on with a request as Engine.answer does, as far as that changes nothing.
func (e *Engine) explain(r *Request, x *Explanation) {
	next := r.stage
	if next == toZone {
		z := e.located[r.located].Zone()
		x.From, x.Zone, x.Serial, x.NotReady = FromZone, slices.Clone(z.Origin()), z.Serial(), !z.Ready()
		if next = e.answerZone(r); next != ended {
			x.Away = true
		}
	}
	if next == toLocal {
		x.From = FromLocal
		next = e.answerLocal(r)
	}
	if next == toCache {
		next = e.explainCache(r, x)
	}
	if next == toMiss {
		if x.From = FromOthers; e.draining {
			next = r.fail(shuttingDown)
		}
		q := e.lowered(&r.key)
		if x.Plan, x.Records = e.resolver.Plan(e.now, &q); x.Plan.Foreseen.On != resolver.OnOthers {
			x.From = FromKnown
		}
	}
	if next == toError {
		x.From, x.Failed = FromError, failures[r.failure].text
		e.answerError(r)
	}
}

// explainCache is answerCached for a request that wants recursion, and leaves the entry as it is.
func (e *Engine) explainCache(r *Request, x *Explanation) stage {
	info, ok := e.answers.Inspect(&r.key, e.nowSec)
	if !ok {
		return toMiss
	}
	x.Cached = &info
	switch e.answers.Peek(r.hash, &r.key, e.nowSec, &r.hit) {
	case cache.Fresh:
		x.From = FromCache
		e.sendHit(r, 0)
	case cache.Stale:
		if x.AtOnce = e.staleAtOnce(&r.hit); !x.AtOnce {
			return toMiss
		}
		x.From = FromCache
		e.sendHit(r, e.StaleTTL)
	default:
		return toMiss
	}
	q := e.lowered(&r.key)
	x.Plan, x.Records = e.resolver.Plan(e.now, &q)
	return ended
}
