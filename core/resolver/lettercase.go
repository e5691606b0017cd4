package resolver

import (
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// learnCase notes what a datagram in response to x says of how its server takes questions in mixed letter case. True
// if that is news, and that it does not take them.
func (x *exchange) learnCase(srv *servers.Server, a *servers.Attempt, rcode wire.Rcode, doubt, now int64) (lacks bool) {
	useful := rcode == wire.RcodeNoError || rcode == wire.RcodeNXDomain || rcode == wire.RcodeYXDomain
	switch {
	case !useful && a.Case == servers.CaseRefused: // Lower case makes no difference to it.
		srv.LetterCase.Seen()
	case !useful: // Perhaps it is the letter case that it refuses.
	case x.caseOf != 0:
		srv.LetterCase.Seen()
	case x.lowered && srv.LetterCase.State() == servers.Unknown:
		if a.Case == servers.CaseRefused {
			srv.LetterCase.Lacks(now, servers.CaseMemory)
		} else { // It answered only when asked in lower case, which may have been loss.
			srv.LetterCase.Doubt(now, doubt, servers.CaseMemory)
		}
		return true
	}
	return false
}

// mayMindCase says whether a server may have been of no use because of the letter case of exchange x. A task finds that
// out of one server only.
func (t *task) mayMindCase(x *exchange, srv *servers.Server, why servers.Failure) bool {
	for _, a := range t.tried.All() {
		if a.Case == servers.CaseRefused {
			return false
		}
	}
	return x.caseOf != 0 && !x.stream && srv.LetterCase.State() == servers.Unknown &&
		(why == servers.FailServFail || why == servers.FailRefused || why == servers.FailFormErr || why == servers.FailRcode)
}

// confirmCase reacts to a response that is right except for the letter case of its question: a server that
// changes it, or a guess. The answer comes over TCP, where it cannot be a guess; the query stays open.
func (m *Machine) confirmCase(e int32) {
	a := m.tasks.at(m.exchanges.at(e).task).tried.Of(m.exchanges.at(e).server)
	if a.Case == servers.CaseLost || m.tasks.at(m.exchanges.at(e).task).plain != plainOff {
		return
	}
	a.Case, a.Stream = servers.CaseLost, true
	m.beside(e)
}

// beside asks the server of exchange e once more, as its attempt now says, and keeps e open.
func (m *Machine) beside(e int32) {
	x := m.exchanges.at(e)
	i, server := x.task, x.server
	t := m.tasks.at(i)
	m.servers.OnceMore(t.tried.Of(server))
	if r, ok := m.route(i); ok && m.tasks.affordable(t) && m.send(i, server, &r) {
		m.arm(i)
	}
}

// streamFailed ends a query over TCP. If it was to confirm a datagram, the task goes on without.
func (m *Machine) streamFailed(e int32, why servers.Failure) {
	x := m.exchanges.at(e)
	i := x.task
	t := m.tasks.at(i)
	if !t.withoutStream(t.tried.Of(x.server), &m.servers) {
		m.useless(e, why, wire.RcodeServFail)
		return
	}
	m.servers.At(x.server).Failed(why)
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
func (t *task) withoutStream(a *servers.Attempt, known *servers.Table) bool {
	a.Stream = false
	switch {
	case a.Case == servers.CaseLost && t.plain == plainOff:
		t.plain = plainFirst
		for n := range t.tried.All() {
			a := &t.tried.All()[n]
			a.Tries, a.Stream = 0, false
		}
	case a.Cookie == servers.CookieNotOurs && !a.NoCookie:
		a.NoCookie = true
		known.OnceMore(a)
	default:
		return false
	}
	return true
}

// agrees says whether a finding is the same as the one before it.
func (t *task) agrees(f *finding) bool {
	sum := f.records.Sum() + uint64(f.rcode)
	same := t.plain == plainSecond && t.plainSum == sum
	t.plain, t.plainSum = plainSecond, sum
	return same
}

// plainCase remembers that a server does not keep letter case.
func (m *Machine) plainCase(server int32) {
	s := m.servers.At(server)
	if s.LetterCase.State() != servers.Broken {
		m.stats.CaseFallbacks++
	}
	s.LetterCase.Lacks(m.now, servers.CaseMemory)
}
