package shard

import (
	"net/netip"

	"heimdall/core"
	"heimdall/core/resolver"
	"heimdall/netio"
	"heimdall/shard/tap/ring"
)

// recorder writes down what clients ask and get, and what other servers are asked and say, for the query log and dnstap. It
// implements core.Tap and resolver.Tap.
type recorder struct {
	shard  *Shard
	ring   *ring.Ring // nil: nothing is recorded
	sel    ring.Selection
	random uint64 // state of the generator that chooses samples
	rec    ring.Record
}

// SetTap has records that a selection wants written into a ring, which is this shard's alone; nil: none are. Only for
// commands.
func (s *Shard) SetTap(to *ring.Ring, sel ring.Selection) {
	t := &s.recorder
	if t.ring != nil {
		t.ring.Publish(s.now)
	}
	if to != nil && to != t.ring {
		to.Reopen()
	}
	t.shard, t.ring, t.sel, t.random = s, to, sel, t.random|1
	s.engine.Tap = nil
	s.engine.Resolver().SetTap(nil)
	if to == nil {
		return
	}
	s.engine.Tap = t
	if t.upstream() {
		s.engine.Resolver().SetTap(t)
	}
}

// upstream tells whether messages of other servers are recorded.
func (t *recorder) upstream() bool {
	const types = ring.ResolverQuery | ring.ResolverResponse | ring.ForwarderQuery | ring.ForwarderResponse
	return t.ring != nil && t.sel.Frames > 0 && t.sel.Messages&types != 0
}

// one tells whether the next one of n is to be chosen, at random.
func (t *recorder) one(n uint32) bool {
	if n <= 1 {
		return n == 1
	}
	t.random = t.random*6364136223846793005 + 1442695040888963407 // Knuth, MMIX
	return t.random>>32*uint64(n)>>32 == 0
}

// pending tells whether there are records to publish.
func (t *recorder) pending() bool { return t.ring != nil && t.ring.Pending() }

// publish gives the reader what was recorded since the last time: it was answered at the time now.
func (t *recorder) publish(now int64) {
	if t.ring != nil {
		t.ring.Publish(now)
	}
}

// put writes t.rec.
func (t *recorder) put() {
	if t.ring.Put(&t.rec) {
		t.shard.stats.Recorded++
	} else {
		t.shard.stats.Unrecorded++
	}
}

// Exchange implements core.Tap.
func (t *recorder) Exchange(x *core.Exchange) {
	query, response := ring.ClientQuery, ring.ClientResponse
	if x.Source == core.FromZone {
		query, response = ring.AuthQuery, ring.AuthResponse
	}
	bits := t.frames(x.Query != nil && t.sel.Messages&query != 0, x.Response != nil && t.sel.Messages&response != 0)
	if x.Response != nil {
		if t.one(t.sel.Lines) {
			bits |= ring.Line
		} else if t.sel.Rules {
			bits |= ring.Look
		}
	}
	if bits == 0 || !t.client(x) {
		return
	}
	if x.DO {
		bits |= ring.DO
	}
	if x.Secure {
		bits |= ring.Secure
	}
	r := &t.rec
	r.Kind, r.Source, r.Bits = ring.Client, uint8(x.Source), bits
	r.Flags, r.Rcode, r.EDE, r.Question, r.Size = x.Flags, uint16(x.Rcode), uint16(x.EDE), uint16(x.Question), uint16(len(x.Response))
	r.Query, r.Response, r.Zone = nil, x.Response, nil
	if bits&ring.QueryFrame != 0 {
		r.Query = x.Query
	}
	if bits&ring.ResponseFrame == 0 { // The query log needs no more.
		r.Response = x.Response[:min(len(x.Response), x.Question)]
	}
	t.put()
}

// frames is what dnstap wants of a query, a response, or both.
func (t *recorder) frames(query, response bool) (bits ring.Bits) {
	if !query && !response || !t.one(t.sel.Frames) {
		return 0
	}
	if query {
		bits = ring.QueryFrame
	}
	if response {
		bits |= ring.ResponseFrame
	}
	return bits
}

// client notes who has asked, where and when; false: it has gone.
func (t *recorder) client(x *core.Exchange) bool {
	s := t.shard
	at, port, transport := &s.peer, -1, ring.TCP
	t.rec.Asked = s.now
	switch {
	case x.To != 0:
		to := s.targets.find(x.To)
		if to == nil || to.kind == elsewhere {
			return false
		}
		t.rec.Asked = to.since
		if at = &to.peer; to.kind == datagram {
			port, transport = int(to.port), ring.UDP
		}
	case x.Tag != streamTag:
		at, port, transport = &s.in[x.Tag].Peer, int(s.port), ring.UDP
	}
	t.rec.Transport = transport
	t.rec.Peer, t.rec.PeerPort = at.Addr, at.Port
	t.rec.Local, t.rec.LocalPort = s.local(port, at)
	return true
}

// local is the address and port where a client has asked, by the number of the port, or by the address if that is none of a
// listen address.
func (s *Shard) local(port int, e *netio.Endpoint) ([16]byte, uint16) {
	list := s.opt.Addrs
	if port < 0 || port >= len(list) {
		port = s.addrOf(e)
	}
	if port < 0 {
		return e.Local, e.LocalPort
	}
	if e.Local == ([16]byte{}) {
		return list[port].Addr().As16(), list[port].Port()
	}
	return e.Local, list[port].Port()
}

// addrOf finds the listen address that a client has asked at, or -1.
func (s *Shard) addrOf(e *netio.Endpoint) int {
	found := -1
	for i, a := range s.opt.Addrs {
		switch {
		case e.LocalPort != 0 && a.Port() != e.LocalPort:
		case e.Local != [16]byte{} && a.Addr().As16() == e.Local:
			return i
		case a.Addr().Unmap().Is4() == e.Is4() && (a.Addr().IsUnspecified() == (e.Local != [16]byte{})) && found < 0:
			found = i
		}
	}
	return found
}

// sent records a query to another server.
func (t *recorder) sent(q *resolver.Action, sock uint16, msg []byte) {
	zone, forward := t.shard.engine.Resolver().Asked(q.Ref)
	typ := ring.ResolverQuery
	if forward {
		typ = ring.ForwarderQuery
	}
	bits := t.frames(t.sel.Messages&typ != 0, false)
	if bits == 0 {
		return
	}
	t.server(bits, forward, zone, q.Server, q.Stream, sock)
	t.rec.Asked, t.rec.Query, t.rec.Response = t.shard.now, msg, nil
	t.put()
}

// Heard implements resolver.Tap.
func (t *recorder) Heard(h *resolver.Heard) {
	typ := ring.ResolverResponse
	if h.Forward {
		typ = ring.ForwarderResponse
	}
	bits := t.frames(false, t.sel.Messages&typ != 0)
	if bits == 0 {
		return
	}
	t.server(bits, h.Forward, h.Zone, h.Server, h.Stream, h.Sock)
	t.rec.Asked, t.rec.Query, t.rec.Response = h.Sent, nil, h.Msg
	t.put()
}

// server fills in what a query to another server and its response have in common.
func (t *recorder) server(bits ring.Bits, forward bool, zone []byte, server netip.AddrPort, stream bool, sock uint16) {
	r := &t.rec
	*r = ring.Record{Kind: ring.Upstream, Transport: ring.TCP, Bits: bits, Peer: server.Addr().As16(), PeerPort: server.Port(), Zone: zone}
	if forward {
		r.Bits |= ring.Forward
	}
	if !stream {
		local := t.shard.out.Local(sock)
		r.Transport, r.LocalPort = ring.UDP, local.Port()
		if local.IsValid() && !local.Addr().IsUnspecified() {
			r.Local = local.Addr().As16()
		}
	}
}
