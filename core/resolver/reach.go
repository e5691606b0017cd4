package resolver

import (
	"math"

	"heimdall/core/resolver/servers"
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

// busyPause is how many nanoseconds pass until what a limit of ours kept back is tried again.
const busyPause = int64(100e6)

// SendFailed reports that the query ref could not be sent.
func (m *Machine) SendFailed(now int64, ref uint64, why Obstacle) {
	m.now = now
	e := m.exchanges.of(ref)
	if e < 0 {
		return
	}
	defer m.wake()
	x := m.exchanges.at(e)
	if why == Busy {
		m.postpone(e)
		return
	}
	s := m.servers.At(x.server)
	s.Unreachable(now)
	if why == NoRoute {
		m.families.NoRoute(s.Addr().Addr(), now)
	}
	t := m.tasks.at(x.task)
	m.tasks.refund(t) // Each server that cannot be sent to is tried once.
	m.streamFailed(e, servers.FailNetwork)
}

// Refused reports that the network says of the query ref that it reached nobody: an ICMP message from the server, or from
// whoever has guessed the port. It ends this query, and others are preferred to the server until it answers again; it is
// not down for it.
func (m *Machine) Refused(now int64, ref uint64) {
	m.now = now
	e := m.exchanges.of(ref)
	if e < 0 {
		return
	}
	defer m.wake()
	m.servers.At(m.exchanges.at(e).server).Refused()
	m.useless(e, servers.FailNetwork, wire.RcodeServFail)
}

// never is when a query was sent that waits to be tried again when it is due.
const never = math.MinInt64

func (x *exchange) unsent() bool { return x.sent == never }

// postpone goes on with a task whose query was kept back by a limit of ours: another server that was not asked yet is
// asked at once, this one after a pause. The server is not to blame.
func (m *Machine) postpone(e int32) {
	x := m.exchanges.at(e)
	i := x.task
	t := m.tasks.at(i)
	x.sent, x.due = never, min(m.now+busyPause, t.deadline)
	if r, ok := m.route(i); ok {
		for _, s := range r.servers {
			if n, usable := m.servers.Tries(&t.tried, s); usable && n == 0 && !m.exchanges.pendingBeside(t, e) {
				m.advance(i)
				return
			}
		}
	}
	m.arm(i)
}
