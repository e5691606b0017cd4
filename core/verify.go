package core

import "heimdall/core/resolver"

// unverified is a job of validation that nobody took.
type unverified struct {
	ref uint64
	job *resolver.Job
}

// Verified takes back a job of Performer.Verify that has been run or skipped, or has ended in a panic.
func (e *Engine) Verified(now int64, ref uint64, job *resolver.Job) {
	e.setTime(now)
	e.resolver.Verified(now, ref, job)
	e.perform()
}
