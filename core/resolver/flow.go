package resolver

import (
	"heimdall/core/wire"
)

const (
	exploreOneIn = 20 // queries that go to a random server instead of the best, to learn its speed
	bandShift    = 2  // servers within a quarter of the best one's time are taken as equal
	bandFloor    = int64(2e6)
)

// advance sends the next query of a task that waits for nothing, or ends it.
func (m *Machine) advance(i int32) {
	t := &m.tasks.list[i]
	g := m.groups.find(t.current(), t.typ)
	if g == nil {
		m.fail(i, wire.EDENoReachableAuthority, "no server is configured for the name")
		return
	}
	if t.queries >= maxQueries {
		m.stats.WorkLimit++
		m.fail(i, wire.EDEOther, "the limit of queries to other servers was reached")
		return
	}
	server, verdict := m.pick(t, g.servers)
	switch verdict {
	case pickNone:
		m.exhausted(i, g)
		return
	case pickDown:
		m.fail(i, wire.EDENoReachableAuthority, "all servers for the name are down")
		return
	}
	if !m.send(i, server, g.floor()) {
		m.fail(i, wire.EDENotReady, "too many queries to other servers in flight")
		return
	}
	m.probe(i, g)
	m.arm(i)
}

// exhausted ends a task that has no server left to ask; unless a forwarder, which may be busy asking
// others, still has the question: then until the deadline.
func (m *Machine) exhausted(i int32, g *group) {
	t := &m.tasks.list[i]
	if g.kind == Forward {
		for x := t.flights; x >= 0; x = m.exchanges.list[x].next {
			e := &m.exchanges.list[x]
			if n, _ := t.tries(e.server); n > 0 && !t.attempt(e.server).excluded {
				m.arm(i)
				return
			}
		}
	}
	m.fail(i, m.cause(t), m.causeText(t))
}

type pickResult uint8

const (
	pickOK   pickResult = iota
	pickNone            // all were tried enough
	pickDown            // all that were not tried are down and not due to be probed
)

// pick chooses who is asked next: of the servers tried least, the fastest, or one of those about as fast,
// or now and then any.
func (m *Machine) pick(t *task, list []int32) (int32, pickResult) {
	fewest, best, candidates, down := uint8(maxPerServer), int64(0), 0, false
	for _, s := range list {
		n, usable := t.tries(s)
		srv := &m.servers.list[s]
		if !usable || srv.down && m.now < srv.probeAt {
			down = down || usable && srv.down && n == 0
			continue
		}
		switch c := srv.cost(); {
		case n < fewest:
			fewest, best, candidates = n, c, 1
		case n == fewest:
			best = min(best, c)
			candidates++
		}
	}
	if candidates == 0 {
		if down && !t.hasFail && t.queries == 0 {
			return -1, pickDown
		}
		return -1, pickNone
	}
	random := m.rnd.Uint64()
	limit := best + max(best>>bandShift, bandFloor)
	if random%exploreOneIn == 0 {
		limit = 1<<63 - 1
	}
	random >>= 8
	chosen, seen := int32(-1), uint64(0)
	for _, s := range list {
		n, usable := t.tries(s)
		srv := &m.servers.list[s]
		if !usable || n != fewest || srv.down && m.now < srv.probeAt || srv.cost() > limit {
			continue
		}
		if seen++; random%seen == 0 { // reservoir of one
			chosen = s
		}
		random = mix(random + seen)
	}
	return chosen, pickOK
}

// probe asks, beside the server that was chosen, one that is down and due to be tried again, so that no
// client has to wait for it to fail.
func (m *Machine) probe(i int32, g *group) {
	t := &m.tasks.list[i]
	for _, s := range g.servers {
		srv := &m.servers.list[s]
		if !srv.down || m.now < srv.probeAt || t.queries >= maxQueries {
			continue
		}
		if n, _ := t.tries(s); n > 0 {
			continue
		}
		if m.send(i, s, g.floor()) {
			m.stats.Probes++
			m.exchanges.list[t.flights].probe = true
		}
		return
	}
}

// send queries a server; false if there is no room for another exchange.
func (m *Machine) send(i, server int32, floor int64) bool {
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
	x.typ, x.sent, x.stream = t.typ, m.now, a.stream
	t.nflights++
	srv.pins++
	srv.used = m.now
	srv.sent++
	m.stats.Sent++
	if t.queries++; a.tries > 0 {
		m.stats.Retransmits++
	}
	if srv.down {
		srv.probeAt = m.now + max(srv.probeWait, srv.rto(floor))
	}
	if x.edns = srv.useEDNS(m.now) && !a.noEDNS; x.edns && a.tries >= 2 && srv.edns == unknown && !a.stream {
		x.edns = false // RFC 6891, section 6.2.2: some middle box may drop what it does not know.
	}
	if !m.options.PlainCase && t.plain == plainOff && srv.useCase(m.now) {
		x.caseOf = m.rnd.Uint64() | 1
	}
	a.tries++
	wait := srv.rto(floor)
	if x.stream {
		wait = min(3*wait, maxRTO) // a handshake more, and room for one repeated segment
		m.stats.Streams++
	}
	x.due = min(m.now+wait, t.deadline)
	m.actions = append(m.actions, Action{
		Kind: Query, Ref: makeRef(0, x.gen, e), Server: srv.addr, Stream: x.stream, At: x.due,
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
	m.drop(e)
	a := t.attempt(server)
	a.tries = min(a.tries, maxPerServer-1)
	g := m.groups.find(t.current(), t.typ)
	if g == nil || t.queries >= maxQueries || !m.send(i, server, g.floor()) {
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
