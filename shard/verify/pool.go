package verify

import (
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"heimdall/affinity"
	"heimdall/core/dnssec"
	"heimdall/core/resolver"
)

// Options say how a Pool works.
type Options struct {
	Seed     uint64       // of the hashes over clients; nobody else may know it
	IPv4Bits int          // of an address make a client
	IPv6Bits int          // likewise
	Wall     func() int64 // seconds since 1970, by which signatures are valid
	Log      *slog.Logger
}

// Pool runs the shards' jobs of validation on threads of its own. It implements shard.Verifier. It has no threads and
// takes no jobs until Start. Its methods are safe for concurrent use.
type Pool struct {
	opt Options

	changing sync.Mutex  // held by Start and Close
	started  atomic.Bool // from then on the queue and the memo stay
	queue    *jobQueue
	memo     *memo
	hot      dnssec.HotKeys
	ended    sync.WaitGroup
}

// Bounds of what a thread does before it wakes the shards whose jobs it has run: to wake a shard for each of them
// costs about as much as a third of a signature. While nothing waits they are woken at once.
const (
	jobsPerWake = 8
	longestTurn = 250 * time.Microsecond
)

// New makes a Pool.
func New(o Options) *Pool { return &Pool{opt: o} }

// Start starts so many threads, and one at least. A Pool that has been started stays as it is.
func (p *Pool) Start(threads int) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	if p.started.Load() {
		return nil
	}
	m, err := newMemo()
	if err != nil {
		return err
	}
	threads = max(threads, 1)
	p.queue, p.memo = newJobQueue(threads, &p.opt), m
	for range threads {
		p.ended.Go(p.work)
	}
	p.started.Store(true)
	return nil
}

// Verify implements shard.Verifier.
func (p *Pool) Verify(job *resolver.Job, done, wake func()) bool {
	if !p.started.Load() {
		return false
	}
	evicted, ok := p.queue.put(queued{job: job, done: done, wake: wake})
	if evicted.job != nil {
		evicted.done()
		evicted.wake()
	}
	return ok
}

// Memo returns what the threads remember of signatures, for whoever else verifies; nil before Start. It ends with Close.
func (p *Pool) Memo() dnssec.Memo {
	if !p.started.Load() {
		return nil
	}
	return p.memo
}

// Stats are a Pool's counts.
type Stats struct {
	Waiting              int // jobs, for a thread
	MemoHits, MemoMisses uint64
}

// Stats copies the counts.
func (p *Pool) Stats() Stats {
	if !p.started.Load() {
		return Stats{}
	}
	return Stats{Waiting: p.queue.waiting(), MemoHits: p.memo.hits.Load(), MemoMisses: p.memo.misses.Load()}
}

// Close ends the threads when the jobs that wait have been run. The shards must have ended.
func (p *Pool) Close() {
	p.changing.Lock()
	defer p.changing.Unlock()
	if !p.started.Load() {
		return
	}
	p.queue.close()
	p.ended.Wait()
	p.memo.close()
}

// work is one thread.
func (p *Pool) work() {
	// On a machine without spare CPUs a signature must not delay the hits of a shard. The thread ends with the
	// goroutine, and its priority with it.
	runtime.LockOSThread()
	if err := affinity.Background(); err != nil {
		p.opt.Log.Warn("signatures are checked at the priority of the shards", "error", err)
	}
	ran := make([]queued, 0, jobsPerWake)
	known := &threadMemo{memo: p.memo}
	for {
		j, more := p.queue.take(true)
		if !more {
			return
		}
		for began := time.Now(); more; {
			p.run(j, known)
			p.queue.ran(&j)
			ran = append(ran, j)
			more = false
			if len(ran) < jobsPerWake && time.Since(began) < longestTurn {
				j, more = p.queue.take(false)
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
func (p *Pool) run(j queued, known dnssec.Memo) {
	defer j.done()
	defer func() {
		if err := recover(); err != nil {
			p.opt.Log.Error("a validation ended", "error", err, "stack", string(debug.Stack()))
		}
	}()
	debug.SetPanicOnFault(true)
	j.job.Run(p.opt.Wall(), known, &p.hot)
}
