package resolver

import (
	"net/netip"

	"heimdall/core/wire"
)

// Views of tasks that are begun anew. No client's question has such a view, so that none joins them; nor does any other
// question from inside join the task that is watched.
const (
	anewView  = 254
	traceView = 255
)

// Trace is an observer of one resolution: it is told what that does, step by step. It belongs to the Machine's thread
// until the task has ended.
type Trace struct {
	Route   string // who knows the name, in words
	Cached  string // what the answer cache has of it, in words; empty: it was not looked at
	Steps   []Step
	Dropped int // steps beyond the bound
	Queries int
	Took    int64  // nanoseconds
	Answer  Answer // with a message of its own
}

// Step is one step of a resolution.
type Step struct {
	At      int64 // nanoseconds since the start
	Depth   int   // 0: the question itself; else a sub-task for it
	Kind    string
	Name    string // that the task is about, or that was asked for
	Type    wire.Type
	Server  netip.AddrPort // invalid: no server has to do with it
	RTT     int64          // nanoseconds; 0: none
	Text    string
	Records []string // of a response
}

// Anew is Begin for a question that is resolved whatever is known of it: by its group, or else from the root servers on. For
// sub-tasks, and for the names that aliases lead to, what is known is used. The answer is not cached for clients. watch, if it
// is not nil, is told of all steps. Only one question is watched at a time: the status is Full while another is.
func (m *Machine) Anew(now int64, q *Question, waiter uint32, watch *Trace) Status {
	anew := *q
	anew.View = anewView
	if watch == nil {
		return m.Begin(now, &anew, waiter)
	}
	if m.tracer.on() {
		return Full
	}
	anew.View = traceView
	m.tracer = tracer{watch: watch, began: now, origin: -1}
	s := m.Begin(now, &anew, waiter)
	if s != Started {
		m.Unwatch()
	}
	return s
}

// Unwatch ends the watch before its task has ended: the Trace is its owner's again.
func (m *Machine) Unwatch() { m.tracer = tracer{} }

// Here tells that nobody had to be asked: why, and the response to q, which is copied.
func (t *Trace) Here(q *Question, why string, msg []byte) {
	t.Steps = append(t.Steps, Step{Kind: "here", Name: q.Name.String(), Type: q.Type, Text: why})
	t.Answer = Answer{Msg: append([]byte(nil), msg...), Rcode: wire.RcodeOf(wire.Flags(msg)), EDEText: why}
	if t.Answer.Failed = t.Answer.Rcode == wire.RcodeServFail; t.Answer.Failed {
		t.Answer.EDE = wire.EDENotReady
	}
}

// RouteOf says in words who is asked about q.
func (m *Machine) RouteOf(q *Question) string {
	switch g := m.realms.groups.find(q.Name, q.Type); {
	case g != nil && g.kind == Stub:
		return "the servers of the stub zone " + g.zone.String()
	case g != nil:
		return "the servers of the forward zone " + g.zone.String()
	}
	return "the public servers, from the root on"
}
