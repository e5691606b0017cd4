package shard

import "heimdall/core/resolver"

// Verifier runs jobs of validation on threads other than the shards'. Its methods are safe for concurrent use.
type Verifier interface {
	// Verify takes a job and calls done, on any thread, when its Run has returned or it has lost its place to another
	// client's, and wake soon after that. It does not wait: false means that there is no room for the job.
	Verify(job *resolver.Job, done, wake func()) bool
}

// verifying bounds the jobs of one shard that are under way, so that its mailbox has room for all of them. It is as
// many as wait for all shards: whose they are is for the Verifier to weigh, and a bound here would know no turns.
const verifying = 4096

// Verify implements core.Performer. The job comes back through the mailbox.
func (s *Shard) Verify(ref uint64, job *resolver.Job) bool {
	if s.opt.Verifier == nil || s.verifying == verifying {
		return false
	}
	accepted := s.opt.Verifier.Verify(job, func() {
		s.box.Put(func() {
			s.verifying--
			s.engine.Verified(s.now, ref, job)
		})
	}, s.wakeUp)
	if accepted {
		s.verifying++
	}
	return accepted
}
