package core

import (
	"net/netip"

	"heimdall/core/policy"
	"heimdall/core/wire"
)

// The decisions about a message, in the order of Engine.decide. Each returns onward, for the next one, or where the
// response comes from.

// admit decides whether a message may cost anything at all: what a flood sends beyond its rate costs no more than its
// reception.
func (e *Engine) admit(r *Request) stage {
	if e.Limiter == nil {
		return onward
	}
	return e.limit(r)
}

func (e *Engine) limit(r *Request) stage {
	if r.inquiry != nil {
		return onward
	}
	switch e.Limiter.Admit(e.now, r.Client, r.Stream) {
	case policy.Admitted:
		return onward
	case policy.Denied:
		e.count.Denied++
		return ended
	case policy.Slipped:
		if e.refusals > 0 && r.query.Parse(r.Msg) == wire.QueryOK {
			e.refusals--
			return e.slip(r)
		}
	}
	e.count.Limited++
	return ended
}

// slip answers a query above its client's rate with nothing but TC. The XDP program does the same, octet for octet.
func (e *Engine) slip(r *Request) stage {
	e.count.Queries++
	e.count.Slipped++
	r.asker.set(&r.query, r.Stream)
	return send(e, r, wire.AppendError(r.Buf, &r.query, wire.RcodeNoError, wire.FlagTC), wire.RcodeNoError, wire.EDEOther, "")
}

// read decides whether a message is a query as it can be answered: one question, and opcode QUERY.
func (e *Engine) read(r *Request) stage {
	verdict := r.query.Parse(r.Msg)
	if verdict == wire.QueryShort || verdict == wire.QueryResponse {
		return e.ignore(verdict)
	}
	e.count.Queries++
	r.asker.set(&r.query, r.Stream)
	if verdict == wire.QueryOK {
		e.count.Types[min(int(r.query.Type), OtherTypes)]++
		return onward
	}
	return e.unreadable(r, verdict)
}

func (e *Engine) ignore(v wire.Verdict) stage {
	if v == wire.QueryShort {
		e.count.Short++
	} else {
		e.count.Responses++
	}
	return ended
}

func (e *Engine) unreadable(r *Request, v wire.Verdict) stage {
	switch v {
	case wire.QueryNotImp:
		e.count.NotImp++
		return r.fail(otherOpcode)
	case wire.QueryBadVers:
		e.count.BadVers++
		return r.fail(otherVersion)
	}
	e.count.FormErr++
	return r.fail(malformed)
}

// particulars decides about questions of class CH: everybody may know what this server tells of itself (RFC 4892).
func (e *Engine) particulars(r *Request) stage {
	if r.query.Class != wire.ClassCH {
		return onward
	}
	return e.localOrRefused(r)
}

// localOrRefused stays a call, so that particulars need not be one for other classes.
//
//go:noinline
func (e *Engine) localOrRefused(r *Request) stage {
	if next := e.localName(r); next != onward {
		return next
	}
	return r.fail(prohibited)
}

// zoneOf decides whether a zone that is served here has the name. What zones have is everybody's.
func (e *Engine) zoneOf(r *Request) stage {
	if e.Zones == nil {
		return onward
	}
	return e.locate(r)
}

func (e *Engine) locate(r *Request) stage {
	ref := e.Zones.Locate(&r.query)
	if ref.Zone() == nil {
		return onward
	}
	r.located = int32(len(e.located))
	e.located = append(e.located, ref)
	return toZone
}

// mayRecurse decides whether the client may ask for what others have to be asked about.
func (e *Engine) mayRecurse(r *Request) stage {
	q := &r.query
	if q.Class != wire.ClassIN || !e.Recursion {
		return r.fail(prohibited)
	}
	if r.stranger = !e.ACL.Contains(netip.AddrFrom16(r.Client)) && !r.trusted(); r.stranger {
		return r.fail(prohibited)
	}
	if q.Type.IsMeta() && q.Type != wire.TypeANY {
		// Transfers need zones; OPT, TSIG and the like are not data (RFC 6895, section 3.1).
		return r.fail(prohibited)
	}
	return onward
}

// localName decides whether the table of local names has an answer.
func (e *Engine) localName(r *Request) stage {
	v := e.Local.Lookup(&r.query)
	if !v.Found() {
		return onward
	}
	r.verdict = v
	return toLocal
}

// identify is what is left to do: the question gets the key under which the cache has its answer, if it has one.
func (e *Engine) identify(r *Request) stage {
	// Field by field: a literal would be built aside and copied, which costs as much as the lookup's hash.
	q, k := &r.query, &r.key
	k.Name, k.Type, k.Class, k.DO, k.CD = q.Name, q.Type, q.Class, q.DO, q.Flags&wire.FlagCD != 0
	r.hash = e.answers.Hash(k)
	return toCache
}
