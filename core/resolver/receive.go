package resolver

import (
	"net/netip"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Receive takes a datagram that came to sock from another server.
func (m *Machine) Receive(now int64, sock uint16, from netip.AddrPort, msg []byte) {
	m.now = now
	defer m.wake()
	m.stats.Responses++
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if len(msg) < wire.HeaderLen {
		m.stats.Short++
		m.servers.mismatched(m.servers.find(from))
		return
	}
	e := m.exchanges.find(sock, wire.ID(msg))
	if e < 0 {
		m.stats.UnknownID++
		m.servers.mismatched(m.servers.find(from))
		if e = m.near(sock, from, msg); e >= 0 {
			m.guess(e)
		}
		return
	}
	x := &m.exchanges.list[e]
	if m.servers.list[x.server].addr != from {
		m.stats.WrongSource++
		m.servers.mismatched(x.server)
		m.guess(e)
		return
	}
	switch m.check(x, msg) {
	case checkOK:
		m.accept(e, msg)
	case checkCase:
		m.stats.WrongCase++
		m.servers.mismatched(x.server)
		m.confirmCase(e)
	default:
		m.servers.mismatched(x.server)
		m.guess(e)
	}
}

// ReceiveStream takes what came of a query sent over TCP: a message, or the error that ended it.
func (m *Machine) ReceiveStream(now int64, ref uint64, msg []byte, err error) {
	m.now = now
	e := m.exchange(ref)
	if e < 0 {
		return
	}
	defer m.wake()
	x := &m.exchanges.list[e]
	if err != nil || len(msg) < wire.HeaderLen {
		m.streamFailed(e, FailNetwork)
		return
	}
	m.stats.Responses++
	if x.id != wire.ID(msg) {
		m.stats.UnknownID++
		m.servers.mismatched(x.server)
		m.streamFailed(e, FailMalformed)
		return
	}
	switch m.check(x, msg) {
	case checkOK:
		m.accept(e, msg)
	case checkCase: // Nobody can inject into the stream unseen: the server itself does not keep the case.
		m.stats.WrongCase++
		m.servers.mismatched(x.server)
		m.plainCase(x.server)
		m.accept(e, msg)
	default:
		m.servers.mismatched(x.server)
		m.streamFailed(e, FailMalformed)
	}
}

type checked uint8

const (
	checkOK checked = iota
	checkCase
	checkFailed
)

// check compares a message whose ID and source are right with the query it claims to respond to.
func (m *Machine) check(x *exchange, msg []byte) checked {
	flags := wire.Flags(msg)
	if flags&wire.FlagQR == 0 {
		m.stats.NotResponse++
		return checkFailed
	}
	if flags&wire.OpcodeMask != 0 {
		m.stats.WrongOpcode++
		return checkFailed
	}
	if len(msg) == wire.HeaderLen && x.edns && wire.Count(msg, wire.Question) == 0 {
		switch wire.RcodeOf(flags) { // RFC 6891, section 7: a server that could not read the query may leave it out.
		case wire.RcodeFormErr, wire.RcodeNotImp:
			return checkOK
		}
	}
	t := &m.tasks.list[x.task]
	var asked, got [dname.MaxLen]byte
	name, next, ok := dname.Unpack(got[:0], msg, wire.HeaderLen)
	if !ok || wire.Count(msg, wire.Question) != 1 || len(msg)-next < 4 ||
		wire.Type(uint16(msg[next])<<8|uint16(msg[next+1])) != x.typ ||
		wire.Class(uint16(msg[next+2])<<8|uint16(msg[next+3])) != t.class {
		m.stats.WrongQuestion++
		return checkFailed
	}
	want := x.question(t, &asked)
	if string(want) == string(name) || x.caseOf == 0 && dname.Equal(want, name) {
		return checkOK
	}
	if dname.Equal(want, name) {
		return checkCase
	}
	m.stats.WrongQuestion++
	return checkFailed
}

// near finds the query that a response with an unknown ID tries to answer: same socket, server and question.
func (m *Machine) near(sock uint16, from netip.AddrPort, msg []byte) int32 {
	if int(sock) >= len(m.exchanges.socks) {
		return -1
	}
	e := m.exchanges.socks[sock]
	for n := 0; e >= 0 && n < nearScan; n++ {
		x := &m.exchanges.list[e]
		if m.servers.list[x.server].addr == from {
			before := m.stats
			result := m.check(x, msg)
			m.stats = before // It is counted as UnknownID.
			if result != checkFailed {
				return e
			}
		}
		e = x.sockNext
	}
	return -1
}

// guess counts a wrong response to a query; many mean that someone tries to hit it, and it goes to TCP.
func (m *Machine) guess(e int32) {
	x := &m.exchanges.list[e]
	if x.guesses++; x.guesses < maxGuesses {
		return
	}
	m.stats.Spoofed++
	m.tasks.list[x.task].attempt(x.server).stream = true
	m.again(e)
}

// confirmCase reacts to a response that is right but for the letter case of its question: a server that
// changes it, or a guess. The answer comes over TCP, where it cannot be a guess; the query stays open.
func (m *Machine) confirmCase(e int32) {
	x := &m.exchanges.list[e]
	i, server := x.task, x.server
	t := &m.tasks.list[i]
	a := t.attempt(server)
	if a.caseSeen || t.plain != plainOff {
		return
	}
	a.caseSeen, a.stream = true, true
	a.tries = min(a.tries, maxPerServer-1)
	if r, ok := m.route(i); ok && m.affordable(t) && m.send(i, server, &r) {
		m.arm(i)
	}
}

// streamFailed ends a query over TCP. If it was to confirm an answer in the wrong letter case, the task
// asks in lower case from now on, and believes what two responses agree on.
func (m *Machine) streamFailed(e int32, why Failure) {
	x := &m.exchanges.list[e]
	i := x.task
	t := &m.tasks.list[i]
	a := t.attempt(x.server)
	if !a.caseSeen || t.plain != plainOff {
		m.useless(e, why, wire.RcodeServFail)
		return
	}
	m.servers.list[x.server].failed[why]++
	t.plain = plainFirst
	m.dropAll(t)
	for n := range t.tried[:t.ntried] {
		t.tried[n].tries, t.tried[n].stream = 0, false
	}
	m.advance(i)
}

// agreed says whether the records of this response are those of the one before it.
func (m *Machine) agreed(t *task) bool {
	sum := m.records.sum() + uint64(m.rcode)
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
	s.letterCase, s.caseUntil = broken, m.now+caseMemory
}

// accept judges a response that belongs to exchange e.
func (m *Machine) accept(e int32, msg []byte) {
	x := &m.exchanges.list[e]
	srv := &m.servers.list[x.server]
	t := &m.tasks.list[x.task]
	a := t.attempt(x.server)
	readable := m.response.read(msg)
	m.source = x.server
	if x.cookie && readable && !m.checkCookie(e, srv) {
		return
	}
	m.stats.Accepted++
	if m.tracer != nil {
		m.traceResponse(e, readable)
	}
	m.families[family(srv.addr.Addr())].answered()
	srv.barredUntil = 0
	srv.answered++
	if !x.stream {
		srv.measured(m.now - x.sent)
		if x.caseOf != 0 && srv.letterCase == unknown {
			srv.letterCase = works
		}
	}
	switch {
	case wire.Flags(msg)&wire.FlagTC == 0:
	case x.stream:
		m.useless(e, FailTruncated, wire.RcodeServFail)
		return
	default:
		m.stats.Truncated++
		srv.truncated++
		a.stream = true
		m.again(e)
		return
	}
	if !readable {
		m.useless(e, FailMalformed, wire.RcodeServFail)
		return
	}
	if m.response.hasOPT && !refusesEDNS(m.response.rcode) {
		srv.edns, srv.ednsDrops = works, 0
	}
	if m.response.hasEDE {
		t.ede, t.hasEDE = m.response.ede, true
	}
	m.judge(e, m.response.rcode)
}

// refusesEDNS says whether a response code may mean that the server does not take the EDNS of a query, whether or not
// there is an OPT record with it: some put one into whatever they send.
func refusesEDNS(code wire.Rcode) bool {
	return code == wire.RcodeFormErr || code == wire.RcodeNotImp || code == wire.RcodeBadVers
}

// judge goes on by the response code of m.response.
func (m *Machine) judge(e int32, rcode wire.Rcode) {
	x := &m.exchanges.list[e]
	srv := &m.servers.list[x.server]
	a := m.tasks.list[x.task].attempt(x.server)
	switch rcode {
	case wire.RcodeNoError, wire.RcodeNXDomain, wire.RcodeYXDomain:
		if !x.edns && srv.edns == unknown && (a.noEDNS || a.tries > 2) {
			srv.withoutEDNS(a.noEDNS, m.now, m.failing.most)
		}
		if x.edns && a.noCookie && srv.cookies == unknown {
			srv.cookies, srv.cookiesUntil = broken, m.now+ednsMemory
		}
		m.use(e)
	case wire.RcodeFormErr, wire.RcodeNotImp, wire.RcodeBadVers:
		switch {
		case x.cookie: // Some take offence at any option.
			a.noCookie = true
		case x.edns:
			m.stats.EDNSFallbacks++
			a.noEDNS = true
		default:
			m.useless(e, FailFormErr, rcode)
			return
		}
		m.again(e)
	case wire.RcodeBadCookie: // RFC 7873, section 5.3: again with the new cookie, then over TCP.
		switch {
		case x.stream:
			m.useless(e, FailCookie, rcode)
			return
		case a.badCookie:
			a.stream = true
		}
		a.badCookie = true
		m.again(e)
	case wire.RcodeServFail:
		m.useless(e, FailServFail, rcode)
	case wire.RcodeRefused:
		m.useless(e, FailRefused, rcode)
	default:
		m.useless(e, FailRcode, rcode)
	}
}

// checkCookie compares the cookie in m.response with the one that was sent (RFC 7873, section 5.3). False if
// the response must not be used: a wrong one is ignored, a missing one has to be explained over TCP.
func (m *Machine) checkCookie(e int32, srv *server) bool {
	x := &m.exchanges.list[e]
	c := m.response.cookie
	switch {
	case len(c) >= len(srv.ours) && [8]byte(c) == srv.ours:
		if size := len(c) - len(srv.ours); size >= 8 && size <= len(srv.theirs) {
			srv.theirsLen = uint8(copy(srv.theirs[:], c[len(srv.ours):]))
			srv.cookies = works
		}
	case x.stream:
		if c == nil && srv.cookies == works {
			srv.cookies, srv.cookiesUntil = broken, m.now+caseMemory
		}
	case c != nil:
		m.stats.WrongCookie++
		m.servers.mismatched(x.server)
		m.guess(e)
		return false
	case srv.cookies == works:
		m.stats.NoCookie++
		m.tasks.list[x.task].attempt(x.server).stream = true
		m.again(e)
		return false
	}
	return true
}
