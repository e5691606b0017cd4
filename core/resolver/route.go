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

// route finds the servers for the present name of a task; false if there are none. It begins nothing and learns nothing:
// locate has found the delegation. The result is valid until the next call and the end of the present name.
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

// locate finds the delegation from which the present name of a task, which group g owns if it is not nil, is asked for, and
// what is known of the addresses of its servers. The root servers are primed where only hints lead to them. False if
// nothing is found.
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

// reroute has a task forget the servers of its present name if the routes have changed since it chose them: what they
// still say counts for nothing. True if they have; the task then has no exchange left, and start goes on.
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
