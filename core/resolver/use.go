package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// use goes on with what a response, which came through exchange e, says.
func (m *Machine) use(e int32, resp *response) {
	x := m.exchanges.at(e)
	i := x.task
	t := m.tasks.at(i)
	if m.reroute(i) {
		m.start(i)
		return
	}
	r, ok := m.route(i)
	if !ok {
		m.useless(e, servers.FailLame, resp.rcode)
		return
	}
	f := m.findings.take()
	defer m.findings.give()
	if x.skip > 0 {
		m.useMinimised(e, f, resp, &r)
		return
	}
	m.scrub(f, t, t.current(), t.typ, resp, &r)
	if r.kind != forward {
		f.out = m.authority(e, f, resp, &r)
	} else if f.referred && !m.last(i, &r) || f.upward && resp.flags&wire.FlagRA == 0 {
		f.out = outLame // Perhaps it does no recursion; if it is the only server, it is believed, unless it refers to the root.
	}
	switch {
	case f.out == outLame || f.out == outReferral && !m.recursive():
		m.useless(e, servers.FailLame, resp.rcode)
		return
	case f.out == outMalformed:
		m.useless(e, servers.FailMalformed, resp.rcode)
		return
	}
	if !m.confirmed(e, f, resp) {
		m.drop(e)
		m.resume(i)
		return
	}
	if f.out == outReferral {
		m.refer(i, f, resp, &r)
		return
	}
	if t.depth == primeDepth && f.out == outAnswer {
		m.delegations.learn(m.delegations.at(i), t, resp, dname.Root(), &r, wire.Answer, m.now)
	}
	if f.out == outAnswer && r.kind == iterate {
		m.delegations.keepOwn(t, m.delegations.at(i), resp, &r, m.now)
	}
	f.name, f.source, f.rank, f.do = t.current(), x.server, resp.rank(), x.edns && t.wantsDO(&m.trust)
	f.chain = r.kind == forward && !dname.Equal(f.target, f.name)
	m.conclude(i, f)
}

// confirmed says whether a finding may be taken: with fewer bits to guess than a question in mixed letter case has, two
// responses have to agree.
func (m *Machine) confirmed(e int32, f *finding, resp *response) bool {
	x := m.exchanges.at(e)
	t := m.tasks.at(x.task)
	if x.lowered && t.plain == plainOff && !(x.cookie && m.servers.At(x.server).Cookie.Returned(resp.cookie)) {
		t.plain = plainFirst
	}
	if t.plain == plainOff {
		return true
	}
	first := t.plain == plainFirst
	if !t.agrees(f) {
		if a := t.tried.Of(x.server); first {
			m.servers.OnceMore(a)
		}
		return false
	}
	for n := range t.tried.All() {
		if a := &t.tried.All()[n]; a.Case == servers.CaseLost {
			m.plainCase(a.Server)
		}
	}
	return true
}

// useMinimised goes on with the response to a question for an ancestor of the name (RFC 9156, section 2.3).
func (m *Machine) useMinimised(e int32, f *finding, resp *response, r *route) {
	x := m.exchanges.at(e)
	i := x.task
	t := m.tasks.at(i)
	m.scrub(f, t, t.current()[x.skip:], x.typ, resp, r)
	switch {
	case f.out == outReferral:
		m.refer(i, f, resp, r)
		return
	case f.out == outLame || f.out == outMalformed:
		m.useless(e, servers.FailLame, resp.rcode)
		return
	case f.rcode == wire.RcodeNXDomain:
		if int(t.asked) == 1 && f.out == outNegative && r.zone.IsRoot() {
			f.rank, f.do = resp.rank(), x.edns && t.wantsDO(&m.trust)
			m.known.remember(t, f, dnssec.Unchecked, m.now) // what deniedAbove looks for
		}
		t.plainNames = true // Servers that deny empty non-terminals are still about.
	}
	// There is no zone cut here: ask for more labels.
	if m.tracer.on() {
		m.tracer.note(m.now, t, "minimised", "no zone cut at "+t.current()[x.skip:].String()+": the same zone is asked for more labels")
	}
	m.dropAll(t)
	for n := range t.tried.All() {
		t.tried.All()[n].Tries = 0
	}
	t.asked++
	t.chosen = false
	m.advance(i)
}

// refer goes on with the servers of the zone that a referral leads to.
func (m *Machine) refer(i int32, f *finding, resp *response, r *route) {
	t := m.tasks.at(i)
	if m.tracer.on() {
		m.tracer.note(m.now, t, "referral", "to the servers of "+f.child.String())
	}
	m.known.keepReferral(t, resp, f.child, r.zone, m.now)
	if !m.delegations.learn(m.delegations.at(i), t, resp, f.child, r, wire.Authority, m.now) {
		m.dropAll(t)
		m.advance(i)
		return
	}
	m.dropAll(t)
	below := t.below
	t.restart()
	t.delegated, t.below = true, below
	m.delegations.look(t, m.delegations.at(i), m.now)
	m.advance(i)
}

// follow goes on with the name that a finding's aliases lead to.
func (m *Machine) follow(i int32, f *finding) {
	if !m.extend(i, f) {
		m.tooLong(i)
		return
	}
	m.start(i)
}

// extend adds the aliases of a finding to the chain of a task, whose present name is then the one that they lead to; false
// if it got too long.
func (m *Machine) extend(i int32, f *finding) bool {
	t := m.tasks.at(i)
	t.bogus, t.faulty = dnssec.ReasonNone, 0 // The aliases are believed, whatever other servers have said.
	t.aliases += uint8(aliasesOf(f.records))
	if t.aliases > maxChain || len(m.chains.get(t.chain))+len(f.records) > chainLimit || !m.hold(i, len(f.records), t.depth > 0) {
		return false
	}
	m.chains.extend(&t.chain, f.records)
	if m.tracer.on() {
		m.tracer.note(m.now, t, "alias", "to "+f.target.String())
	}
	m.dropAll(t)
	// Who asks a parent for the address of a server in a zone that has no other asks it for the alias as well.
	above, plain := t.above, t.plainNames
	kept := t.depth > 0 && above != noLimit && f.target.In(t.current().Suffix(int(above)+1))
	t.setCurrent(f.target)
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
