package resolver

import (
	"heimdall/core/wire"
)

// learnCase notes what a datagram in response to x says of how its server takes questions in mixed letter case.
func (m *Machine) learnCase(x *exchange, srv *server, a *attempt, rcode wire.Rcode) {
	useful := rcode == wire.RcodeNoError || rcode == wire.RcodeNXDomain || rcode == wire.RcodeYXDomain
	switch {
	case !useful && a.caseDoubt == caseRefused: // Lower case makes no difference to it.
		srv.letterCase = works
	case !useful: // Perhaps it is the letter case that it refuses.
	case x.caseOf != 0:
		srv.letterCase, srv.caseDrops = works, 0
	case x.lowered && srv.letterCase == unknown:
		srv.withoutCase(a.caseDoubt == caseRefused, m.now, m.failing.most)
		m.stats.CaseFallbacks++
	}
}

// mayMindCase says whether a server may have been of no use because of the letter case of exchange x. A task finds that
// out of one server only.
func (m *Machine) mayMindCase(t *task, x *exchange, why Failure) bool {
	for _, a := range t.tried[:t.ntried] {
		if a.caseDoubt == caseRefused {
			return false
		}
	}
	return x.caseOf != 0 && !x.stream && m.servers.list[x.server].letterCase == unknown &&
		(why == FailServFail || why == FailRefused || why == FailFormErr || why == FailRcode)
}

// confirmCase reacts to a response that is right but for the letter case of its question: a server that
// changes it, or a guess. The answer comes over TCP, where it cannot be a guess; the query stays open.
func (m *Machine) confirmCase(e int32) {
	a := m.tasks.list[m.exchanges.list[e].task].attempt(m.exchanges.list[e].server)
	if a.caseDoubt == caseLost || m.tasks.list[m.exchanges.list[e].task].plain != plainOff {
		return
	}
	a.caseDoubt, a.stream = caseLost, true
	m.beside(e)
}

// beside asks the server of exchange e once more, as its attempt now says, and keeps e open.
func (m *Machine) beside(e int32) {
	x := &m.exchanges.list[e]
	i, server := x.task, x.server
	t := &m.tasks.list[i]
	m.onceMore(t.attempt(server))
	if r, ok := m.route(i); ok && m.affordable(t) && m.send(i, server, &r) {
		m.arm(i)
	}
}

// streamFailed ends a query over TCP. If it was to confirm a datagram, the task goes on without.
func (m *Machine) streamFailed(e int32, why Failure) {
	x := &m.exchanges.list[e]
	i := x.task
	t := &m.tasks.list[i]
	if !m.withoutStream(t, t.attempt(x.server)) {
		m.useless(e, why, wire.RcodeServFail)
		return
	}
	m.servers.list[x.server].failed[why]++
	if t.plain == plainFirst {
		m.dropAll(t)
	} else {
		m.drop(e)
	}
	m.advance(i)
}

// withoutStream goes back to datagrams with a server whose TCP is of no use; true if there is another way than before.
// If TCP was to confirm an answer in the wrong letter case, the task asks in lower case from now on, and believes what
// two responses agree on. If it was to tell whether a cookie that is not ours is the server's own, it asks without.
func (m *Machine) withoutStream(t *task, a *attempt) bool {
	a.stream = false
	switch {
	case a.caseDoubt == caseLost && t.plain == plainOff:
		t.plain = plainFirst
		for n := range t.tried[:t.ntried] {
			t.tried[n].tries, t.tried[n].stream = 0, false
		}
	case a.cookie == cookieNotOurs && !a.noCookie:
		a.noCookie = true
		m.onceMore(a)
	default:
		return false
	}
	return true
}

// agrees says whether a finding is the same as the one before it.
func (t *task) agrees(f *finding) bool {
	sum := f.records.sum() + uint64(f.rcode)
	same := t.plain == plainSecond && t.plainSum == sum
	t.plain, t.plainSum = plainSecond, sum
	return same
}

// plainCase remembers that a server does not keep letter case.
func (m *Machine) plainCase(server int32) {
	s := &m.servers.list[server]
	if s.letterCase != broken {
		m.stats.CaseFallbacks++
	}
	s.withoutCase(true, m.now, 0)
}
