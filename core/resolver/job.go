package resolver

import (
	"net/netip"
	"sync/atomic"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// Job is a piece of validation that an action of kind Verify asks for. It owns all it needs, so that Run may be
// called on any thread, once; then it goes back to the Machine with Verified, whether it came to its end or not.
type Job struct {
	// Client is set by who performs the action: whose turn it takes among the jobs that wait. The zero value stands
	// for what nobody has asked for, such as a prefetch.
	Client netip.Addr

	kind   jobKind
	policy *dnssec.Policy
	budget dnssec.Budget
	claim  *claim

	parts []dnssec.Part // jobAnswer
	zones []*dnssec.Zone

	name dname.Name   // jobKeys and jobCut
	zone *dnssec.Zone // jobCut: the zone that speaks about name
	ds   []dnssec.DS  // jobKeys
	ttl  uint32       // of ds

	verdict dnssec.Verdict    // of jobAnswer
	keys    *dnssec.Zone      // of jobKeys
	cut     dnssec.Delegation // of jobCut
	done    bool

	ended    atomic.Bool // the task is over: nobody waits for what Run finds out
	orphaned int         // counted in Machine.held for a job whose task has ended; the Machine's own
}

type jobKind uint8

const (
	jobAnswer jobKind = iota // a response for a client
	jobKeys                  // the keys of a zone
	jobCut                   // DS records or their denial
)

// Run makes the checks, none if the job's task has ended: where more signatures wait than the threads can check, no
// client gains by them. wall is the time in seconds since 1970; memo and hot, which are shared by all threads, may be
// nil.
func (j *Job) Run(wall int64, memo dnssec.Memo, hot *dnssec.HotKeys) {
	if j.ended.Load() {
		return
	}
	v := dnssec.Validator{Policy: j.policy, Now: wall, Budget: &j.budget, Memo: memo, Hot: hot}
	switch j.kind {
	case jobAnswer:
		j.verdict = v.Validate(&j.claim.Response, j.parts, j.zones)
	case jobKeys:
		var set *dnssec.RRset
		for i := range j.claim.Sets {
			if s := &j.claim.Sets[i]; s.Type == j.claim.Type && dname.Equal(s.Owner, j.name) {
				set = s
			}
		}
		j.keys = v.ValidateKeys(j.name, set, j.ds, j.ttl)
	case jobCut:
		j.cut = v.ValidateDelegation(&j.claim.Response, j.name, j.zone)
	}
	j.done = true
}

// Done tells whether Run has come to its end.
func (j *Job) Done() bool { return j.done }

// result is what the job has found out.
func (j *Job) result() dnssec.Result {
	switch j.kind {
	case jobKeys:
		return j.keys.Result
	case jobCut:
		return j.cut.Result
	}
	return j.verdict.Result
}

// submit asks for a job to be run for task i.
func (m *Machine) submit(i int32, j *Job) {
	t := m.tasks.at(i)
	t.stage = stageVerify
	m.validations[i].job = j
	j.policy = m.trust.Policy()
	j.budget = m.tasks.budget(t)
	m.validations[i].given = j.budget
	m.stats.Jobs++
	m.actions = append(m.actions, Action{Kind: Verify, Ref: makeRef(timerRef, t.gen, i), Job: j, Waiter: m.tasks.oldestWaiter(t)})
	m.arm(i)
}

// Verified takes back the job of the action ref, which is never nil: run, or as it was if nobody could run it or
// needs it any more.
func (m *Machine) Verified(now int64, ref uint64, j *Job) {
	m.now = now
	m.held.bytes -= j.orphaned
	j.orphaned = 0
	i := m.tasks.of(ref)
	if i < 0 {
		return
	}
	t := m.tasks.at(i)
	if t.stage != stageVerify || m.validations[i].job != j {
		return
	}
	defer m.wake()
	m.validations[i].job = nil
	if m.reroute(i) {
		m.start(i)
		return
	}
	if !j.done {
		m.stats.JobsRefused++
		m.fail(i, edeBusy, "too many signatures wait to be checked")
		return
	}
	if o := m.tasks.origin(t); o != nil {
		o.budget.Spend(m.validations[i].given, j.budget)
	}
	t.stage = stageAsk
	m.takeVerdict(i, j)
}
