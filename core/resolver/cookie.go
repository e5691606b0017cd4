package resolver

import "encoding/binary"

// checkCookie compares the cookie in a response with the one that was sent (RFC 7873, section 5.3). False if
// the response must not be used: a wrong one is not taken, a missing one has to be explained over TCP.
func (m *Machine) checkCookie(e int32, resp *response) bool {
	x := &m.exchanges.list[e]
	srv, c := &m.servers.list[x.server], resp.cookie
	switch {
	case resp.returns(srv):
		srv.cookieDrops = 0
		if size := len(c) - len(srv.ours); size >= 8 && size <= len(srv.theirs) {
			srv.theirsLen = uint8(copy(srv.theirs[:], c[len(srv.ours):]))
			srv.cookies = works
		}
	case x.stream: // Nobody can inject into the stream unseen: the server itself gives none, or one of somebody else's.
		if c == nil && srv.cookies == works || c != nil {
			srv.cookies, srv.cookiesUntil = broken, m.now+caseMemory
		}
	case c != nil:
		m.stats.WrongCookie++
		m.servers.mismatched(x.server)
		m.doubtCookie(e, srv)
		return false
	case srv.cookies == works:
		m.stats.NoCookie++
		m.tasks.list[x.task].attempt(x.server).stream = true
		m.again(e)
		return false
	}
	return true
}

// doubtCookie reacts to a datagram with a cookie that is not ours: a guess, or a box that keeps options with the answers
// in its cache and gives them to whoever asks next. The query stays open, and the server is asked again at once: over TCP
// if it has given our cookie before, else without a cookie.
func (m *Machine) doubtCookie(e int32, srv *server) {
	a := m.tasks.list[m.exchanges.list[e].task].attempt(m.exchanges.list[e].server)
	if a.cookie == cookieNotOurs {
		m.guess(e)
		return
	}
	a.cookie = cookieNotOurs
	if srv.cookies == works {
		a.stream = true
	} else {
		a.noCookie = true
	}
	m.beside(e)
}

// cookie appends the cookies to send to the server.
func (s *server) cookie(dst []byte, rnd Rand) []byte {
	if s.ours == [8]byte{} {
		binary.LittleEndian.PutUint64(s.ours[:], rnd.Uint64()|1)
	}
	return append(append(dst, s.ours[:]...), s.theirs[:s.theirsLen]...)
}

// withoutCookies remembers that a server answered only when asked without a cookie: it may drop queries with options that
// it does not know, or one was lost. That is believed like the lack of EDNS, but for twice as long as that of letter case:
// when the question is in mixed case again, it tells which of the two the server minds.
func (s *server) withoutCookies(now int64, seconds uint32) {
	s.cookies, s.cookiesUntil = broken, now+min(ednsMemory, 2*int64(seconds)*1e9<<s.cookieDrops)
	s.cookieDrops = min(s.cookieDrops+1, 10)
}

func (s *server) useCookie(now int64) bool {
	if s.cookies == broken && now >= s.cookiesUntil {
		s.cookies = unknown
	}
	return s.cookies != broken
}

// shielded says whether a query is protected by a cookie that its server has returned before, so that it need not leave
// from a port of its own. When the last one was lost it does, to hear at once that nobody listens any more.
func (x *exchange) shielded(srv *server) bool {
	return x.cookie && srv.cookies == works && srv.timeouts == 0
}
