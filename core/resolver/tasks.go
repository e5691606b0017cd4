package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/slots"
)

// tasks are the tasks with who waits for them. A task is found by its question.
type tasks struct {
	table      slots.Table[task]
	heads      []int32 // of hash chains
	seed       uint64
	waiters    waiters
	dependents dependents
	ready      []dependent // sub-tasks of theirs have ended

	routes  uint32 // counts the changes of what is asked whom
	zones   uint32 // counts the changes of what is known here
	anchors uint32 // counts the changes of the trust anchors that touch tasks under way
}

func newTasks(o *Options, seed uint64) tasks {
	return tasks{
		table: slots.New[task](o.MaxTasks), heads: slots.Heads(o.MaxTasks), seed: seed,
		waiters: newWaiters(o.MaxWaiters), dependents: newDependents(4 * o.MaxTasks),
	}
}

func (p *tasks) at(i int32) *task { return p.table.At(uint32(i)) }

// of returns the task that the reference of a timer or a job means, -1 if it has ended.
func (p *tasks) of(ref uint64) int32 {
	i := refIndex(ref)
	if ref&timerRef == 0 || i < 0 || int(i) >= len(p.table.Touched()) {
		return -1
	}
	if t := p.at(i); !t.running || t.gen != refGen(ref) {
		return -1
	}
	return i
}

func (p *tasks) hash(q *Question, depth uint8) uint64 {
	h := uint64(q.Type)<<32 | uint64(q.Class)<<16 | uint64(q.View)<<8
	if q.DO {
		h |= 1
	}
	if q.CD {
		h |= 2
	}
	h |= uint64(depth) << 48
	return dname.Mix(dname.Hash(p.seed, q.Name) ^ dname.Mix(h))
}

// head is where the hash chain of a task begins.
func (p *tasks) head(hash uint64) *int32 { return &p.heads[hash&uint64(len(p.heads)-1)] }

// find returns the task for a question, -1 if there is none.
func (p *tasks) find(hash uint64, q *Question, depth uint8) int32 {
	for i := *p.head(hash); i >= 0; i = p.at(i).next {
		t := p.at(i)
		if t.hash == hash && t.depth == depth && t.typ == q.Type && t.class == q.Class && t.do == q.DO && t.cd == q.CD &&
			t.view == q.View && dname.Equal(t.qname(), q.Name) {
			return i
		}
	}
	return -1
}

// add takes a slot for a task, -1 if there is none.
func (p *tasks) add(hash uint64, q *Question, depth uint8) int32 {
	n, ok := p.table.Take()
	if !ok {
		return -1
	}
	i, t, head := int32(n), p.table.At(n), p.head(hash)
	t.gen = (t.gen + 1) & genMask
	t.hash, t.next, *head = hash, *head, i
	t.first, t.last, t.flights, t.chain = -1, -1, -1, -1
	t.deadline, t.armed, t.running = 0, 0, true
	t.typ, t.class, t.do, t.cd, t.view = q.Type, q.Class, q.DO, q.CD, q.View
	t.queries, t.aliases, t.nflights = 0, 0, 0
	t.depth, t.fresh, t.total, t.subs, t.parents = depth, false, 0, 0, -1
	t.origin, t.originGen = i, t.gen
	t.routes, t.born, t.zones, t.anchors, t.ours = p.routes, p.routes, p.zones, p.anchors, false
	t.stage, t.security, t.bogus, t.distrusted, t.faulty, t.budget = stageAsk, dnssec.Secure, dnssec.ReasonNone, 0, 0, dnssec.DefaultBudget()
	t.lastRcode, t.lastFail, t.hasFail, t.hasEDE, t.plain = 0, 0, false, false, plainOff
	t.nameLen = uint8(len(dname.AppendLower(t.name[:0], q.Name)))
	t.setCurrent(t.qname())
	t.restart()
	return i
}

// remove gives a task's slot back. Its content stays readable until add.
func (p *tasks) remove(i int32) {
	t := p.at(i)
	for at := p.head(t.hash); *at >= 0; at = &p.at(*at).next {
		if *at == i {
			*at = t.next
			break
		}
	}
	t.running = false
	p.table.Put(uint32(i))
}

// notify tells the tasks that wait for t that it has ended.
func (p *tasks) notify(t *task) { p.ready = p.dependents.drain(p.ready, &t.parents) }

// origin returns the task that t is for: itself, or the client's question that its queries are charged to. One of the
// tasks that wait for t gives theirs if its own has ended. Nil: no client waits for it any more.
func (p *tasks) origin(t *task) *task {
	if o := p.at(t.origin); o.running && o.gen == t.originGen {
		return o
	}
	for l := t.parents; l >= 0; l = p.dependents.at(l).next {
		d := p.dependents.at(l)
		if w := p.at(d.parent); w.running && w.gen == d.gen {
			if o := p.origin(w); o != nil {
				t.origin, t.originGen = w.origin, w.originGen
				return o
			}
		}
	}
	return nil
}

// affordable says whether a task, and the client's question that it is for, may send another query. What no client
// waits for any more may not: else the sub-tasks of one question that has failed would go on.
func (p *tasks) affordable(t *task) bool {
	if t.queries >= maxQueries {
		return false
	}
	o := p.origin(t)
	return o != nil && o.total < maxTotal
}

// charge counts a query.
func (p *tasks) charge(t *task) {
	t.queries++
	p.at(t.origin).total++
}

// refund takes back what charge has counted.
func (p *tasks) refund(t *task) {
	t.queries--
	if o := p.at(t.origin); o.running && o.gen == t.originGen {
		o.total--
	}
}

// budget returns what is left for the client's question that a task is for.
func (p *tasks) budget(t *task) dnssec.Budget {
	if o := p.origin(t); o != nil {
		return o.budget
	}
	return dnssec.Budget{}
}

// oldestWaiter is the client that a task, or the one that it is for, was begun for.
func (p *tasks) oldestWaiter(t *task) uint32 {
	if o := p.origin(t); o != nil && o.first >= 0 {
		return p.waiters.at(o.first).id
	}
	return NoWaiter
}
