package resolver

import (
	"net/netip"

	"heimdall/core/resolver/servers"
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
		m.servers.Mismatched(m.servers.Find(from))
		return
	}
	e := m.exchanges.find(sock, wire.ID(msg))
	if e < 0 {
		m.stats.UnknownID++
		server := m.servers.Find(from)
		m.servers.Mismatched(server)
		if e = m.exchanges.near(sock, server, msg, &m.tasks); e >= 0 {
			m.guess(e)
		}
		return
	}
	x := m.exchanges.at(e)
	if m.servers.At(x.server).Addr() != from {
		m.stats.WrongSource++
		m.servers.Mismatched(x.server)
		m.guess(e)
		return
	}
	result := x.check(m.tasks.at(x.task), msg)
	if result == checkOK {
		m.accept(e, msg)
		return
	}
	m.stats.mismatch(result)
	m.servers.Mismatched(x.server)
	if result == checkCase {
		m.confirmCase(e)
	} else {
		m.guess(e)
	}
}

// ReceiveStream takes what came of a query sent over TCP: a message, or the error that ended it.
func (m *Machine) ReceiveStream(now int64, ref uint64, msg []byte, err error) {
	m.now = now
	e := m.exchanges.of(ref)
	if e < 0 {
		return
	}
	defer m.wake()
	x := m.exchanges.at(e)
	if err != nil || len(msg) < wire.HeaderLen {
		m.streamFailed(e, servers.FailNetwork)
		return
	}
	m.stats.Responses++
	if x.id != wire.ID(msg) {
		m.stats.UnknownID++
		m.servers.Mismatched(x.server)
		m.streamFailed(e, servers.FailMalformed)
		return
	}
	result := x.check(m.tasks.at(x.task), msg)
	if result != checkOK {
		m.stats.mismatch(result)
		m.servers.Mismatched(x.server)
	}
	switch result {
	case checkOK:
		m.accept(e, msg)
	case checkCase: // Nobody can inject into the stream unseen: the server itself does not keep the case.
		m.plainCase(x.server)
		m.accept(e, msg)
	default:
		m.streamFailed(e, servers.FailMalformed)
	}
}

// guess counts a wrong response to a query; many mean that someone tries to hit it, and it goes to TCP.
func (m *Machine) guess(e int32) {
	x := m.exchanges.at(e)
	if x.guesses++; x.guesses < maxGuesses {
		return
	}
	m.stats.Spoofed++
	m.tasks.at(x.task).tried.Of(x.server).Stream = true
	m.again(e)
}

// accept takes a response that belongs to exchange e.
func (m *Machine) accept(e int32, msg []byte) {
	if m.tap != nil {
		m.heard(e, msg)
	}
	x := m.exchanges.at(e)
	srv := m.servers.At(x.server)
	t := m.tasks.at(x.task)
	a := t.tried.Of(x.server)
	resp := &m.inbox
	readable := resp.read(msg)
	resp.server = x.server
	if x.cookie && readable && !m.checkCookie(e, resp) {
		return
	}
	m.stats.Accepted++
	if m.tracer.on() {
		m.tracer.response(m.now, t, x, srv.Addr(), resp, readable)
	}
	m.families.Answered(srv.Addr().Addr())
	srv.Answered()
	if !x.stream {
		srv.Measured(m.now - x.sent)
		if x.learnCase(srv, a, resp.rcode, m.failing.doubt(), m.now) {
			m.stats.CaseFallbacks++
		}
	}
	switch {
	case wire.Flags(msg)&wire.FlagTC == 0:
	case x.stream:
		m.useless(e, servers.FailTruncated, wire.RcodeServFail)
		return
	default:
		m.stats.Truncated++
		srv.Truncated()
		a.Stream = true
		m.again(e)
		return
	}
	if !readable {
		m.useless(e, servers.FailMalformed, wire.RcodeServFail)
		return
	}
	if resp.hasOPT && !refusesEDNS(resp.rcode) {
		srv.EDNS.Seen()
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
	x := m.exchanges.at(e)
	srv := m.servers.At(x.server)
	a := m.tasks.at(x.task).tried.Of(x.server)
	switch rcode {
	case wire.RcodeNoError, wire.RcodeNXDomain, wire.RcodeYXDomain:
		x.learnFeatures(srv, a, !m.options.NoCookies, m.failing.doubt(), m.now)
		m.use(e, resp)
	case wire.RcodeFormErr, wire.RcodeNotImp, wire.RcodeBadVers:
		switch {
		case x.cookie: // Some take offence at any option.
			a.NoCookie = true
		case x.edns:
			m.stats.EDNSFallbacks++
			a.NoEDNS = true
		default:
			m.useless(e, servers.FailFormErr, rcode)
			return
		}
		m.again(e)
	case wire.RcodeBadCookie: // RFC 7873, section 5.3: again with the new cookie, then over TCP.
		switch {
		case x.stream:
			m.useless(e, servers.FailCookie, rcode)
			return
		case a.Cookie != servers.CookieFine:
			a.Stream = true
		}
		a.Cookie = max(a.Cookie, servers.CookieBad)
		m.again(e)
	case wire.RcodeServFail:
		m.useless(e, servers.FailServFail, rcode)
	case wire.RcodeRefused:
		m.useless(e, servers.FailRefused, rcode)
	default:
		m.useless(e, servers.FailRcode, rcode)
	}
}

// learnFeatures notes what a useful response tells of the features that its query did without. What may have been loss
// is first believed for doubt: without EDNS nothing validates. Without cookies, no query has any.
func (x *exchange) learnFeatures(srv *servers.Server, a *servers.Attempt, cookies bool, doubt, now int64) {
	switch {
	case x.edns || srv.EDNS.State() != servers.Unknown:
	case a.NoEDNS: // It said so.
		srv.EDNS.Lacks(now, servers.EDNSMemory)
	case a.Tries > 2:
		srv.EDNS.Doubt(now, doubt, servers.EDNSMemory)
	}
	if x.edns && !x.cookie && a.Silent && srv.Cookies.State() == servers.Unknown && cookies {
		// It may drop queries with options that it does not know. That is believed for twice as long as that it minds letter
		// case: so the first query in mixed case again has no cookie, and tells which of the two the server minds.
		srv.Cookies.Doubt(now, 2*doubt, servers.EDNSMemory)
	}
	if x.edns && a.NoCookie && (srv.Cookies.State() == servers.Unknown || a.Cookie == servers.CookieNotOurs) {
		srv.Cookies.Lacks(now, servers.EDNSMemory)
	}
}
