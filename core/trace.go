package core

import "heimdall/core/resolver"

// Trace resolves q anew and calls done with the steps when it has ended; see resolver.Machine.Trace. Nothing of
// it gets into the answer cache.
func (e *Engine) Trace(now int64, q *resolver.Question, done func(*resolver.Trace)) bool {
	e.setTime(now)
	ok := e.resolver.Trace(now, q, done)
	e.perform()
	return ok
}
