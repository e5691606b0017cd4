package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/servers"
	"heimdall/core/resolver/trust"
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
	next     int32 // in its hash chain; -1: none
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

// wantsDO says whether a task needs signatures.
func (t *task) wantsDO(links *trust.Store) bool { return t.do || links.On() }

// validated says whether the answer of a task is validated: not if the client does without (RFC 4035, section 3.2.2), and
// not below our zones, since what they delegate need not be known to the rest of the world.
func (t *task) validated(links *trust.Store) bool {
	return links.On() && !t.cd && t.depth == 0 && !t.below
}

// isLink says whether a task looks for a link of the chain of trust.
func (t *task) isLink(links *trust.Store) bool {
	return links.On() && t.depth > 0 && t.depth != primeDepth && (t.typ == wire.TypeDS || t.typ == wire.TypeDNSKEY)
}

// restart forgets how far the present name has come.
func (t *task) restart() {
	t.plain, t.hasFail = plainOff, false
	t.tried.Clear()
	t.delegated, t.renewal, t.plainNames, t.chosen, t.asked, t.steps, t.spawned = false, notRenewed, false, false, 0, 0, 0
	t.below = false
	t.typedNS, t.lesser, t.desperate, t.settled, t.above, t.aside, t.nudge = false, false, false, false, noLimit, 0, 0
}
