package supervisor

import (
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"heimdall/core/config"
	"heimdall/core/dnssec"
	"heimdall/core/resolver"
)

// verifyQueue bounds the jobs of validation that wait for a thread, those of all shards together. A job takes
// about 0.1 ms for each signature: more would wait for longer than clients do.
const verifyQueue = 4096

// verifier runs the shards' jobs of validation on threads of its own. Safe for concurrent use.
type verifier struct {
	queue chan verifyJob
	memo  *signatureMemo
	hot   dnssec.HotKeys
	wall  func() int64 // seconds since 1970
	log   *slog.Logger
	ended sync.WaitGroup
}

type verifyJob struct {
	job  *resolver.Job
	done func()
}

// newVerifier starts as many threads as there are CPUs besides those of the shards, and one at least.
func newVerifier(c *config.Config, threads int, log *slog.Logger) (*verifier, error) {
	memo, err := newSignatureMemo()
	if err != nil {
		return nil, err
	}
	v := &verifier{log: log, queue: make(chan verifyJob, verifyQueue), memo: memo, wall: func() int64 { return time.Now().Unix() }}
	if at := c.Recursion.ValidationTime; !at.IsZero() {
		v.wall = func() int64 { return at.Unix() }
	}
	for range max(threads, 1) {
		v.ended.Go(v.work)
	}
	return v, nil
}

// Verify implements shard.Verifier.
func (v *verifier) Verify(job *resolver.Job, done func()) bool {
	select {
	case v.queue <- verifyJob{job, done}:
		return true
	default:
		return false
	}
}

func (v *verifier) work() {
	for j := range v.queue {
		v.run(j)
	}
}

// run runs a job. What a stranger's data might do to the validator ends the job, not the daemon.
func (v *verifier) run(j verifyJob) {
	defer j.done()
	defer func() {
		if p := recover(); p != nil {
			v.log.Error("a validation ended", "error", p, "stack", string(debug.Stack()))
		}
	}()
	debug.SetPanicOnFault(true)
	j.job.Run(v.wall(), v.memo, &v.hot)
}

// close ends the threads. The shards must have ended.
func (v *verifier) close() {
	close(v.queue)
	v.ended.Wait()
	v.memo.close()
}
