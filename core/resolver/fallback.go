package resolver

import (
	"net/netip"

	"heimdall/core/dname"
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// renewal is whether the parent zone was asked once more for the servers of a zone that do not answer.
type renewal uint8

const (
	notRenewed renewal = iota
	askingParent
	renewed // or the parent does not answer either
)

// widen looks for other servers when those of the task's delegation were asked in vain. It tries, in this order: server names
// without an address, addresses of lesser rank, what the parent says now, and at last addresses other than the parent's.
// True if the task has gone on in this way, or waits. Such servers are believed as the delegation's others are: within its
// zone.
func (m *Machine) widen(i int32, r *route, c *servers.Choice) bool {
	t, d := m.tasks.at(i), m.delegations.at(i)
	waits := t.subs > 0 || m.spawn(i)
	if !waits && !t.lesser {
		t.lesser = true
		if m.delegations.lookAside(t, d, m.now); d.lesser != 0 {
			m.advance(i)
			return true
		}
		waits = m.spawn(i) // for names that the zone itself gives
	}
	if !waits && m.settle(i) {
		return true
	}
	if !waits && m.renews(t, d, c) {
		m.dropAll(t)
		t.restart()
		t.renewal, t.above = askingParent, uint8(d.labels-1)
		m.advance(i)
		return true
	}
	switch {
	case c.Found():
		return false
	case waits || m.spawnDesperate(i):
		if m.delegations.unlocated(t, d, m.now) {
			t.nudge = m.now + nudgeAfter
		}
		m.arm(i)
		return true
	case t.renewal == askingParent: // It is out of reach itself: back to the servers that it named earlier.
		m.dropAll(t)
		t.restart()
		t.renewal = renewed
		m.advance(i)
		return true
	}
	return false
}

// nudgeAfter is how many nanoseconds a task waits for the addresses of some servers until it looks for those of more: the
// zones that the servers are named in may not answer.
const nudgeAfter = int64(800e6)

// nudged looks for the addresses of more servers if it is time.
func (m *Machine) nudged(i int32) {
	t := m.tasks.at(i)
	if t.nudge == 0 || m.now < t.nudge {
		return
	}
	t.nudge = 0
	if t.delegated && t.stage == stageAsk && t.subs > 0 && !m.exchanges.pending(t) && m.spawn(i) && m.delegations.unlocated(t, m.delegations.at(i), m.now) {
		t.nudge = m.now + nudgeAfter
	}
}

// renews says whether the parent is asked once more for the servers of a zone. It is if its word is older than failures are
// remembered, and there is no good server left to ask, or little time.
func (m *Machine) renews(t *task, d *delegation, c *servers.Choice) bool {
	return d.cached && t.renewal == notRenewed && d.labels > 0 && m.seconds()-d.stored >= m.failing.most &&
		(!c.Up() || t.deadline-m.now < int64(m.options.Timeout)*2/3)
}

// spawnDesperate starts sub-tasks for the addresses of servers outside of the zone whose addresses the parent gave, when
// none of them is of use. It says whether there are any to wait for.
func (m *Machine) spawnDesperate(i int32) bool {
	t, d := m.tasks.at(i), m.delegations.at(i)
	zone := t.current().Suffix(int(d.labels))
	if t.desperate || t.depth >= trustDepth || zone.IsRoot() {
		return false
	}
	t.desperate = true
	started := 0
	for n := 0; n < int(d.nns) && started < spawnAtOnce && t.spawned < maxSpawned; n++ {
		if ns := &d.ns[n]; ns.state&nsAsked == 0 && !d.name(n).In(zone) && m.askFor(i, n, zone, false) {
			started++
		}
	}
	return t.subs > 0
}

// askFor starts the sub-tasks that look for the addresses of one server's name: of the family, if one is known, that is
// not known.
func (m *Machine) askFor(i int32, n int, zone dname.Name, light bool) (begun bool) {
	d := m.delegations.at(i)
	name := d.name(n)
	if dname.Equal(name, m.tasks.at(i).current()) {
		return false
	}
	d.ns[n].state |= nsAsked
	above := noLimit
	if name.In(zone) {
		above = int(d.labels) - 1 // Its own servers are out of reach, but the parent's may know.
	}
	has := [2]bool{m.options.NoIPv4, m.options.NoIPv6}
	for a, owner := range d.owners[:d.naddrs] {
		if int(owner) == n && above != noLimit {
			has[servers.Family(netip.AddrFrom16(d.addrs[a]).Unmap())] = true
		}
	}
	begun = !has[0] && m.sub(i, name, wire.TypeA, above)
	if !has[1] && !(light && begun) {
		begun = m.sub(i, name, wire.TypeAAAA, above) || begun
	}
	return begun
}
