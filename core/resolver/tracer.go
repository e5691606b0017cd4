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

// tracer tells whoever watches what is done for one task and its sub-tasks. The zero value is that nobody watches.
type tracer struct {
	watch  *Trace // nil: nobody
	began  int64
	origin int32 // the task that is watched; -1: it has not begun
	gen    uint32
}

// on says whether anybody watches. Whoever has something to tell asks that first: the words would cost memory.
func (w *tracer) on() bool { return w.watch != nil }

// start makes task i the one that is watched, if it is.
func (w *tracer) start(i int32, t *task) {
	if w.origin < 0 && t.depth == 0 && t.view == traceView {
		w.origin, w.gen = i, t.gen
	}
}

// step adds a step of task t, if t is watched, and returns it; else nil.
func (w *tracer) step(now int64, t *task, kind string) *Step {
	if t.view != traceView || t.origin != w.origin || t.originGen != w.gen {
		return nil
	}
	if len(w.watch.Steps) == maxTraceSteps {
		w.watch.Dropped++
		return nil
	}
	depth := int(t.depth)
	if t.depth == primeDepth {
		depth = 1
	}
	w.watch.Steps = append(w.watch.Steps, Step{At: now - w.began, Depth: depth, Kind: kind, Name: t.current().String(), Type: t.typ})
	return &w.watch.Steps[len(w.watch.Steps)-1]
}

// note adds a step that is told in words.
func (w *tracer) note(now int64, t *task, kind, text string) {
	if s := w.step(now, t, kind); s != nil {
		s.Text = text
	}
}

// server adds a step about a server.
func (w *tracer) server(now int64, t *task, kind string, server netip.AddrPort, text string) {
	if s := w.step(now, t, kind); s != nil {
		s.Server, s.Text = server, text
	}
}

// query adds that exchange x has been sent.
func (w *tracer) query(now int64, t *task, x *exchange, server netip.AddrPort) {
	s := w.step(now, t, "query")
	if s == nil {
		return
	}
	w.watch.Queries++
	s.Server, s.Type = server, x.typ
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

// response adds what came for exchange x.
func (w *tracer) response(now int64, t *task, x *exchange, server netip.AddrPort, r *response, readable bool) {
	s := w.step(now, t, "response")
	if s == nil {
		return
	}
	s.Server, s.Type, s.RTT = server, x.typ, now-x.sent
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

// again adds why the server of exchange x is asked again.
func (w *tracer) again(now int64, t *task, x *exchange, server netip.AddrPort) {
	why := "the same server is asked again"
	switch a := t.tried.Of(x.server); {
	case a.Stream && !x.stream:
		why = "asked again over TCP"
	case a.NoEDNS && x.edns:
		why = "asked again without EDNS"
	case a.NoCookie && x.cookie:
		why = "asked again without a cookie"
	}
	w.server(now, t, "retry", server, why)
}

// verdict adds what validation has found out.
func (w *tracer) verdict(now int64, t *task, what string, r dnssec.Result) {
	w.note(now, t, "validation", what+": "+r.String())
}

// here adds that the present name of a task is looked for here.
func (w *tracer) here(now int64, t *task, p Place) {
	text := "answered from here: a zone that is served, or a special name"
	if p == Delegated {
		text = "delegated by a zone that is served here"
	}
	w.note(now, t, "here", text)
}

// end ends the trace if task i, which ends with a, is the one that is watched.
func (w *tracer) end(now int64, i int32, t *task, a *Answer) {
	if w.origin != i || w.gen != t.gen {
		return
	}
	w.watch.Answer, w.watch.Took = *a, now-w.began
	w.watch.Answer.Msg = append([]byte(nil), a.Msg...)
	*w = tracer{}
}
