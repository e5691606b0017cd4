package resolver

import (
	"heimdall/core/resolver/known"
	"heimdall/core/resolver/servers"
	"heimdall/core/resolver/trust"
	"heimdall/core/wire"
)

// Machine resolves questions. Not safe for concurrent use; owned by one shard.
type Machine struct {
	options Options
	rnd     servers.Rand
	now     int64 // of the call that runs
	seed    uint64

	realms    realms
	servers   servers.Table
	tasks     tasks
	exchanges exchanges
	failing   failing
	chains    chains
	known     knowledge
	families  servers.Families

	delegations delegations
	validations []*validation // of the task with the same number; nil: none under way
	trust       trust.Store
	forwarders  forwarders
	held        held
	primed      int64 // when the root servers may be asked for again

	reserve int // tasks that are kept for sub-tasks
	actions []Action
	arena   []byte   // lent by actions
	waiting []uint32 // lent by actions

	findings findings
	inbox    response // memory of the message that came last
	message  message
	stats    Stats
	bogus    bogusCounts
	tracer   tracer
	tap      Tap // nil: nobody is told of responses

	heardLast Heard // on its way to tap
}

// New makes a machine. rnd is used from then on.
func New(o Options, rnd servers.Rand) *Machine {
	o = o.withDefaults()
	m := &Machine{
		options: o, rnd: rnd, seed: rnd.Uint64(),
		servers:   servers.NewTable(o.MaxServers, o.MaxTasks, [2]uint64{rnd.Uint64(), rnd.Uint64()}),
		tasks:     newTasks(&o, rnd.Uint64()),
		exchanges: newExchanges(2*o.MaxTasks+maxFlights, rnd.Uint64()),
		held:      newHeld(o.MaxTasks),
		failing:   newFailing(rnd.Uint64()),
		actions:   make([]Action, 0, 64),
		message:   newMessage(),
	}
	m.known.realms, m.known.trust, m.known.findings = &m.realms, &m.trust, &m.findings
	m.forwarders = forwarders{list: make(map[int32]*passing), notify: o.Notify, realms: &m.realms, servers: &m.servers, trust: &m.trust}
	m.delegations = delegations{options: &m.options, realms: &m.realms, known: &m.known.Store, servers: &m.servers, families: &m.families}
	seed := rnd.Uint64() // of m.known
	m.trust = trust.New(o.Anchors, o.TrustMemory)
	if o.Anchors != nil {
		m.validations = make([]*validation, o.MaxTasks)
	}
	if o.Recursion || o.Anchors != nil {
		m.reserve = o.MaxTasks / 8
		m.delegations.list = make([]delegation, o.MaxTasks)
		m.known.Store = known.New(o.Memory, seed)
	}
	m.Reconfigure(o.Groups)
	m.options.Groups, m.options.Memory = nil, nil
	return m
}

// Begin starts to resolve q for waiter, or lets it join the task that does so already.
func (m *Machine) Begin(now int64, q *Question, waiter uint32) Status {
	m.now = now
	hash := m.tasks.hash(q, 0)
	i := m.tasks.find(hash, q, 0)
	joined := i >= 0
	if !joined {
		if !m.recursive() && m.realms.groups.find(q.Name, q.Type) == nil && !m.realms.isHere(q.Name, q.Type) {
			return NoGroup
		}
		if m.tasks.table.Used() < m.options.MaxTasks-m.reserve {
			i = m.tasks.add(hash, q, 0)
		}
		if i < 0 {
			m.stats.Full++
			return Full
		}
	}
	t := m.tasks.at(i)
	if waiter != NoWaiter && !m.tasks.waiters.push(t, waiter) {
		m.stats.Full++
		if !joined {
			m.tasks.remove(i)
		}
		return Full
	}
	if joined {
		m.stats.Joined++
		return Joined
	}
	m.known.Step()
	m.stats.Started++
	t.deadline = now + int64(m.options.Timeout)
	t.fresh = waiter == NoWaiter
	if t.view >= anewView {
		t.fresh, t.above = true, 0
	}
	if m.tracer.on() {
		m.tracer.start(i, t)
	}
	m.start(i)
	m.wake()
	return Started
}

// Fire is called when the timer ref is due.
func (m *Machine) Fire(now int64, ref uint64) {
	m.now = now
	i := m.tasks.of(ref)
	if i < 0 {
		return
	}
	t := m.tasks.at(i)
	defer m.wake()
	gen := t.gen
	defer func() { // No other timer is under way for it.
		if t.running && t.gen == gen && t.armed == 0 {
			m.arm(i)
		}
	}()
	t.armed = 0
	if now >= t.deadline {
		m.expire(t)
		m.stats.TimedOut++
		m.fail(i, wire.EDENoReachableAuthority, "no server answered in time")
		return
	}
	if m.expire(t) && !m.exchanges.pending(t) && t.stage == stageAsk {
		t.askWhole(&m.servers)
		m.advance(i)
		return
	}
	m.nudged(i)
	m.arm(i)
}

// Timers returns how many timers there are: one for each task.
func (m *Machine) Timers() int { return m.tasks.table.Len() }

// expire moves the exchanges that are due past their time-out; it reports whether there were any.
func (m *Machine) expire(t *task) (any bool) {
	for i := t.flights; i >= 0; {
		x := m.exchanges.at(i)
		next := x.next
		if !x.late && m.now >= x.due {
			any = true
			if x.unsent() {
				t.tried.Of(x.server).Tries-- // It was none. maxQueries bounds how often.
				m.drop(i)
				i = next
				continue
			}
			x.late = true
			t.tried.Of(x.server).Silent = true
			m.servers.At(x.server).Overdue(m.now, x.sent)
			if m.tracer.on() {
				m.tracer.server(m.now, t, "timeout", m.servers.At(x.server).Addr(), "no response in time")
			}
			if x.stream {
				t.withoutStream(t.tried.Of(x.server), &m.servers)
				m.drop(i)
			}
		}
		i = next
	}
	return any
}

// arm sees to it that a timer fires when the next thing of a task is due.
func (m *Machine) arm(i int32) {
	t := m.tasks.at(i)
	due := m.exchanges.due(t)
	if t.nudge != 0 {
		due = min(due, max(t.nudge, m.now))
	}
	if t.armed != 0 && t.armed <= due {
		return
	}
	t.armed = due
	m.actions = append(m.actions, Action{Kind: Timer, Ref: makeRef(timerRef, t.gen, i), At: due})
}

// end gives back a task and all it holds, after its Respond.
func (m *Machine) end(i int32) {
	t := m.tasks.at(i)
	m.dropAll(t)
	m.held.bytes -= m.chains.release(&t.chain)
	m.letGo(i)
	m.tasks.notify(t)
	m.tasks.remove(i)
}
