package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// use goes on with what m.response, which came through exchange e, says.
func (m *Machine) use(e int32) {
	x := &m.exchanges.list[e]
	i := x.task
	t := &m.tasks.list[i]
	if m.reroute(i) {
		m.start(i)
		return
	}
	r, ok := m.route(i)
	if !ok {
		m.useless(e, FailLame, m.response.rcode)
		return
	}
	if x.skip > 0 {
		m.useMinimised(e, &r)
		return
	}
	out := m.scrub(t, t.current(), t.typ, &r)
	if r.kind == forward && (m.referred && !m.last(i, &r) || m.upward && m.response.flags&wire.FlagRA == 0) {
		out = outLame // Perhaps it does no recursion; if it is the only server, it is believed, unless it refers to the root.
	}
	if r.kind != forward {
		out = m.authority(e, out, &r)
	}
	switch {
	case out == outLame || out == outReferral && !m.recursive():
		m.useless(e, FailLame, m.response.rcode)
		return
	case out == outMalformed:
		m.useless(e, FailMalformed, m.response.rcode)
		return
	}
	if x.lowered && t.plain == plainOff && !m.ours(x) {
		t.plain = plainFirst // With fewer bits to guess, two responses have to agree.
	}
	if t.plain != plainOff {
		first := t.plain == plainFirst
		if !m.agreed(t) {
			if a := t.attempt(x.server); first {
				m.onceMore(a)
			}
			m.drop(e)
			m.resume(i)
			return
		}
		for n := range t.tried[:t.ntried] {
			if a := &t.tried[n]; a.caseDoubt == caseLost {
				m.plainCase(a.server)
			}
		}
	}
	if out == outReferral {
		m.refer(i, &r)
		return
	}
	if t.depth == primeDepth && out == outAnswer {
		m.learn(&m.delegations[i], t, dname.Root(), &r, wire.Answer)
	}
	if out == outAnswer && r.kind == iterate {
		m.keepOwn(t, &m.delegations[i], &r)
	}
	m.conclude(i, finding{
		out: out, name: t.current(), source: x.server, rank: m.rank(), do: x.edns && m.wantDO(t), chain: !dname.Equal(m.target, t.current()) && r.kind == forward,
	})
}

// rank is the trust in what m.response answers (RFC 2181, section 5.4.1).
func (m *Machine) rank() byte {
	if m.response.flags&wire.FlagAA != 0 {
		return rankAuth
	}
	return rankNonAuth
}

// useMinimised goes on with the response to a question for an ancestor of the name (RFC 9156, section 2.3).
func (m *Machine) useMinimised(e int32, r *route) {
	x := &m.exchanges.list[e]
	i := x.task
	t := &m.tasks.list[i]
	out := m.scrub(t, t.current()[x.skip:], x.typ, r)
	switch {
	case out == outReferral:
		m.refer(i, r)
		return
	case out == outLame || out == outMalformed:
		m.useless(e, FailLame, m.response.rcode)
		return
	case m.rcode == wire.RcodeNXDomain:
		if int(t.asked) == 1 && out == outNegative && r.zone.IsRoot() {
			m.remember(t, &finding{out: out, rank: m.rank(), do: x.edns && m.wantDO(t)}, dnssec.Unchecked) // what deniedAbove looks for
		}
		t.plainNames = true // Servers that deny empty non-terminals are still about.
	}
	// There is no zone cut here: ask for more labels.
	if m.tracer != nil {
		m.traceNote(i, "minimised", "no zone cut at "+t.current()[x.skip:].String()+": the same zone is asked for more labels")
	}
	m.dropAll(t)
	for n := range t.tried[:t.ntried] {
		t.tried[n].tries = 0
	}
	t.asked++
	t.chosen = false
	m.advance(i)
}

// refer goes on with the servers of the zone that a referral, m.cut, leads to.
func (m *Machine) refer(i int32, r *route) {
	t := &m.tasks.list[i]
	if m.tracer != nil {
		m.traceNote(i, "referral", "to the servers of "+m.cut.String())
	}
	m.keepReferral(t, r.zone)
	if !m.learn(&m.delegations[i], t, m.cut, r, wire.Authority) {
		m.dropAll(t)
		m.advance(i)
		return
	}
	m.dropAll(t)
	below := t.below
	t.restart()
	t.cut, t.below = true, below
	m.look(i)
	m.advance(i)
}

// follow goes on with m.target, at which the chain of aliases in m.records ends.
func (m *Machine) follow(i int32) {
	if !m.extend(i) {
		m.tooLong(i)
		return
	}
	m.start(i)
}

// extend adds the aliases in m.records to the chain of t, which goes on at m.target; false if it got too long.
func (m *Machine) extend(i int32) bool {
	t := &m.tasks.list[i]
	t.bogus, t.faulty = dnssec.ReasonNone, 0 // The aliases are believed, whatever other servers have said.
	for rest := m.records; len(rest) > 0; {
		rec, next, _ := rest.next()
		if rec.typ == wire.TypeCNAME {
			t.aliases++
		}
		rest = next
	}
	if t.aliases > maxChain || len(m.chains.get(t.chain))+len(m.records) > chainLimit || !m.hold(i, len(m.records), t.depth > 0) {
		return false
	}
	m.chains.extend(&t.chain, m.records)
	if m.tracer != nil {
		m.step(t, "alias").say("to " + m.target.String())
	}
	m.dropAll(t)
	// Who asks a parent for the address of a server in a zone that has no other asks it for the alias as well.
	above, plain := t.above, t.plainNames
	kept := t.depth > 0 && above != noLimit && m.target.In(t.current().Suffix(int(above)+1))
	t.setCurrent(m.target)
	t.restart()
	if kept {
		t.above, t.plainNames = above, plain
	}
	return true
}

func (m *Machine) tooLong(i int32) {
	m.stats.WorkLimit++
	m.fail(i, wire.EDEOther, "the chain of aliases is too long")
}
