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
	minimiseOne  = 4  // RFC 9156, section 2.3: MINIMISE_ONE_LAB
	maxMinimised = 10 // MAX_MINIMISE_COUNT
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

// minimise decides how many labels of the present name the next question shows.
func (m *Machine) minimise(t *task, zone int) {
	full := t.current().Labels()
	if m.options.PlainNames || t.plainNames || t.depth == primeDepth || t.steps >= maxMinimised {
		t.asked = uint8(full)
		return
	}
	if int(t.asked) <= zone {
		t.asked = uint8(zone + 1)
	}
	if t.steps++; t.steps > minimiseOne {
		left := maxMinimised - int(t.steps) + 1
		t.asked += uint8((full - int(t.asked)) / max(left, 1))
	}
	// Labels such as _tcp are no zone cuts.
	for n := int(t.asked); n < full && t.current().Suffix(n)[1] == '_'; n++ {
		t.asked++
	}
	t.asked = min(t.asked, uint8(full))
}

// askWhole asks for the whole name, when two queries for a shorter one were not answered: some servers drop questions for
// names that they have no data for (RFC 9156, section 2.3).
func (m *Machine) askWhole(t *task) {
	if !t.chosen || t.plainNames || int(t.asked) >= t.current().Labels() {
		return
	}
	tries := 0
	for n := range t.tried.All() {
		tries += int(t.tried.All()[n].Tries)
	}
	if tries < 2 {
		return
	}
	t.plainNames, t.chosen = true, false
	for n := range t.tried.All() {
		m.servers.OnceMore(&t.tried.All()[n])
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
