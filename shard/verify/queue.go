package verify

import (
	"sync"

	"heimdall/core/policy"
	"heimdall/core/resolver"
	"heimdall/core/slots"
)

const (
	// maxWaiting bounds the jobs of validation that wait for a thread, those of all shards together. A job takes
	// about 0.1 ms for each signature: more would wait for longer than clients do.
	maxWaiting = 4096
	// maxShare is how much of it in percent one client may fill. Others take their places even so, the newest
	// first, when it is full.
	maxShare = 50
)

// queued is a job with its way back to its shard.
type queued struct {
	job        *resolver.Job
	done, wake func()
	client     policy.Client // while it runs
}

// jobQueue holds the jobs that wait for a thread. Each client has its turn, however many jobs others have waiting:
// a zone can make the answers to its friends' questions cost milliseconds. Safe for concurrent use.
type jobQueue struct {
	mu     sync.Mutex
	some   sync.Cond // a job waits, or closed
	fair   *policy.FairQueue
	jobs   slots.Table[queued] // by the numbers that fair knows; one more than may wait, for a job that takes another's place
	closed bool
}

// newJobQueue makes a queue for so many threads.
func newJobQueue(threads int, o *Options) *jobQueue {
	q := &jobQueue{jobs: slots.New[queued](maxWaiting + 1)}
	q.some.L = &q.mu
	q.fair = policy.NewFairQueue(policy.FairOptions{
		Seed: o.Seed, Parked: maxWaiting, Share: maxShare, IPv4Bits: o.IPv4Bits, IPv6Bits: o.IPv6Bits,
		// A thread that has nothing else to do takes any job: what FairQueue reserves for newcomers, an eighth, comes
		// on top of the threads.
		InFlight: threads + threads/7 + 1,
	})
	return q
}

// put adds a job. False if there is no room; else, another client's job may have lost its place to it.
func (q *jobQueue) put(j queued) (evicted queued, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, ok := q.jobs.Take()
	if !ok {
		return evicted, false
	}
	switch verdict, out := q.fair.Push(j.job.Client, n, 0); verdict {
	case policy.RefusedShare, policy.RefusedFull:
		q.jobs.Put(n)
		return evicted, false
	case policy.ParkedEvicting:
		evicted = q.giveUp(out)
	}
	*q.jobs.At(n) = j
	q.some.Signal()
	return evicted, true
}

// take waits for a job whose turn it is. False when the queue is closed; without wait also when there is none.
func (q *jobQueue) take(wait bool) (queued, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if n, client, ok := q.fair.Pop(); ok {
			j := q.giveUp(n)
			j.client = client
			return j, true
		}
		if q.closed || !wait {
			return queued{}, false
		}
		q.some.Wait()
	}
}

// giveUp empties the slot of a job.
func (q *jobQueue) giveUp(n uint32) queued {
	j := *q.jobs.At(n)
	*q.jobs.At(n) = queued{}
	q.jobs.Put(n)
	return j
}

// ran takes note that a job that was taken has been run.
func (q *jobQueue) ran(j *queued) {
	q.mu.Lock()
	q.fair.Release(j.client)
	q.mu.Unlock()
}

// waiting is how many jobs wait.
func (q *jobQueue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.fair.Stats().Parked
}

// close lets take return when all jobs have been taken.
func (q *jobQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.some.Broadcast()
}
