package resolver

import (
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// advance sends the next query of a task that waits for nothing, or ends it.
func (m *Machine) advance(i int32) {
	t := m.tasks.at(i)
	if m.reroute(i) {
		m.start(i)
		return
	}
	r, ok := m.route(i)
	if (!ok || r.kind == stub) && m.locate(i, r.group) {
		r, ok = m.route(i)
	}
	if !ok {
		m.fail(i, wire.EDENoReachableAuthority, "no server is configured for the name")
		return
	}
	if !m.tasks.affordable(t) {
		if t.depth > 0 { // That says nothing about its question.
			m.end(i)
			return
		}
		m.stats.WorkLimit++
		m.fail(i, wire.EDEOther, "the limit of queries to other servers was reached")
		return
	}
	c := m.servers.Pick(r.servers, &t.tried, m.now, m.rnd)
	if c.Pressing() {
		if r.kind == iterate && m.widen(i, &r, &c) || r.kind == stub && m.settle(i) {
			return
		}
		if !c.Found() {
			m.exhausted(i, &c)
			return
		}
		if r, ok = m.route(i); !ok { // Sub-tasks have used the list of servers.
			return
		}
	}
	if r.kind == iterate && !t.chosen {
		t.chosen = true
		t.minimise(r.zone.Labels(), m.options.PlainNames)
	}
	if !m.send(i, c.Server, &r) {
		m.fail(i, wire.EDENotReady, "too many queries to other servers in flight")
		return
	}
	m.probe(i, &r)
	m.arm(i)
}

// exhausted goes on with a task that has no server left to ask: it waits for those that may be slow, or ends.
func (m *Machine) exhausted(i int32, c *servers.Choice) {
	t := m.tasks.at(i)
	if m.mayYetAnswer(t) {
		m.arm(i)
		return
	}
	switch {
	case c.Full && !t.hasFail && t.queries == 0:
		m.fail(i, wire.EDENoReachableAuthority, "all servers for the name are silent, and many questions wait for them")
		return
	case m.delegations.allUnasked(t, i):
		m.fail(i, wire.EDENoReachableAuthority, "all servers for the name have addresses that recursion.do_not_query forbids")
		return
	}
	code, text := t.cause()
	m.fail(i, code, text)
}

// send queries a server; false if there is no room for another exchange.
func (m *Machine) send(i, server int32, r *route) bool {
	t := m.tasks.at(i)
	for t.nflights >= maxFlights {
		m.drop(m.exchanges.oldest(t))
	}
	e := m.exchanges.add()
	if e < 0 {
		if t.nflights == 0 {
			return false
		}
		m.drop(m.exchanges.oldest(t))
		e = m.exchanges.add()
	}
	srv := m.servers.At(server)
	a := t.tried.Of(server)
	x := m.exchanges.at(e)
	x.task, x.server, x.next, t.flights = i, server, t.flights, e
	x.typ, x.sent, x.stream, x.recurse = t.typ, m.now, a.Stream, r.kind == forward
	x.zone = uint8(r.zone.Labels())
	if r.kind == iterate {
		if full := t.current(); int(t.asked) < full.Labels() {
			if x.typ = wire.TypeA; t.typedNS { // RFC 9156, section 2.1: a type that tells nothing.
				x.typ = wire.TypeNS
			}
			x.skip = uint8(len(full) - len(full.Suffix(int(t.asked))))
		}
	}
	t.nflights++
	srv.Sent(m.now)
	m.stats.Sent++
	m.tasks.charge(t)
	if a.Tries > 0 {
		m.stats.Retransmits++
	}
	m.dress(x, t, a)
	a.Tries++
	wait := m.servers.Window(server)
	if x.stream {
		wait = min(3*wait, servers.MaxRTO) // a handshake more, and room for one repeated segment
		m.stats.Streams++
	}
	if len(r.servers) > 1 { // Leave the others time to answer.
		wait = min(wait, (t.deadline-m.now)/2)
	}
	x.due = min(m.now+wait, t.deadline)
	if m.tracer.on() {
		m.tracer.query(m.now, t, x, srv.Addr())
	}
	m.actions = append(m.actions, Action{
		Kind: Query, Ref: makeRef(0, x.gen, e), Server: srv.Addr(), Stream: x.stream, Shared: !x.stream && x.shielded(srv), At: x.due,
	})
	return true
}

// dress decides with what a query goes to its server: EDNS, a cookie, mixed letter case.
func (m *Machine) dress(x *exchange, t *task, a *servers.Attempt) {
	srv := m.servers.At(x.server)
	if x.edns = srv.EDNS.Use(m.now) && !a.NoEDNS; x.edns && a.Tries >= 2 && srv.EDNS.State() == servers.Unknown && !a.Stream {
		x.edns = false // RFC 6891, section 6.2.2: some middle box may drop what it does not know.
	}
	x.cookie = x.edns && !a.NoCookie && !m.options.NoCookies && srv.Cookies.Use(m.now) && (a.Tries == 0 || srv.Cookies.State() == servers.Works)
	if !m.options.PlainCase && t.plain == plainOff && srv.LetterCase.Use(m.now) {
		// Some servers drop or refuse questions in mixed case.
		if x.lowered = srv.LetterCase.State() == servers.Unknown && !a.Stream && (a.Case == servers.CaseRefused || a.Silent); !x.lowered {
			x.caseOf = m.rnd.Uint64() | 1
		}
	}
}

// useless ends exchange e, whose server could not help, and goes on to another.
func (m *Machine) useless(e int32, why servers.Failure, rcode wire.Rcode) {
	x := m.exchanges.at(e)
	i := x.task
	t := m.tasks.at(i)
	m.servers.At(x.server).Failed(why)
	if m.tracer.on() {
		m.tracer.server(m.now, t, "retry", m.servers.At(x.server).Addr(), "of no use: "+why.String())
	}
	if x.skip > 0 && why != servers.FailNetwork && why != servers.FailTruncated { // It may be the minimised question that it dislikes.
		m.dropAll(t)
		t.tried.Clear()
		if t.typedNS {
			t.plainNames, t.chosen = true, false
		}
		t.typedNS = true
		m.advance(i)
		return
	}
	if t.mayMindCase(x, m.servers.At(x.server), why) {
		t.tried.Of(x.server).Case = servers.CaseRefused
		m.again(e)
		return
	}
	m.forwarders.noteRefusal(t, x.server, why)
	t.tried.Of(x.server).Excluded = true
	t.lastFail, t.lastRcode, t.hasFail = why, rcode, true
	m.drop(e)
	m.resume(i)
}

// again ends exchange e and asks the same server at once, in the way that its attempt now says.
func (m *Machine) again(e int32) {
	x := m.exchanges.at(e)
	i, server := x.task, x.server
	t := m.tasks.at(i)
	if m.tracer.on() {
		m.tracer.again(m.now, t, x, m.servers.At(server).Addr())
	}
	m.drop(e)
	if m.reroute(i) {
		m.start(i)
		return
	}
	a := t.tried.Of(server)
	m.servers.OnceMore(a)
	r, ok := m.route(i)
	if !ok || !m.tasks.affordable(t) || !m.send(i, server, &r) {
		m.resume(i)
		return
	}
	m.arm(i)
}

// resume goes on with a task one of whose exchanges has ended.
func (m *Machine) resume(i int32) {
	if m.exchanges.pending(m.tasks.at(i)) {
		m.arm(i)
		return
	}
	m.advance(i)
}

// probe asks, beside the server that was chosen, one that is down and due to be tried again, so that no
// client has to wait for it to fail.
func (m *Machine) probe(i int32, r *route) {
	t := m.tasks.at(i)
	for _, s := range r.servers {
		if !m.servers.At(s).ProbeDue(m.now) || !m.tasks.affordable(t) {
			continue
		}
		if n, _ := m.servers.Tries(&t.tried, s); n > 0 {
			continue
		}
		if m.send(i, s, r) {
			m.stats.Probes++
			m.exchanges.at(t.flights).probe = true
		}
		return
	}
}

// mayYetAnswer says whether a server that a task has asked in vain so far may still answer: it may be slow, or busy
// asking others.
func (m *Machine) mayYetAnswer(t *task) bool {
	for x := t.flights; x >= 0; x = m.exchanges.at(x).next {
		s := m.exchanges.at(x).server
		if n, _ := m.servers.Tries(&t.tried, s); n > 0 && !t.tried.Of(s).Excluded && !m.servers.Crowded(s) {
			return true
		}
	}
	return false
}
