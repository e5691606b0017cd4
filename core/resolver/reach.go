package resolver

import (
	"math"
	"net/netip"
	"slices"

	"heimdall/core/wire"
)

// Obstacle is why a query could not be sent.
type Obstacle uint8

const (
	// NoObstacle: it was sent.
	NoObstacle Obstacle = iota
	// NoRoute: nothing leads to the server, or the host has no address of the server's family.
	NoRoute
	// Forbidden: this host does not let it be sent to this address.
	Forbidden
	// Busy: a limit of this host or process is reached, such as that of descriptors or of streams. It says nothing
	// about the server.
	Busy
)

const (
	barredFor  = int64(5e9)   // nanoseconds that an address is left alone to which nothing could be sent
	busyPause  = int64(100e6) // nanoseconds until what a limit of ours kept back is tried again
	shutAfter  = 8            // distinct networks in a row without a route until their family is taken to have none
	familyShut = int64(60e9)  // nanoseconds that such a family is left alone
)

// SendFailed reports that the query ref could not be sent.
func (m *Machine) SendFailed(now int64, ref uint64, why Obstacle) {
	m.now = now
	e := m.exchange(ref)
	if e < 0 {
		return
	}
	defer m.wake()
	x := &m.exchanges.list[e]
	if why == Busy {
		m.postpone(e)
		return
	}
	s := &m.servers.list[x.server]
	s.barredUntil = now + barredFor
	if why == NoRoute {
		m.families[family(s.addr.Addr())].noRoute(s.addr.Addr(), now)
	}
	t := &m.tasks.list[x.task]
	t.queries-- // Each server that cannot be sent to is tried once.
	if o := &m.tasks.list[t.origin]; o.running && o.gen == t.originGen {
		o.total--
	}
	m.streamFailed(e, FailNetwork)
}

// Refused reports that the network says of the query ref that it reached nobody: an ICMP message from the server, or from
// whoever has guessed the port. It ends this query, and others are preferred to the server until it answers again; it is
// not down for it.
func (m *Machine) Refused(now int64, ref uint64) {
	m.now = now
	e := m.exchange(ref)
	if e < 0 {
		return
	}
	defer m.wake()
	s := &m.servers.list[m.exchanges.list[e].server]
	s.backoff = max(s.backoff, 1)
	m.useless(e, FailNetwork, wire.RcodeServFail)
}

// never is when a query was sent that waits to be tried again when it is due.
const never = math.MinInt64

func (x *exchange) unsent() bool { return x.sent == never }

// postpone goes on with a task whose query was kept back by a limit of ours: another server that was not asked yet is
// asked at once, this one after a pause. The server is not to blame.
func (m *Machine) postpone(e int32) {
	x := &m.exchanges.list[e]
	i := x.task
	t := &m.tasks.list[i]
	x.sent, x.due = never, min(m.now+busyPause, t.deadline)
	if r, ok := m.route(i); ok {
		for _, s := range r.servers {
			if n, usable := t.tries(s, m.mostTries(s)); usable && n == 0 && !m.pendingElsewhere(t, e) {
				m.advance(i)
				return
			}
		}
	}
	m.arm(i)
}

// pendingElsewhere says whether a task waits for another query than e that is within its time.
func (m *Machine) pendingElsewhere(t *task, e int32) bool {
	for i := t.flights; i >= 0; i = m.exchanges.list[i].next {
		if x := &m.exchanges.list[i]; i != e && !x.late && !x.probe && !x.unsent() {
			return true
		}
	}
	return false
}

// familyState tells whether this host can reach a family of addresses at all. An address that cannot be sent to says
// little, as does a network: strangers name them.
type familyState struct {
	networks [shutAfter]uint32 // without a route, since a server of the family answered last
	count    uint8
	until    int64 // the family is left alone
}

// noRoute counts an address that no route leads to.
func (f *familyState) noRoute(ip netip.Addr, now int64) {
	n := networkOf(ip)
	if f.count < shutAfter && !slices.Contains(f.networks[:f.count], n) {
		f.networks[f.count] = n
		f.count++
	}
	if f.count == shutAfter {
		f.until = now + familyShut
	}
}

func (f *familyState) answered() { f.count, f.until = 0, 0 }

// networkOf is what is likely to share a fate with an address: 256 to the IPv4 Internet, as many as there are providers
// to the IPv6 Internet, and one for all IPv6 addresses that are not of it, or lead to IPv4 ones.
func networkOf(ip netip.Addr) uint32 {
	if ip.Is4() {
		return uint32(ip.As4()[0])
	}
	a := ip.As16()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	if n>>29 != 1 || n>>16 == 0x2002 || n == 0x20010000 {
		return 0
	}
	return n
}

// shut says whether the servers of a family are left alone for now: only while those of the other family may be asked.
func (m *Machine) shut(family int) bool {
	off := [2]bool{m.options.NoIPv4, m.options.NoIPv6}
	return m.now < m.families[family].until && !off[1-family] && m.now >= m.families[1-family].until
}

func family(ip netip.Addr) int {
	if ip.Is4() {
		return 0
	}
	return 1
}
