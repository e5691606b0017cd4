package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Bounds of iteration. NXNSAttack (USENIX Security '20) multiplies one query into one for each name that a
// delegation lists, so these names are looked up few at a time and few in all.
const (
	maxDepth     = 6   // sub-tasks of sub-tasks
	trustDepth   = 2   // from here on sibling glue is not verified
	maxTotal     = 128 // queries for one client's question, those of sub-tasks included
	maxSpawned   = 12  // sub-tasks for one delegation
	maxElsewhere = 4   // likewise, where those for servers whose known addresses cannot be asked end
	spawnAtOnce  = 2   // names of servers looked up at a time
	primeDepth   = 254 // marks the task that asks for the root servers
	primeEvery   = int64(60e9)
)

// recursive says whether names that no group owns are resolved from the root servers on.
func (m *Machine) recursive() bool { return m.options.Recursion && m.known.Keeps() }

// start begins with the present name of a task.
func (m *Machine) start(i int32) {
	t := m.tasks.at(i)
	if t.isLink(&m.trust) {
		m.startLink(i)
		return
	}
	if m.fromHere(i) {
		return
	}
	if !t.below && !t.fresh && m.fromKnowledge(i) {
		return
	}
	t.fresh = t.fresh && t.chain < 0
	m.advance(i)
}

// spawn starts sub-tasks that look for the addresses of servers. It says whether there are any to wait for.
func (m *Machine) spawn(i int32) bool {
	t, d := m.tasks.at(i), m.delegations.at(i)
	if t.depth >= maxDepth && t.depth != primeDepth || t.depth == primeDepth {
		return t.subs > 0
	}
	zone := t.current().Suffix(int(d.labels))
	if zone.IsRoot() {
		return t.subs > 0 // Only the root servers could tell.
	}
	// Where there is sibling glue to fall back on, one address that confirms or corrects it is enough.
	atOnce, light := spawnAtOnce, d.lesser != 0
	if light {
		atOnce = 1
	}
	started := 0
	for n := 0; n < int(d.nns) && started < atOnce && t.spawned < maxSpawned; n++ {
		if d.ns[n].state&nsAsked != 0 || m.delegations.located(d, n, m.now) || t.spawned >= maxElsewhere && d.ns[n].state != 0 {
			continue
		}
		if m.askFor(i, n, zone, light) {
			started++
		}
	}
	return t.subs > 0
}

// noLimit lets a task begin at any delegation.
const noLimit = 255

// sub makes task i wait for a sub-task that looks for an address. Sub-tasks wait only for deeper ones, so
// that no two wait for each other.
func (m *Machine) sub(i int32, name dname.Name, typ wire.Type, above int) bool {
	t := m.tasks.at(i)
	q := Question{Name: name, Type: typ, Class: t.class, CD: true, View: t.view}
	depth := t.depth + 1
	hash := m.tasks.hash(&q, depth)
	if m.failing.blocked(hash, m.now) || m.realms.isHere(name, typ) {
		return false
	}
	if _, known := m.known.View(name, typ, t.class, m.seconds()); known {
		return false // It has none, or look would have found it.
	}
	s := m.tasks.find(hash, &q, depth)
	fresh := s < 0
	if fresh {
		if s = m.tasks.add(hash, &q, depth); s < 0 {
			return false
		}
		c := m.tasks.at(s)
		c.deadline, c.origin, c.originGen, c.above = t.deadline, t.origin, t.originGen, uint8(above)
		c.plainNames = above != noLimit // The parent would but refer to the zone once more.
	}
	if !m.tasks.dependents.add(&m.tasks.at(s).parents, i, t.gen) {
		if fresh {
			m.tasks.remove(s)
		}
		return false
	}
	t.subs++
	if m.tracer.on() {
		m.tracer.note(m.now, t, "lookup", "the address of a server: "+name.String()+" "+typ.String())
	}
	t.spawned++
	if fresh {
		m.stats.SubTasks++
		m.start(s)
	}
	return true
}

// prime asks the root servers for their names and addresses (RFC 8109) beside the task that needed them.
func (m *Machine) prime() {
	if m.now < m.primed {
		return
	}
	m.primed = m.now + primeEvery
	q := Question{Name: dname.Root(), Type: wire.TypeNS, Class: wire.ClassIN}
	hash := m.tasks.hash(&q, primeDepth)
	if m.tasks.find(hash, &q, primeDepth) >= 0 {
		return
	}
	if s := m.tasks.add(hash, &q, primeDepth); s >= 0 {
		t := m.tasks.at(s)
		t.deadline, t.fresh = m.now+int64(m.options.Timeout), true
		m.advance(s)
	}
}

// wake goes on with the tasks whose sub-tasks have ended. It runs at the end of each call.
func (m *Machine) wake() {
	for ready := &m.tasks.ready; len(*ready) > 0; {
		r := (*ready)[len(*ready)-1]
		*ready = (*ready)[:len(*ready)-1]
		t := m.tasks.at(r.parent)
		if !t.running || t.gen != r.gen {
			continue
		}
		t.subs--
		if m.reroute(r.parent) {
			m.start(r.parent)
			continue
		}
		switch t.stage {
		case stageTrust:
			m.climb(r.parent)
			continue
		case stageVerify:
			continue
		}
		if !t.delegated {
			continue
		}
		d := m.delegations.at(r.parent)
		for n := range int(d.nns) {
			if d.ns[n].state&nsAsked != 0 {
				m.delegations.lookFor(t, d, n, m.now)
			}
		}
		if t.desperate {
			m.delegations.lookAside(t, d, m.now)
		}
		m.resume(r.parent)
	}
}
