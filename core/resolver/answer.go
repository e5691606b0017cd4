package resolver

import (
	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// finish ends a task with the aliases that it has followed and the finding about what they lead to.
func (m *Machine) finish(i int32, f *finding) {
	t := m.tasks.at(i)
	if m.tracer.on() {
		m.tracer.note(m.now, t, "answer", f.rcode.String())
	}
	if t.depth > 0 { // What it found is in the knowledge.
		m.failing.clear(t.hash)
		m.end(i)
		return
	}
	secure := t.validated(&m.trust) && t.security == dnssec.Secure
	if secure && m.trust.SentinelFails(t.qname(), t.typ) {
		m.fail(i, wire.EDEBogus, "as the root key sentinel asks for")
		return
	}
	q := t.question()
	whole := m.message.begin(&q, uint16(f.rcode)&wire.RcodeMask)
	// What was put together while the routes changed may be of both.
	current := t.born == m.tasks.routes && (!t.ours || t.zones == m.tasks.zones)
	tells := f.rcode == wire.RcodeNoError && len(f.records) > 0 || f.rcode == wire.RcodeNXDomain || f.rcode == wire.RcodeYXDomain
	cacheable := current && tells
	for _, section := range [...]wire.Section{wire.Answer, wire.Authority} {
		chain := m.chains.get(t.chain)
		whole = whole && m.message.write(chain, nil, section, &q) && m.message.write(f.records, chain, section, &q)
	}
	if !whole {
		m.fail(i, wire.EDEOther, "the response is too large")
		return
	}
	m.stats.Answered++
	m.failing.clear(t.hash)
	depends := cache.OnNothing
	switch {
	case t.ours:
		depends = cache.OnZones
	case t.chain >= 0 || f.records.Aliased():
		depends = cache.OnRoutes
	}
	m.respond(i, Answer{Msg: m.message.Finish(), Rcode: f.rcode, AD: secure, Cacheable: cacheable, Depends: depends})
}

// fail ends a task with SERVFAIL. code and text are the cause, unless responses did not validate.
func (m *Machine) fail(i int32, code wire.EDE, text string) {
	t := m.tasks.at(i)
	if t.bogus != dnssec.ReasonNone {
		code, _ = t.bogus.EDE()
		text = m.forwarders.bogusText(t)
	}
	if m.tracer.on() {
		m.tracer.note(m.now, t, "failure", text)
	}
	if t.depth > 0 {
		if t.isLink(&m.trust) && t.bogus != dnssec.ReasonNone {
			m.breakLink(t)
		}
		m.failing.add(t.hash, m.now)
		m.end(i)
		return
	}
	if t.bogus == dnssec.ReasonNone && t.hasEDE && t.hasFail && t.lastFail == servers.FailServFail {
		code = t.ede // The forwarder knows the cause.
	}
	q := t.question()
	m.message.begin(&q, uint16(wire.RcodeServFail))
	m.stats.Failed++
	m.respond(i, Answer{
		Msg: m.message.Finish(), Rcode: wire.RcodeServFail, EDE: code, EDEText: text, Failed: true,
		TTL: m.failing.add(t.hash, m.now), Cacheable: true, Depends: cache.OnServers,
	})
}

// respond emits the response of a task and ends it.
func (m *Machine) respond(i int32, a Answer) {
	t := m.tasks.at(i)
	a.Msg = m.lend(a.Msg)
	a.Cacheable = a.Cacheable && t.view < anewView
	if m.tracer.on() {
		m.tracer.end(m.now, i, t, &a)
	}
	q := t.question()
	q.Name = dname.Name(m.lend(q.Name))
	start := len(m.waiting)
	m.waiting = m.tasks.waiters.drain(m.waiting, t)
	m.actions = append(m.actions, Action{
		Kind: Respond, Question: q, Answer: a, Waiters: m.waiting[start:len(m.waiting):len(m.waiting)],
	})
	m.end(i)
}

// The causes of a failure as clients read them, by what the last server did.
var failureTexts = [servers.Failures]string{
	servers.FailServFail:  "the last server asked answered SERVFAIL",
	servers.FailRefused:   "the last server asked answered REFUSED",
	servers.FailFormErr:   "the last server asked answered FORMERR or NOTIMP",
	servers.FailRcode:     "the last server asked answered with an unexpected RCODE",
	servers.FailLame:      "the last server asked is not responsible for the name",
	servers.FailMalformed: "the last server asked sent a malformed response",
	servers.FailTruncated: "the last server asked truncates over TCP",
	servers.FailNetwork:   "the last server asked cannot be reached",
	servers.FailCookie:    "the last server asked does not take its own cookie",
	servers.FailBogus:     "the last server asked gave an answer that does not validate",
	servers.FailCase:      "the last server asked gave answers that could not be confirmed",
}

// cause is the extended error for a task that has asked every server in vain, and its text.
func (t *task) cause() (wire.EDE, string) {
	if !t.hasFail {
		return wire.EDENoReachableAuthority, "no server answered"
	}
	code := wire.EDENoReachableAuthority
	switch t.lastFail {
	case servers.FailNetwork, servers.FailMalformed, servers.FailTruncated:
		code = wire.EDENetworkError
	}
	return code, failureTexts[t.lastFail]
}
