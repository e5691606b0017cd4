package resolver

import (
	"heimdall/core/wire"
)

// advance sends the next query of a task that waits for nothing, or ends it.
func (m *Machine) advance(i int32) {
	t := &m.tasks.list[i]
	if m.reroute(i) {
		m.start(i)
		return
	}
	r, ok := m.route(i)
	if !ok {
		m.fail(i, wire.EDENoReachableAuthority, "no server is configured for the name")
		return
	}
	if !m.affordable(t) {
		if t.depth > 0 { // That says nothing about its question.
			m.end(i)
			return
		}
		m.stats.WorkLimit++
		m.fail(i, wire.EDEOther, "the limit of queries to other servers was reached")
		return
	}
	c := m.pick(t, r.servers)
	if c.pressing() {
		if r.kind == iterate && m.widen(i, &r, &c) || r.kind == stub && m.settle(i) {
			return
		}
		if c.result != pickOK {
			m.exhausted(i, c.result)
			return
		}
		if r, ok = m.route(i); !ok { // Sub-tasks have used the list of servers.
			return
		}
	}
	if r.kind == iterate && !t.chosen {
		t.chosen = true
		m.minimise(t, r.zone.Labels())
	}
	if !m.send(i, c.server, &r) {
		m.fail(i, wire.EDENotReady, "too many queries to other servers in flight")
		return
	}
	m.probe(i, &r)
	m.arm(i)
}

// exhausted goes on with a task that has no server left to ask: it waits for those that may be slow, or ends.
func (m *Machine) exhausted(i int32, why pickResult) {
	t := &m.tasks.list[i]
	if m.mayYetAnswer(t) {
		m.arm(i)
		return
	}
	if why == pickNone && m.allUnasked(i) {
		m.fail(i, wire.EDENoReachableAuthority, "all servers for the name have addresses that recursion.do_not_query forbids")
		return
	}
	if why == pickSilent {
		m.fail(i, wire.EDENoReachableAuthority, "all servers for the name are silent, and many questions wait for them")
		return
	}
	m.fail(i, m.cause(t), m.causeText(t))
}

// send queries a server; false if there is no room for another exchange.
func (m *Machine) send(i, server int32, r *route) bool {
	t := &m.tasks.list[i]
	for t.nflights >= maxFlights {
		m.dropOldest(t)
	}
	e := m.exchanges.add()
	if e < 0 {
		if t.nflights == 0 {
			return false
		}
		m.dropOldest(t)
		e = m.exchanges.add()
	}
	srv := &m.servers.list[server]
	a := t.attempt(server)
	x := &m.exchanges.list[e]
	x.task, x.server, x.next, t.flights = i, server, t.flights, e
	x.typ, x.sent, x.stream, x.recurse = t.typ, m.now, a.stream, r.kind == forward
	if r.kind == iterate {
		if full := t.current(); int(t.asked) < full.Labels() {
			if x.typ = wire.TypeA; t.typedNS { // RFC 9156, section 2.1: a type that tells nothing.
				x.typ = wire.TypeNS
			}
			x.skip = uint8(len(full) - len(full.Suffix(int(t.asked))))
		}
	}
	t.nflights++
	srv.pins++
	srv.used = m.now
	srv.sent++
	m.stats.Sent++
	m.charge(t)
	if a.tries > 0 {
		m.stats.Retransmits++
	}
	if srv.down {
		srv.probeAt = m.now + max(srv.probeWait, srv.rto())
	}
	if x.edns = srv.useEDNS(m.now) && !a.noEDNS; x.edns && a.tries >= 2 && srv.edns == unknown && !a.stream {
		x.edns = false // RFC 6891, section 6.2.2: some middle box may drop what it does not know.
	}
	x.cookie = x.edns && !a.noCookie && !m.options.NoCookies && srv.useCookie(m.now) && (a.tries == 0 || srv.cookies == works)
	if !m.options.PlainCase && t.plain == plainOff && srv.useCase(m.now) {
		// Some servers drop or refuse questions in mixed case.
		if x.lowered = srv.letterCase == unknown && !a.stream && (a.caseDoubt == caseRefused || a.silent); !x.lowered {
			x.caseOf = m.rnd.Uint64() | 1
		}
	}
	a.tries++
	wait := m.window(srv)
	if x.stream {
		wait = min(3*wait, maxRTO) // a handshake more, and room for one repeated segment
		m.stats.Streams++
	}
	if len(r.servers) > 1 { // Leave the others time to answer.
		wait = min(wait, (t.deadline-m.now)/2)
	}
	x.due = min(m.now+wait, t.deadline)
	if m.tracer != nil {
		m.traceQuery(e)
	}
	x.own = !x.stream && !x.shielded(srv)
	m.actions = append(m.actions, Action{
		Kind: Query, Ref: makeRef(0, x.gen, e), Server: srv.addr, Stream: x.stream, Shared: !x.stream && !x.own, At: x.due,
	})
	return true
}

// dropOldest makes room by giving up on the query of a task that has been out longest.
func (m *Machine) dropOldest(t *task) {
	last := t.flights
	for m.exchanges.list[last].next >= 0 {
		last = m.exchanges.list[last].next
	}
	m.drop(last)
}

// useless ends exchange e, whose server could not help, and goes on to another.
func (m *Machine) useless(e int32, why Failure, rcode wire.Rcode) {
	x := &m.exchanges.list[e]
	i := x.task
	t := &m.tasks.list[i]
	m.servers.list[x.server].failed[why]++
	if m.tracer != nil {
		m.traceServer(e, "retry", "of no use: "+why.String())
	}
	if x.skip > 0 && why != FailNetwork && why != FailTruncated { // It may be the minimised question that it dislikes.
		m.dropAll(t)
		t.ntried = 0
		if t.typedNS {
			t.plainNames, t.chosen = true, false
		}
		t.typedNS = true
		m.advance(i)
		return
	}
	if m.mayMindCase(t, x, why) {
		t.attempt(x.server).caseDoubt = caseRefused
		m.again(e)
		return
	}
	m.noteRefusal(t, x.server, why)
	t.attempt(x.server).excluded = true
	t.lastFail, t.lastRcode, t.hasFail = why, rcode, true
	m.drop(e)
	m.resume(i)
}

// again ends exchange e and asks the same server at once, in the way that its attempt now says.
func (m *Machine) again(e int32) {
	x := &m.exchanges.list[e]
	i, server := x.task, x.server
	t := &m.tasks.list[i]
	if m.tracer != nil {
		m.traceAgain(e)
	}
	m.drop(e)
	if m.reroute(i) {
		m.start(i)
		return
	}
	a := t.attempt(server)
	m.onceMore(a)
	r, ok := m.route(i)
	if !ok || !m.affordable(t) || !m.send(i, server, &r) {
		m.resume(i)
		return
	}
	m.arm(i)
}

// resume goes on with a task one of whose exchanges has ended.
func (m *Machine) resume(i int32) {
	if m.pending(&m.tasks.list[i]) {
		m.arm(i)
		return
	}
	m.advance(i)
}
