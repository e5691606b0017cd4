// Package core is the Engine: what a DNS server does with one message.
//
// It has no sockets, no files and no clock. A shard hands it batches of requests with the time, sends the
// responses that it built, and performs what it asks for (queries to other servers, timers) through the
// Performer. The packages below hold the parts: names and messages in wire form, the cache, the resolver.
package core

import (
	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/local"
	"heimdall/core/policy"
	"heimdall/core/resolver"
	"heimdall/core/slots"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// Performer does what the Engine cannot do itself. The shard implements it. Arguments are borrowed for the
// call.
type Performer interface {
	// Query asks a server: the shard finds a socket, has resolver.Machine.BuildQuery write the message, and
	// sends it, or says what hindered it.
	Query(q *resolver.Action) resolver.Obstacle
	// ReleaseSocket says that the query ref, which left from sock, has ended: sock is given up if it was the query's own.
	ReleaseSocket(ref uint64, sock uint16)
	// Timer has Engine.Fire called with ref at the given time in nanoseconds, or a little later. What was to come of
	// an earlier call for the same Engine.TimerOf comes no more.
	Timer(ref uint64, at int64)
	// Verify has job.Run called on another thread and Engine.Verified with both afterwards. false: there is no room.
	Verify(ref uint64, job *resolver.Job) bool
	// Hold keeps the way back to the client of the request with this tag, of the batch that is being handled, until the
	// last response is out. There is room for Options.Waiters of them.
	Hold(tag uint32) Target
	// Reply sends a whole response to a target, from any call of the Engine. With more, others follow; else the target
	// ends with it.
	Reply(to Target, msg []byte, more bool) Room
}

// Target names where the responses to a request go: to one client's socket or stream. It is the Performer's. Each one is
// used once, so that a response that comes too late reaches nobody else. The zero value names none.
type Target uint64

// nobody is the Target of what is to be asked, and told to nobody.
const nobody Target = 0

// Room is what has become of a response for a Target.
type Room uint8

const (
	Taken Room = iota // it is on its way
	Full              // not taken: its client reads slower than it is told. Only for one of several
	Gone              // nobody takes it, nor any other: the target has ended
)

// Rules is what a reload may change while queries are in flight.
type Rules struct {
	ACL     *policy.ACL     // who may use recursion
	Local   *local.Table    // names that are answered here
	Limiter *policy.Limiter // who may ask at all, and how often; nil: everybody

	UDPPayload       uint16 // octets: EDNS size offered to clients and largest response over UDP
	Recursion        bool   // false: who asks for what is not local is refused
	StaleTTL         uint32 // seconds: TTL in stale answers (RFC 8767, section 4); 0: none are given
	StaleAfter       int64  // nanoseconds that a client waits for a fresh answer before it gets a stale one; RFC 8767, section 5: 1.8 s
	FailureTTL       uint32 // seconds that a failure is cached at most (RFC 9520); 0: none is
	Prefetch         uint32 // percent of the original TTL at which a hot entry is refreshed; 0: never
	PrefetchHits     uint32 // hits that make an entry hot
	KeepAlive        uint16 // idle timeout of streams in units of 100 ms, told to clients that ask (RFC 7828); 0: not told
	RefusalsPerRound int    // SERVFAIL responses to refused misses in one batch; the rest is dropped. Under pressure error responses count as well
}

// Options are the parts of an Engine and its bounds. All parts belong to the Engine's shard.
type Options struct {
	Rules
	Zones     *zone.Set
	Answers   *cache.Answers
	Resolver  *resolver.Machine
	Queue     *policy.FairQueue
	Performer Performer
	Waiters   int // clients that wait for other servers, at most
}

// Engine answers one shard's queries. Not safe for concurrent use; owned by one shard.
type Engine struct {
	Rules
	// Zones are served authoritatively, before anything else is looked at. nil: none. SetZones replaces them.
	Zones *zone.Set
	// Pressure is how hard it is for the shard to keep up, from 0 to 4. Each step halves the number of
	// responses that say no more than that there is no answer; the rest of these is dropped.
	Pressure int
	// Tap is told of what clients ask and get; nil: nobody is.
	Tap Tap

	answers    *cache.Answers
	resolver   *resolver.Machine
	queue      *policy.FairQueue
	performer  Performer
	waiters    slots.Table[waiter]
	count      Counters
	refusals   int    // still allowed in this round
	nowSec     uint32 // of the current call
	now        int64
	draining   bool
	scratch    []byte       // one response on its way to the Performer
	lower      []byte       // a qname on its way to the resolver
	asked      []byte       // a query of a client that has waited
	sought     []byte       // a question of the resolver's about what is known here
	located    []zone.Ref   // of the queries of a batch that zones answer
	unsent     []unsent     // queries that could not be sent
	unverified []unverified // jobs of validation that nobody took
	evicted    []uint32     // waiters that lost their place in the queue
	hit        cache.Hit    // for clients that have waited
	prefetched [256]mark    // entries that were refreshed, when
	refreshes  []refresh    // that hits have asked for
	inner      Request      // a question from inside
	exchange   Exchange     // on its way to Tap
}

// New makes an Engine.
func New(o Options) *Engine {
	e := &Engine{
		Rules:     o.Rules,
		Zones:     o.Zones,
		answers:   o.Answers,
		resolver:  o.Resolver,
		queue:     o.Queue,
		performer: o.Performer,
		waiters:   slots.New[waiter](o.Waiters),
		scratch:   make([]byte, 0, maxMessage+maxOPT),
		located:   make([]zone.Ref, 0, 64),
		lower:     make([]byte, 0, maxQuestion),
		asked:     make([]byte, 0, maxQuestion),
		sought:    make([]byte, 0, maxQuestion),
		refreshes: make([]refresh, 0, maxRefreshes),
	}
	if o.Resolver != nil { // An Engine without recursion has none.
		o.Resolver.SetHere(e)
	}
	e.SetRules(o.Rules)
	return e
}

// maxMessage is the largest DNS message in octets: the length of a TCP message has 16 bits (RFC 1035, 4.2.2).
const maxMessage = 65535

// maxQuestion is the length in octets of the longest message with nothing but a question.
const maxQuestion = wire.HeaderLen + dname.MaxLen + 4

// SetRules replaces the rules. Queries that are in flight end by the new ones.
func (e *Engine) SetRules(r Rules) {
	old := e.Local
	e.Rules = r
	if e.resolver == nil {
		return
	}
	e.resolver.SetFailureTTL(r.FailureTTL)
	if old.Special() != r.Local.Special() {
		e.answers.Changed(cache.OnRoutes, e.nowSec)
		e.resolver.ZonesChanged(true)
	}
}

// Drain makes the Engine refuse what it would have to ask others for.
func (e *Engine) Drain() { e.draining = true }

// Abandon answers SERVFAIL to all clients that still wait.
func (e *Engine) Abandon(now int64) {
	e.setTime(now)
	e.resolver.Unwatch() // who watches has its response now
	for n := range e.waiters.Touched() {
		switch e.waiters.At(uint32(n)).state {
		case waiterQueued, waiterAsked:
			e.abandon(uint32(n))
		}
	}
}

// Answers returns the answer cache, for inspection between two calls.
func (e *Engine) Answers() *cache.Answers { return e.answers }

// Inspect describes what the cache holds for a key at the time now, in nanoseconds. Only for administration:
// it may allocate.
func (e *Engine) Inspect(k *cache.Key, now int64) (cache.Info, bool) {
	return e.answers.Inspect(k, uint32(now/1e9))
}

// Resolver returns the resolver, for inspection and reconfiguration between two calls.
func (e *Engine) Resolver() *resolver.Machine { return e.resolver }

// Waiting returns how many clients wait for other servers.
func (e *Engine) Waiting() int { return e.waiters.Used() }

// setTime notes the time of a call.
func (e *Engine) setTime(now int64) {
	e.now = now
	e.nowSec = uint32(now / 1e9)
}
