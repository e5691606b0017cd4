package resolver

import "time"

const (
	exploreOneIn = 20 // queries that go to a random server instead of the best, to learn its speed
	bandShift    = 2  // servers within a quarter of the best one's time are taken as equal
	bandFloor    = int64(2e6)
)

// A server that drops questions is not dead, and a dead one is to be found alive when it is back: whoever has no better
// server asks it, but not so many at a time that they take the room of all others. These are shares of Options.MaxTasks.
const (
	silentShare = 64 // one in so many questions at most may wait for a server that is down
	groupShare  = 2  // likewise for one that a group names
	overdueCut  = 4  // with one in so many of these overdue, a question asks the server once and waits one window

	minSilent  = 4                              // questions that may wait for any server
	maxSilent  = 6                              // queries of one question to servers that are down
	silentWait = int64(1000 * time.Millisecond) // window of a query to a server that is down
)

// silentLimit is how many queries may wait for a server that is down.
func (m *Machine) silentLimit(s *server) int32 {
	share := silentShare
	if s.pinned {
		share = groupShare
	}
	return int32(max(m.options.MaxTasks/share, minSilent))
}

// crowded says whether so many queries to a server are overdue that a question gives up on it after one window.
func (m *Machine) crowded(s *server) bool { return s.overdue > m.silentLimit(s)/overdueCut }

// window is how long a question waits for a response until it tries something else. The fewer questions wait, the more
// it is stretched for a server that lets many go by.
func (m *Machine) window(s *server) int64 {
	switch {
	case s.pins > m.silentLimit(s)/overdueCut:
		return s.measuredRTO()
	case s.down:
		return min(s.rto(), silentWait)
	}
	return s.rto()
}

type pickResult uint8

const (
	pickOK     pickResult = iota
	pickNone              // all were tried enough
	pickSilent            // all that were not tried are down, and as many questions wait for them as may
)

// standing is how good a server is to ask, apart from its speed. The smaller, the better.
type standing uint8

const (
	standsUp     standing = iota
	standsDown            // it has answered nothing lately
	standsBarred          // nothing could be sent to it lately
	standings
)

// choice is whom pick has chosen.
type choice struct {
	result   pickResult
	server   int32
	standing standing
	tries    uint8 // how often the task has asked it already
	suspect  bool  // it has let the last question go by, whoever asked
}

// pressing says whether it is time to look for other servers: everybody of good standing has been asked at least once,
// in vain so far, or the best has just let another question go by.
func (c *choice) pressing() bool {
	return c.result != pickOK || c.standing != standsUp || c.tries > 0 || c.suspect
}

// mostTries is how often one question may be asked of a server.
func (m *Machine) mostTries(server int32) uint8 {
	if m.servers.list[server].pinned {
		return maxPerNamed
	}
	return maxPerServer
}

// onceMore sees to it that a server may be asked again, once at least.
func (m *Machine) onceMore(a *attempt) { a.tries = min(a.tries, m.mostTries(a.server)-1) }

// stands says how a server stands, and whether the task may ask it, which has done so n times.
func (m *Machine) stands(t *task, s int32) (st standing, n uint8, usable, full bool) {
	srv := &m.servers.list[s]
	n, usable = t.tries(s, m.mostTries(s))
	switch {
	case m.now < srv.barredUntil:
		st = standsBarred
	case srv.down:
		st = standsDown
		full = usable && n == 0 && srv.pins >= m.silentLimit(srv)
	}
	return st, n, usable && !full && !(n > 0 && m.crowded(srv)), full
}

// spentOnSilent is how often a task has asked servers that are down.
func (m *Machine) spentOnSilent(t *task) (n int) {
	for _, a := range t.tried[:t.ntried] {
		if m.servers.list[a.server].down {
			n += int(a.tries)
		}
	}
	return n
}

// pick chooses who is asked next: of the servers that stand best, those tried least; of these the fastest, or one of
// those about as fast, or now and then any. What is silent or out of reach is the last resort, but it is one.
func (m *Machine) pick(t *task, list []int32) choice {
	lead, fewest, best, silent := standings, uint8(0), int64(0), false
	spent := m.spentOnSilent(t) >= maxSilent
	for _, s := range list {
		st, n, usable, full := m.stands(t, s)
		silent = silent || full
		if !usable || st == standsDown && spent || st > lead || st == lead && n > fewest {
			continue
		}
		c := m.servers.list[s].cost()
		if st == lead && n == fewest {
			c = min(best, c)
		}
		lead, fewest, best = st, n, c
	}
	if lead == standings {
		if silent && !t.hasFail && t.queries == 0 {
			return choice{result: pickSilent}
		}
		return choice{result: pickNone}
	}
	random := m.rnd.Uint64()
	limit := best + max(best>>bandShift, bandFloor)
	if random%exploreOneIn == 0 {
		limit = 1<<63 - 1
	}
	random >>= 8
	chosen, seen := int32(-1), uint64(0)
	for _, s := range list {
		if st, n, usable, _ := m.stands(t, s); !usable || st != lead || n != fewest || m.servers.list[s].cost() > limit {
			continue
		}
		if seen++; random%seen == 0 { // reservoir of one
			chosen = s
		}
		random = mix(random + seen)
	}
	return choice{pickOK, chosen, lead, fewest, m.servers.list[chosen].timeouts > 0}
}

// probe asks, beside the server that was chosen, one that is down and due to be tried again, so that no
// client has to wait for it to fail.
func (m *Machine) probe(i int32, r *route) {
	t := &m.tasks.list[i]
	for _, s := range r.servers {
		srv := &m.servers.list[s]
		if !srv.down || m.now < max(srv.probeAt, srv.barredUntil) || !m.affordable(t) {
			continue
		}
		if n, _ := t.tries(s, m.mostTries(s)); n > 0 {
			continue
		}
		if m.send(i, s, r) {
			m.stats.Probes++
			m.exchanges.list[t.flights].probe = true
		}
		return
	}
}

// mayYetAnswer says whether a server that a task has asked in vain so far may still answer: it may be slow, or busy
// asking others.
func (m *Machine) mayYetAnswer(t *task) bool {
	for x := t.flights; x >= 0; x = m.exchanges.list[x].next {
		e := &m.exchanges.list[x]
		if n, _ := t.tries(e.server, m.mostTries(e.server)); n > 0 && !t.attempt(e.server).excluded && !m.crowded(&m.servers.list[e.server]) {
			return true
		}
	}
	return false
}
