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
	t := &m.tasks.list[x.task]
	var asked, got [dname.MaxLen]byte
	name, next, ok := dname.Unpack(got[:0], msg, wire.HeaderLen)
	whole := ok && len(msg)-next >= 4
	if flags&wire.FlagTC != 0 && !x.stream && (!whole || wire.Count(msg, wire.Question) == 0) {
		return checkOK // Cut down to less than the question: all that is taken from it is to ask over TCP.
	}
	if len(msg) == wire.HeaderLen && wire.Count(msg, wire.Question) == 0 {
		switch wire.RcodeOf(flags) { // RFC 6891, section 7: a server that could not read the query may leave it out.
		case wire.RcodeFormErr, wire.RcodeNotImp:
			return checkOK
		}
	}
	if !whole || wire.Count(msg, wire.Question) != 1 ||
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

// accept takes a response that belongs to exchange e.
func (m *Machine) accept(e int32, msg []byte) {
	x := &m.exchanges.list[e]
	srv := &m.servers.list[x.server]
	t := &m.tasks.list[x.task]
	a := t.attempt(x.server)
	resp := &m.inbox
	readable := resp.read(msg)
	resp.server = x.server
	if x.cookie && readable && !m.checkCookie(e, resp) {
		return
	}
	m.stats.Accepted++
	if m.tracer != nil {
		m.traceResponse(e, resp, readable)
	}
	m.families[family(srv.addr.Addr())].answered()
	srv.barredUntil = 0
	srv.answered++
	if !x.stream {
		srv.measured(m.now - x.sent)
		m.learnCase(x, srv, a, resp.rcode)
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
	if resp.hasOPT && !refusesEDNS(resp.rcode) {
		srv.edns, srv.ednsDrops = works, 0
	}
	if resp.hasEDE {
		t.ede, t.hasEDE = resp.ede, true
	}
	m.sort(e, resp)
}

// refusesEDNS says whether a response code may mean that the server does not take the EDNS of a query, whether or not
// there is an OPT record with it: some put one into whatever they send.
func refusesEDNS(code wire.Rcode) bool {
	return code == wire.RcodeFormErr || code == wire.RcodeNotImp || code == wire.RcodeBadVers
}

// sort goes on by the response code.
func (m *Machine) sort(e int32, resp *response) {
	rcode := resp.rcode
	x := &m.exchanges.list[e]
	srv := &m.servers.list[x.server]
	a := m.tasks.list[x.task].attempt(x.server)
	switch rcode {
	case wire.RcodeNoError, wire.RcodeNXDomain, wire.RcodeYXDomain:
		if !x.edns && srv.edns == unknown && (a.noEDNS || a.tries > 2) {
			srv.withoutEDNS(a.noEDNS, m.now, m.failing.most)
		}
		if x.edns && !x.cookie && a.silent && srv.cookies == unknown && !m.options.NoCookies {
			srv.withoutCookies(m.now, m.failing.most)
		}
		if x.edns && a.noCookie && (srv.cookies == unknown || a.cookie == cookieNotOurs) {
			srv.cookies, srv.cookiesUntil = broken, m.now+ednsMemory
		}
		m.use(e, resp)
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
		case a.cookie != cookieFine:
			a.stream = true
		}
		a.cookie = max(a.cookie, cookieBad)
		m.again(e)
	case wire.RcodeServFail:
		m.useless(e, FailServFail, rcode)
	case wire.RcodeRefused:
		m.useless(e, FailRefused, rcode)
	default:
		m.useless(e, FailRcode, rcode)
	}
}
