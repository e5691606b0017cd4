package resolver

import (
	"fmt"
	"net/netip"
	"strings"

	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// Bounds of one trace. A task and its sub-tasks send at most maxTotal queries, each good for three steps or so.
const (
	maxTraceSteps   = 512
	maxTraceRecords = 24 // of one response
)

// Views of tasks that are begun anew, apart from those of clients. The one that is watched has no company.
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

	began  int64
	origin int32
	gen    uint32
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

// Anew is Begin for a resolution from the root servers on if no group owns the name: neither its answer nor its
// delegations are taken from what is known, though those of sub-tasks and of the targets of aliases are. The answer is
// not cached for clients. watch is told of all steps, unless it is nil; one at a time can be told: Full if another one
// is.
func (m *Machine) Anew(now int64, q *Question, waiter uint32, watch *Trace) Status {
	anew := *q
	anew.View = anewView
	if watch == nil {
		return m.Begin(now, &anew, waiter)
	}
	if m.tracer != nil {
		return Full
	}
	anew.View = traceView
	watch.began, watch.origin = now, -1
	m.tracer = watch
	s := m.Begin(now, &anew, waiter)
	if s != Started {
		m.tracer = nil
	}
	return s
}

// Unwatch ends what a Trace is told: its owner may have it before its task has ended.
func (m *Machine) Unwatch() { m.tracer = nil }

// Here tells that nobody had to be asked: why, and the response to q, which is copied.
func (t *Trace) Here(q *Question, why string, msg []byte) {
	t.Steps = append(t.Steps, Step{Kind: "here", Name: q.Name.String(), Type: q.Type, Text: why})
	t.Answer = Answer{Msg: append([]byte(nil), msg...), Rcode: wire.RcodeOf(wire.Flags(msg)), EDEText: why}
	if t.Answer.Failed = t.Answer.Rcode == wire.RcodeServFail; t.Answer.Failed {
		t.Answer.EDE = wire.EDENotReady
	}
}

// traceStart claims a task that is being started as the one to trace, if it is.
func (m *Machine) traceStart(i int32) {
	t := m.tasks.at(i)
	if tr := m.tracer; tr.origin < 0 && t.depth == 0 && t.view == traceView {
		tr.origin, tr.gen = i, t.gen
	}
}

// step adds a step of task t, if t is traced, and returns it; else nil.
func (m *Machine) step(t *task, kind string) *Step {
	tr := m.tracer
	if t.view != traceView || t.origin != tr.origin || t.originGen != tr.gen {
		return nil
	}
	if len(tr.Steps) == maxTraceSteps {
		tr.Dropped++
		return nil
	}
	depth := int(t.depth)
	if t.depth == primeDepth {
		depth = 1
	}
	tr.Steps = append(tr.Steps, Step{At: m.now - tr.began, Depth: depth, Kind: kind, Name: t.current().String(), Type: t.typ})
	return &tr.Steps[len(tr.Steps)-1]
}

// traceNote adds a step that is told in words.
func (m *Machine) traceNote(i int32, kind, text string) {
	m.step(m.tasks.at(i), kind).say(text)
}

// say tells a step in words; nil has nobody to tell.
func (s *Step) say(text string) {
	if s != nil {
		s.Text = text
	}
}

// traceQuery adds that exchange e has been sent.
func (m *Machine) traceQuery(e int32) {
	x := m.exchanges.at(e)
	t := m.tasks.at(x.task)
	s := m.step(t, "query")
	if s == nil {
		return
	}
	m.tracer.Queries++
	s.Server, s.Type = m.servers.At(x.server).Addr(), x.typ
	s.Name = t.current()[x.skip:].String()
	with := []string{"UDP"}
	if x.stream {
		with[0] = "TCP"
	}
	if x.edns {
		with = append(with, "EDNS")
	}
	if x.caseOf != 0 {
		with = append(with, "0x20")
	}
	if x.cookie {
		with = append(with, "cookie")
	}
	s.Text = "over " + strings.Join(with, ", ")
}

// traceResponse adds what came for exchange e.
func (m *Machine) traceResponse(e int32, r *response, readable bool) {
	x := m.exchanges.at(e)
	t := m.tasks.at(x.task)
	s := m.step(t, "response")
	if s == nil {
		return
	}
	s.Server, s.Type, s.RTT = m.servers.At(x.server).Addr(), x.typ, m.now-x.sent
	s.Name = t.current()[x.skip:].String()
	if !readable {
		s.Text = "malformed"
		return
	}
	words := []string{r.rcode.String()}
	for _, f := range [...]struct {
		bit  uint16
		name string
	}{{wire.FlagAA, "AA"}, {wire.FlagTC, "TC"}, {wire.FlagRA, "RA"}, {wire.FlagAD, "AD"}} {
		if r.flags&f.bit != 0 {
			words = append(words, f.name)
		}
	}
	var counts [4]int
	for i := range r.parts {
		p := &r.parts[i]
		counts[p.section]++
		if len(s.Records) < maxTraceRecords {
			s.Records = append(s.Records, sectionNames[p.section]+"\t"+string(wire.AppendRRText(nil, r.msg, &p.rr)))
		}
	}
	s.Text = fmt.Sprintf("%s; answer %d, authority %d, additional %d; %d octets", strings.Join(words, " "),
		counts[wire.Answer], counts[wire.Authority], counts[wire.Additional], len(r.msg))
}

var sectionNames = [...]string{wire.Question: "question", wire.Answer: "answer", wire.Authority: "authority", wire.Additional: "additional"}

// traceServer adds a step about the server of exchange e.
func (m *Machine) traceServer(e int32, kind, text string) {
	x := m.exchanges.at(e)
	if s := m.step(m.tasks.at(x.task), kind); s != nil {
		s.Server, s.Text = m.servers.At(x.server).Addr(), text
	}
}

// traceAgain adds why the server of exchange e is asked again.
func (m *Machine) traceAgain(e int32) {
	x := m.exchanges.at(e)
	a := m.tasks.at(x.task).tried.Of(x.server)
	why := "the same server is asked again"
	switch {
	case a.Stream && !x.stream:
		why = "asked again over TCP"
	case a.NoEDNS && x.edns:
		why = "asked again without EDNS"
	case a.NoCookie && x.cookie:
		why = "asked again without a cookie"
	}
	m.traceServer(e, "retry", why)
}

// traceVerdict adds what validation has found out.
func (m *Machine) traceVerdict(i int32, what string, r dnssec.Result) {
	m.traceNote(i, "validation", what+": "+r.String())
}

// traceEnd ends the trace if it is about task i, which ends with a.
func (m *Machine) traceEnd(i int32, a *Answer) {
	tr := m.tracer
	if t := m.tasks.at(i); tr.origin != i || tr.gen != t.gen {
		return
	}
	m.tracer = nil
	tr.Answer, tr.Took = *a, m.now-tr.began
	tr.Answer.Msg = append([]byte(nil), a.Msg...)
}

// traceHere adds that the present name of a task is looked for here.
func (m *Machine) traceHere(i int32, p Place) {
	text := "answered from here: a zone that is served, or a special name"
	if p == Delegated {
		text = "delegated by a zone that is served here"
	}
	m.traceNote(i, "here", text)
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
