package core

import "heimdall/core/resolver"

// Verified takes back a job of Performer.Verify that has been run.
func (e *Engine) Verified(now int64, ref uint64, job *resolver.Job) {
	e.setTime(now)
	e.resolver.Verified(now, ref, job)
	e.perform()
}
