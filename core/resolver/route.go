package resolver

import (
	"heimdall/core/dname"
)

// routeKind is the way in which the present name of a task is asked for.
type routeKind uint8

const (
	forward routeKind = iota
	stub
	iterate
	here // nobody: it is known here
)

// route says who is asked: which servers, and which names they are believed about.
type route struct {
	kind    routeKind
	zone    dname.Name
	group   *group // that the present name belongs to; nil: none, it is resolved from the root on
	below   bool   // a zone that is served here leads to the servers
	servers []int32
}

// bailiwick is the zone within which the records of a response from r may stand at all. That of forwarders is the
// root: the SOA and NSEC records of a negative answer are those of whatever zone the name is in.
func (r *route) bailiwick() dname.Name {
	if r.kind == forward { // that of what is known here is the root as well
		return dname.Root()
	}
	return r.zone
}

// route tells who is asked for the present name of a task; false if nobody is. It begins nothing and looks nothing up: locate
// has found the delegation. A server that was never asked gets its place in the table of servers. The result is valid until
// the next call, and no longer than the task has this name.
func (m *Machine) route(i int32) (route, bool) {
	t := m.tasks.at(i)
	g := m.realms.groups.find(t.current(), t.typ)
	switch {
	case t.below && t.delegated: // A zone that is served here leads to them.
	case g != nil && g.kind == Forward:
		return route{kind: forward, zone: g.zone, group: g, servers: g.servers}, true
	case g != nil && !(t.delegated && m.recursive() && m.delegations.at(i).labels > uint8(g.zone.Labels())):
		return route{kind: stub, zone: g.zone, group: g, servers: g.servers}, true
	case !t.delegated:
		return route{}, false
	}
	// Of a stub zone, a zone cut below it leads on from it.
	zone := t.current().Suffix(int(m.delegations.at(i).labels))
	return route{kind: iterate, zone: zone, group: g, below: t.below, servers: m.delegations.gather(t, m.delegations.at(i), m.now)}, true
}

// locate finds the closest delegation above the present name of a task, and what is known of the addresses of its servers.
// If group g is not nil, it owns the name, and only delegations below its zone count. Where only hints lead to the root
// servers, these are asked for their names and addresses. False if there is no delegation.
func (m *Machine) locate(i int32, g *group) bool {
	t := m.tasks.at(i)
	least := 0
	if g != nil {
		least = g.zone.Labels() + 1
	}
	if t.delegated = m.recursive() && m.delegations.closest(t, m.delegations.at(i), least, m.now); !t.delegated {
		return false
	}
	if m.delegations.at(i).hints && t.depth != primeDepth {
		m.prime()
	}
	m.delegations.look(t, m.delegations.at(i), m.now)
	return true
}

// reroute has a task forget the servers of its present name if the routes have changed since it chose them: what these
// servers still say counts for nothing. True if the routes have changed: the task has no exchange left, and start goes on.
func (m *Machine) reroute(i int32) bool {
	t := m.tasks.at(i)
	if t.routes == m.tasks.routes {
		return false
	}
	t.routes, t.stage = m.tasks.routes, stageAsk
	m.letGo(i)
	m.dropAll(t)
	if t.anchors != m.tasks.anchors {
		m.forgetAliases(t)
	}
	t.restart()
	return true
}
