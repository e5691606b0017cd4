package core

import "heimdall/core/zone"

// Handle takes a batch of requests through the pipeline: decide about all, touch what they need, answer all. The first
// touch of each entry's memory is a step of its own, so that the misses of the CPU's cache overlap. It never blocks
// and does not allocate.
func (e *Engine) Handle(now int64, reqs []Request) {
	e.setTime(now)
	e.refusals = e.RefusalsPerRound >> e.Pressure
	e.located = e.located[:0]
	for i := range reqs {
		reqs[i].stage = e.decide(&reqs[i])
	}
	zone.Prefetch(e.located)
	for i := range reqs {
		if r := &reqs[i]; r.stage == toCache {
			e.answers.Prefetch(r.hash)
		}
	}
	for i := range reqs {
		if r := &reqs[i]; r.stage == toCache {
			e.answers.PrefetchEntry(r.hash)
		}
	}
	for i := range reqs {
		e.answer(&reqs[i])
	}
}

// decide takes a message through the decisions of decide.go, in their order: the first that does not let it go onward
// says where its response comes from.
func (e *Engine) decide(r *Request) stage {
	r.Outcome = Drop
	next := e.admit(r)
	if next == onward {
		next = e.read(r)
	}
	if next == onward {
		next = e.particulars(r)
	}
	if next == onward {
		next = e.zoneOf(r)
	}
	if next == onward {
		next = e.mayRecurse(r)
	}
	if next == onward {
		next = e.localName(r)
	}
	if next == onward {
		next = e.identify(r)
	}
	return next
}

// answer has the response made where it comes from, by the functions of answer.go: each makes it or names another place,
// further on. All that is made leaves through exit.go. What has to be asked of others is parked, and goes on in miss.go;
// what they say comes back through resolved.go.
func (e *Engine) answer(r *Request) {
	next := r.stage
	if next == toZone {
		next = e.answerZone(r)
	}
	if next == toLocal {
		next = e.answerLocal(r)
	}
	if next == toCache {
		next = e.answerCached(r)
	}
	if next == toMiss {
		next = e.park(r)
	}
	if next == toError {
		e.answerError(r)
	}
}
