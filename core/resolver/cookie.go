package resolver

import "heimdall/core/resolver/servers"

// checkCookie compares the cookie in a response with the one that was sent (RFC 7873, section 5.3). False if
// the response must not be used: a wrong one is not taken, a missing one has to be explained over TCP.
func (m *Machine) checkCookie(e int32, resp *response) bool {
	x := m.exchanges.at(e)
	srv, c := m.servers.At(x.server), resp.cookie
	switch {
	case srv.Cookie.Returned(c):
		if srv.Cookies.Heard(); srv.Cookie.Keep(c) {
			srv.Cookies.Seen()
		}
	case x.stream: // Nobody can inject into the stream unseen: the server itself gives none, or one of somebody else's.
		if c == nil && srv.Cookies.State() == servers.Works || c != nil {
			srv.Cookies.Lacks(m.now, servers.CaseMemory)
		}
	case c != nil:
		m.stats.WrongCookie++
		m.servers.Mismatched(x.server)
		m.doubtCookie(e, srv)
		return false
	case srv.Cookies.State() == servers.Works:
		m.stats.NoCookie++
		m.tasks.at(x.task).tried.Of(x.server).Stream = true
		m.again(e)
		return false
	}
	return true
}

// doubtCookie reacts to a datagram with a cookie that is not ours: a guess, or a box that keeps options with the answers
// in its cache and gives them to whoever asks next. The query stays open, and the server is asked again at once: over TCP
// if it has given our cookie before, else without a cookie.
func (m *Machine) doubtCookie(e int32, srv *servers.Server) {
	a := m.tasks.at(m.exchanges.at(e).task).tried.Of(m.exchanges.at(e).server)
	if a.Cookie == servers.CookieNotOurs {
		m.guess(e)
		return
	}
	a.Cookie = servers.CookieNotOurs
	if srv.Cookies.State() == servers.Works {
		a.Stream = true
	} else {
		a.NoCookie = true
	}
	m.beside(e)
}

// shielded says whether a query is protected by a cookie that its server has returned before, so that it need not leave
// from a port of its own. When the last one was lost it does, to hear at once that nobody listens any more.
func (x *exchange) shielded(srv *servers.Server) bool {
	return x.cookie && srv.Cookies.State() == servers.Works && !srv.Silent()
}
