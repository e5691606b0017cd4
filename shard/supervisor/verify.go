package supervisor

import (
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/core/dnssec"
	"heimdall/core/resolver"
)

// verifier runs the shards' jobs of validation on threads of its own. Safe for concurrent use.
type verifier struct {
	queue *jobQueue
	memo  *signatureMemo
	hot   dnssec.HotKeys
	wall  func() int64 // seconds since 1970
	log   *slog.Logger
	ended sync.WaitGroup
}

// Bounds of what a thread does before it wakes the shards whose jobs it has run: to wake a shard for each of them
// costs about as much as a third of a signature. While nothing waits they are woken at once.
const (
	jobsPerWake = 8
	longestTurn = 250 * time.Microsecond
)

// newVerifier starts as many threads as there are CPUs besides those of the shards, and one at least.
func newVerifier(c *config.Config, threads int, log *slog.Logger) (*verifier, error) {
	memo, err := newSignatureMemo()
	if err != nil {
		return nil, err
	}
	threads = max(threads, 1)
	queue := newJobQueue(threads, c.Resolver.ClientIPv4Prefix, c.Resolver.ClientIPv6Prefix)
	v := &verifier{log: log, queue: queue, memo: memo, wall: func() int64 { return time.Now().Unix() }}
	if at := c.Recursion.ValidationTime; !at.IsZero() {
		v.wall = func() int64 { return at.Unix() }
	}
	for range threads {
		v.ended.Go(v.work)
	}
	return v, nil
}

// Verify implements shard.Verifier.
func (v *verifier) Verify(job *resolver.Job, done, wake func()) bool {
	evicted, ok := v.queue.put(verifyJob{job: job, done: done, wake: wake})
	if evicted.job != nil {
		evicted.done()
		evicted.wake()
	}
	return ok
}

func (v *verifier) work() {
	// On a machine without spare CPUs a signature must not delay the hits of a shard. The thread ends with the
	// goroutine, and its priority with it.
	runtime.LockOSThread()
	if err := affinity.Background(); err != nil {
		v.log.Warn("signatures are checked at the priority of the shards", "error", err)
	}
	ran := make([]verifyJob, 0, jobsPerWake)
	memo := &threadMemo{signatureMemo: v.memo}
	for {
		j, more := v.queue.take(true)
		if !more {
			return
		}
		for began := time.Now(); more; {
			v.run(j, memo)
			v.queue.ran(&j)
			ran = append(ran, j)
			more = false
			if len(ran) < jobsPerWake && time.Since(began) < longestTurn {
				j, more = v.queue.take(false)
			}
		}
		for i := range ran {
			ran[i].wake() // costs nothing where the shard has seen it
		}
		clear(ran)
		ran = ran[:0]
	}
}

// run runs a job. What a stranger's data might do to the validator ends the job, not the daemon.
func (v *verifier) run(j verifyJob, memo dnssec.Memo) {
	defer j.done()
	defer func() {
		if p := recover(); p != nil {
			v.log.Error("a validation ended", "error", p, "stack", string(debug.Stack()))
		}
	}()
	debug.SetPanicOnFault(true)
	j.job.Run(v.wall(), memo, &v.hot)
}

// close ends the threads. The shards must have ended.
func (v *verifier) close() {
	v.queue.close()
	v.ended.Wait()
	v.memo.close()
}
