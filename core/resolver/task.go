package resolver

import (
	"math/bits"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// Bounds of the work for one task.
const (
	maxQueries = 32 // queries sent, all servers and aliases together
	maxChain   = 11 // aliases followed; Unbound's max-query-restarts
)

// task is one question in flight. It holds no pointers, and the garbage collector never looks at it.
type task struct {
	gen      uint32
	hash     uint64
	next     int32 // in its hash chain, or in the free list
	first    int32 // waiters, oldest first; -1: none
	last     int32
	flights  int32 // exchanges, newest first; -1: none
	chain    int32 // buffer with the aliases so far; -1: none
	deadline int64
	armed    int64 // the earliest timer under way

	typ     wire.Type
	class   wire.Class
	do, cd  bool
	view    uint8
	depth   uint8 // 0: asked by clients; else a sub-task, whose answer goes to the knowledge
	running bool
	fresh   bool // a refresh: what is known is not good enough
	ours    bool // a zone served here, or a special name, is part of its answer

	queries  uint8 // sent so far
	aliases  uint8 // followed so far
	nflights uint8

	routes uint32 // tasks.routes as it chose its servers
	born   uint32 // likewise as it began
	zones  uint32 // tasks.zones as it began

	anchors uint32 // tasks.anchors as it began, or began anew

	// Iteration.
	delegated  bool // its delegation is valid
	below      bool // its delegation is that of a zone served here, or of one below
	renewal    renewal
	plainNames bool  // no minimisation for the present name
	chosen     bool  // asked is valid
	typedNS    bool  // minimised questions ask for NS
	lesser     bool  // addresses of lesser rank have to do
	above      uint8 // the delegation to begin with must not have more labels
	asked      uint8 // labels of the name to ask for
	steps      uint8 // minimised questions for the present name
	subs       uint8 // sub-tasks that it waits for
	spawned    uint8 // sub-tasks for the present delegation
	desperate  bool  // addresses were looked for beside those that the parent gave
	settled    bool  // the server whose answer had no authority was asked again, to take it
	hollow     bool  // the response put aside said nothing at all
	nudge      int64 // when more addresses of servers are looked for; 0: not at any time
	aside      int32 // 1 more than the server whose response was put aside: it has no authority or says nothing; 0: none was
	parents    int32 // the tasks that wait for it; -1: none
	origin     int32 // the task of depth 0 that its queries are charged to
	originGen  uint32

	// Validation.
	stage      stage
	security   dnssec.Status // of what has been followed so far
	bogus      dnssec.Reason // of the last response that was not believed; ReasonNone: none was
	distrusted uint8         // responses from servers that were not believed
	faulty     uint8         // 1 more than the labels of the zone in which the last of them, or the chain of trust, was broken; 0: unknown
	budget     dnssec.Budget // for a client's question: what may still be spent, by sub-tasks too

	lastRcode wire.Rcode // of the last server that answered uselessly
	lastFail  servers.Failure
	hasFail   bool
	ede       wire.EDE // the last extended error a server gave
	hasEDE    bool
	plain     plainState
	plainSum  uint64
	tried     servers.Attempts

	total           uint16 // queries charged to it
	nameLen, curLen uint8
	name            [dname.MaxLen]byte // the question
	cur             [dname.MaxLen]byte // the end of the chain of aliases so far
}

// plainState is the progress of asking without 0x20 for an answer that two tries agree on.
type plainState uint8

const (
	plainOff plainState = iota
	plainFirst
	plainSecond
)

func (t *task) qname() dname.Name   { return dname.Name(t.name[:t.nameLen]) }
func (t *task) current() dname.Name { return dname.Name(t.cur[:t.curLen]) }

func (t *task) setCurrent(n dname.Name) { t.curLen = uint8(copy(t.cur[:], n)) }

func (t *task) question() Question {
	return Question{Name: t.qname(), Type: t.typ, Class: t.class, DO: t.do, CD: t.cd, View: t.view}
}

// restart forgets how far the present name has come.
func (t *task) restart() {
	t.plain, t.hasFail = plainOff, false
	t.tried.Clear()
	t.delegated, t.renewal, t.plainNames, t.chosen, t.asked, t.steps, t.spawned = false, notRenewed, false, false, 0, 0, 0
	t.below = false
	t.typedNS, t.lesser, t.desperate, t.settled, t.above, t.aside, t.nudge = false, false, false, false, noLimit, 0, 0
}

// tasks is the pool of tasks and the table that finds one by its question.
type tasks struct {
	list  []task
	heads []int32
	free  int32 // head of the free list, -1: none
	used  int   // list[:used] has been in use
	inUse int
	seed  uint64

	routes uint32 // counts the changes of what is asked whom
	zones  uint32 // counts the changes of what is known here

	anchors uint32 // counts the changes of the trust anchors that touch tasks under way
}

func newTasks(n int, seed uint64) tasks {
	t := tasks{list: make([]task, n), heads: make([]int32, pow2(n)), free: -1, seed: seed}
	for i := range t.heads {
		t.heads[i] = -1
	}
	return t
}

// pow2 is the smallest power of two that is at least n.
func pow2(n int) int { return 1 << bits.Len(uint(n-1)) }

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

func (p *tasks) find(hash uint64, q *Question, depth uint8) int32 {
	for i := p.heads[hash&uint64(len(p.heads)-1)]; i >= 0; i = p.list[i].next {
		t := &p.list[i]
		if t.hash == hash && t.depth == depth && t.typ == q.Type && t.class == q.Class && t.do == q.DO && t.cd == q.CD &&
			t.view == q.View && dname.Equal(t.qname(), q.Name) {
			return i
		}
	}
	return -1
}

// add takes a task out of the pool, -1 if it is empty.
func (p *tasks) add(hash uint64, q *Question, depth uint8) int32 {
	i := p.free
	if i >= 0 {
		p.free = p.list[i].next
	} else if p.used < len(p.list) {
		i = int32(p.used)
		p.used++
	} else {
		return -1
	}
	p.inUse++
	head := &p.heads[hash&uint64(len(p.heads)-1)]
	t := &p.list[i]
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

// remove gives a task back. Its content stays readable until add.
func (p *tasks) remove(i int32) {
	t := &p.list[i]
	for at := &p.heads[t.hash&uint64(len(p.heads)-1)]; *at >= 0; at = &p.list[*at].next {
		if *at == i {
			*at = t.next
			break
		}
	}
	t.running = false
	t.next, p.free = p.free, i
	p.inUse--
}

// waiters are the clients that wait for tasks, as singly linked lists in one pool.
type waiters struct {
	list  []waiter
	free  int32
	used  int
	inUse int
}

type waiter struct {
	id   uint32
	next int32
}

func newWaiters(n int) waiters { return waiters{list: make([]waiter, n), free: -1} }

// push appends id to the waiters of t; false if the pool is empty.
func (w *waiters) push(t *task, id uint32) bool {
	i := w.free
	if i >= 0 {
		w.free = w.list[i].next
	} else if w.used < len(w.list) {
		i = int32(w.used)
		w.used++
	} else {
		return false
	}
	w.inUse++
	w.list[i] = waiter{id: id, next: -1}
	if t.last >= 0 {
		w.list[t.last].next = i
	} else {
		t.first = i
	}
	t.last = i
	return true
}

// drain appends the waiters of t to dst and gives their slots back.
func (w *waiters) drain(dst []uint32, t *task) []uint32 {
	for i := t.first; i >= 0; {
		next := w.list[i].next
		dst = append(dst, w.list[i].id)
		w.list[i].next, w.free = w.free, i
		w.inUse--
		i = next
	}
	t.first, t.last = -1, -1
	return dst
}
