package resolver

import (
	"net/netip"

	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Question is what a task resolves. Name is in lower case and borrowed.
type Question struct {
	Name  dname.Name
	Type  wire.Type
	Class wire.Class
	DO    bool
	CD    bool
	View  uint8
}

// NoWaiter starts a task for which nobody waits: a prefetch or the refresh of a stale answer.
const NoWaiter = ^uint32(0)

// Status is the result of Begin.
type Status uint8

const (
	// Started: a new task is on its way; the actions may already hold its response.
	Started Status = iota
	// Joined: the same question is in flight, the waiter will hear its answer.
	Joined
	// Full: no room for another task or waiter. Nothing was started.
	Full
	// NoGroup: no server is configured for the name. Nothing was started.
	NoGroup
)

// Kind says what an Action asks its caller to do.
type Kind uint8

const (
	// Query: send what BuildQuery makes of Ref to Server. An answer is expected until At; with Stream it goes over TCP,
	// and is given up then. With Shared it may leave from a port that strangers can find out: a cookie protects it.
	// Without either it needs a random port of its own (RFC 5452, section 9.2), until Release.
	Query Kind = iota
	// Release: nothing is expected any more of the query of Ref at Sock, which is given up if it was the query's own.
	Release
	// Respond: the task for Question has ended with Answer, for Waiters.
	Respond
	// Timer: call Fire with Ref at the time At. Its lower half is below Machine.Timers, and what was to be called for
	// the same one before is not wanted any more.
	Timer
	// Verify: call Run of Job on another thread, and Verified with Ref and Job afterwards, or at once if that cannot
	// be done.
	Verify
)

// Action is one thing the caller does for the machine. Its slices are valid until Clear.
type Action struct {
	Kind     Kind
	Stream   bool
	Shared   bool
	Sock     uint16
	Ref      uint64
	At       int64 // nanoseconds, on the clock of the caller's now
	Server   netip.AddrPort
	Waiters  []uint32
	Question Question
	Answer   Answer
	Job      *Job
	Waiter   uint32 // of Verify: who has asked first for what the job is for, or NoWaiter
}

// Answer is how a task ended.
type Answer struct {
	// Msg is the whole response except for its ID, which is zero, and without OPT. At most 65535 octets.
	Msg   []byte
	Rcode wire.Rcode
	AD    bool
	EDE   wire.EDE // the cause of a failure; meaningful if Failed
	// EDEText goes with EDE.
	EDEText string
	// Failed says that nothing was learned about the question: Rcode is SERVFAIL.
	Failed bool
	// TTL, in seconds, is how long a failure may be cached (RFC 9520); zero for answers, which carry their own.
	TTL uint32
	// Cacheable says that the answer may serve other clients.
	Cacheable bool
	// Depends says what change makes it worthless.
	Depends cache.Depends
}

// A reference names a pool slot and the generation that used it, so that one that has been reused is told
// apart from the one meant: 1 bit for the pool, 31 for the generation, 32 for the index.
const (
	timerRef = uint64(1) << 63
	genMask  = 1<<31 - 1
)

func makeRef(pool uint64, gen uint32, index int32) uint64 {
	return pool | uint64(gen&genMask)<<32 | uint64(uint32(index))
}

func refIndex(ref uint64) int32 { return int32(uint32(ref)) }
func refGen(ref uint64) uint32  { return uint32(ref>>32) & genMask }

// Actions lists what the caller has to do. Performing one may append others, so the caller loops by index
// until the end and then calls Clear.
func (m *Machine) Actions() []Action { return m.actions }

// Clear forgets the actions; what they lent is no longer valid.
func (m *Machine) Clear() {
	if m.trust.On() {
		clear(m.actions) // lets go of jobs
	}
	m.actions = trim(m.actions, keptActions)
	m.arena, m.waiting = trim(m.arena, keptOctets), trim(m.waiting, keptOctets/4)
}

// lend copies b to memory that stays valid until Clear.
func (m *Machine) lend(b []byte) []byte {
	start := len(m.arena)
	m.arena = append(m.arena, b...)
	return m.arena[start:len(m.arena):len(m.arena)]
}
