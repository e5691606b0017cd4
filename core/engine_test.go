package core

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/local"
	"heimdall/core/policy"
	"heimdall/core/resolver"
)

// rig is an Engine with a scripted world around it.
type rig struct {
	t       testing.TB
	e       *Engine
	now     int64
	sent    []sentQuery
	timers  []pendingTimer
	replies map[Target]*dns.Msg
	order   []Target
	held    Target
	refuse  bool // Query fails
	jobs    []*resolver.Job
}

type sentQuery struct {
	ref    uint64
	server netip.AddrPort
	msg    *dns.Msg
}

type pendingTimer struct {
	ref uint64
	at  int64
}

var testServer = netip.MustParseAddrPort("192.0.2.53:53")

func (r *rig) Query(q *resolver.Action) resolver.Obstacle {
	if r.refuse {
		return resolver.NoRoute
	}
	raw := r.e.Resolver().BuildQuery(q.Ref, 0, nil)
	m := new(dns.Msg)
	if err := m.Unpack(raw); err != nil {
		r.t.Fatal(err)
	}
	r.sent = append(r.sent, sentQuery{q.Ref, q.Server, m})
	return resolver.NoObstacle
}

func (r *rig) ReleaseSocket(uint64, uint16) {}

func (r *rig) Timer(ref uint64, at int64) { r.timers = append(r.timers, pendingTimer{ref, at}) }

func (r *rig) Hold(uint32) Target {
	r.held++
	return r.held
}

func (r *rig) Reply(to Target, msg []byte, more bool) Room {
	m := new(dns.Msg)
	if err := m.Unpack(msg); err != nil {
		r.t.Fatalf("reply % x: %v", msg, err)
	}
	r.replies[to] = m
	r.order = append(r.order, to)
	return Taken
}

func (r *rig) Verify(_ uint64, j *resolver.Job) bool {
	r.jobs = append(r.jobs, j)
	return false
}

// newRig makes an Engine that forwards everything to testServer. edit may change the options.
func newRig(t testing.TB, edit func(*Options)) *rig {
	r := &rig{t: t, now: 1e9, replies: map[Target]*dns.Msg{}}
	answers, err := cache.NewAnswers(cache.AnswersOptions{Memory: make([]byte, 1<<20), Seed: 1, MaxTTL: 86400, MaxNegativeTTL: 3600, StaleTTL: 86400})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Rules: Rules{
			ACL: policy.NewACL([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}), Local: local.NewTable(local.Options{SpecialNames: true, MinimalANY: true, Version: "test"}),
			UDPPayload: 1232, Recursion: true, StaleTTL: 30, StaleAfter: 18e8, FailureTTL: 5, RefusalsPerRound: 16,
		},
		Answers: answers,
		Resolver: resolver.New(resolver.Options{MaxTasks: 64, Groups: []resolver.Group{
			{Zone: dname.Name{0}, Kind: resolver.Forward, Servers: []netip.AddrPort{testServer}},
		}}, rand.NewPCG(1, 2)),
		Queue:     policy.NewFairQueue(policy.FairOptions{Seed: 1, InFlight: 64, Parked: 64, Share: 50, IPv4Bits: 32, IPv6Bits: 56}),
		Performer: r,
		Waiters:   128,
	}
	if edit != nil {
		edit(&o)
	}
	r.e = New(o)
	return r
}

func pack(t testing.TB, m *dns.Msg) []byte {
	raw, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func client(addr string) [16]byte { return netip.MustParseAddr(addr).As16() }

// handle sends one query through the stages.
func (r *rig) handle(m *dns.Msg, from string, stream bool) *Request {
	reqs := []Request{{Msg: pack(r.t, m), Client: client(from), Stream: stream, Buf: make([]byte, 0, 4096)}}
	r.e.Handle(r.now, reqs)
	return &reqs[0]
}

func (r *rig) ask(name, from string) *Request {
	return r.handle(new(dns.Msg).SetQuestion(name, dns.TypeA), from, false)
}

// answer has the server answer the i-th query that was sent.
func (r *rig) answer(i, ttl int) {
	q := r.sent[i]
	m := new(dns.Msg).SetReply(q.msg)
	m.RecursionAvailable = true
	rr, err := dns.NewRR(fmt.Sprintf("%s %d IN A 192.0.2.1", q.msg.Question[0].Name, ttl))
	if err != nil {
		r.t.Fatal(err)
	}
	m.Answer = []dns.RR{rr}
	r.e.Receive(r.now, 0, q.server, pack(r.t, m))
}

// advance moves the clock and fires what is due.
func (r *rig) advance(ns int64) {
	for end := r.now + ns; ; {
		next := -1
		for i, tm := range r.timers {
			if tm.at <= end && (next < 0 || tm.at < r.timers[next].at) {
				next = i
			}
		}
		if next < 0 {
			r.now = end
			return
		}
		tm := r.timers[next]
		r.timers = append(r.timers[:next], r.timers[next+1:]...)
		r.now = max(r.now, tm.at)
		r.e.Fire(r.now, tm.ref)
	}
}

func unpack(t testing.TB, raw []byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(raw); err != nil {
		t.Fatalf("response % x: %v", raw, err)
	}
	return m
}

func TestMissThenHit(t *testing.T) {
	r := newRig(t, nil)
	req := r.ask("WWW.example.", "10.0.0.1")
	if req.Outcome != Wait {
		t.Fatalf("outcome %d", req.Outcome)
	}
	if r.e.Misses(r.now, 10); len(r.sent) != 1 {
		t.Fatalf("%d queries sent", len(r.sent))
	}
	r.answer(0, 300)
	m := r.replies[req.To]
	if m == nil || len(m.Answer) != 1 || m.Question[0].Name != "WWW.example." || !m.RecursionAvailable {
		t.Fatalf("reply %v", m)
	}
	if r.e.Waiting() != 0 {
		t.Fatal("the waiter was not freed")
	}
	r.now += 100e9
	req = r.ask("www.EXAMPLE.", "10.0.0.1")
	if req.Outcome != Send {
		t.Fatalf("outcome %d", req.Outcome)
	}
	m = unpack(t, req.Response)
	if m.Question[0].Name != "www.EXAMPLE." || m.Answer[0].Header().Ttl != 200 {
		t.Fatalf("hit %v", m)
	}
}

func TestSameQuestionIsAskedOnce(t *testing.T) {
	r := newRig(t, nil)
	var waiting []Target
	for i := range 5 {
		req := r.ask("one.example.", fmt.Sprintf("10.0.0.%d", i+1))
		waiting = append(waiting, req.To)
	}
	r.e.Misses(r.now, 100)
	if len(r.sent) != 1 {
		t.Fatalf("%d queries sent", len(r.sent))
	}
	r.answer(0, 60)
	for _, w := range waiting {
		if r.replies[w] == nil || len(r.replies[w].Answer) != 1 {
			t.Fatalf("waiter %d: %v", w, r.replies[w])
		}
	}
}

// The newest miss beyond the limit is refused with SERVFAIL; hits go on.
func TestInFlightLimit(t *testing.T) {
	r := newRig(t, nil)
	req := r.ask("hot.example.", "10.0.0.1")
	r.e.Misses(r.now, 1)
	r.answer(0, 300)
	refused := 0
	for i := range 400 {
		req = r.ask(fmt.Sprintf("m%d.example.", i), fmt.Sprintf("10.0.%d.%d", i/200, i%200))
		r.e.Misses(r.now, 10)
		if req.Outcome == Send {
			if m := unpack(t, req.Response); m.Rcode != dns.RcodeServerFailure {
				t.Fatal(m)
			}
			refused++
		}
	}
	if refused != 400-128 || r.e.Waiting() != 128 {
		t.Fatalf("%d refused, %d waiting", refused, r.e.Waiting())
	}
	if c := r.e.Counters(); c.InFlight != uint64(refused) {
		t.Fatalf("counted %d", c.InFlight)
	}
	if req = r.ask("hot.example.", "10.0.0.1"); req.Outcome != Send || len(unpack(t, req.Response).Answer) != 1 {
		t.Fatal("a hit did not go on")
	}
	r.advance(60e9)
	r.e.Misses(r.now, 1000)
	r.advance(60e9)
	if r.e.Waiting() != 0 {
		t.Fatalf("%d still wait", r.e.Waiting())
	}
}

// A flood from one client does not delay another client's miss.
func TestFloodingClientGetsItsShare(t *testing.T) {
	r := newRig(t, nil)
	reqs := make([]Request, 64)
	outcomes := map[Outcome]int{}
	for round := range 10 {
		for i := range reqs {
			m := new(dns.Msg).SetQuestion(fmt.Sprintf("f%d-%d.example.", round, i), dns.TypeA)
			reqs[i] = Request{Msg: pack(t, m), Client: client("10.6.6.6"), Buf: make([]byte, 0, 4096)}
		}
		r.e.Handle(r.now, reqs)
		for i := range reqs {
			outcomes[reqs[i].Outcome]++
		}
	}
	if outcomes[Wait] != 32 || outcomes[Drop] == 0 || outcomes[Send] == 0 {
		t.Fatalf("outcomes %v", outcomes)
	}
	if req := r.ask("good.example.", "10.0.0.1"); req.Outcome != Wait {
		t.Fatalf("the other client: outcome %d", req.Outcome)
	}
	r.e.Misses(r.now, 2)
	if len(r.sent) != 2 || !(dns.IsSubDomain("good.example.", r.sent[0].msg.Question[0].Name) || dns.IsSubDomain("good.example.", r.sent[1].msg.Question[0].Name)) {
		t.Fatalf("the other client's turn did not come: %v", r.sent)
	}
}

// RFC 8767: when the servers fail, old data is served; for a while without asking them.
func TestServesStale(t *testing.T) {
	r := newRig(t, nil)
	req := r.ask("s.example.", "10.0.0.1")
	r.e.Misses(r.now, 1)
	r.answer(0, 10)
	r.now += 60e9
	q := new(dns.Msg).SetQuestion("s.example.", dns.TypeA)
	q.SetEdns0(1232, false)
	req = r.handle(q, "10.0.0.1", false)
	if req.Outcome != Wait {
		t.Fatalf("outcome %d", req.Outcome)
	}
	waiter := req.To
	delete(r.replies, waiter)
	r.e.Misses(r.now, 1)
	r.advance(19e8)
	m := r.replies[waiter]
	if m == nil || m.Rcode != 0 || len(m.Answer) != 1 || m.Answer[0].Header().Ttl != 30 {
		t.Fatalf("after the client response timer: %v", m)
	}
	ede, _ := m.IsEdns0().Option[0].(*dns.EDNS0_EDE)
	if ede == nil || ede.InfoCode != dns.ExtendedErrorCodeStaleAnswer {
		t.Fatalf("extended error: %v", m)
	}
	r.advance(20e9)
	if r.e.Waiting() != 0 {
		t.Fatal("the waiter was not freed when its task ended")
	}
	sent := len(r.sent)
	if req = r.handle(q, "10.0.0.1", false); req.Outcome != Send || len(r.sent) != sent {
		t.Fatalf("within the failure recheck timer: outcome %d, %d more queries", req.Outcome, len(r.sent)-sent)
	}
	r.now += 60e9
	if req = r.handle(q, "10.0.0.1", false); req.Outcome != Wait {
		t.Fatalf("after the failure recheck timer: outcome %d", req.Outcome)
	}
}

func TestPrefetchesHotNames(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Prefetch, o.PrefetchHits = 10, 3 })
	r.ask("p.example.", "10.0.0.1")
	r.e.Misses(r.now, 1)
	r.answer(0, 100)
	for range 5 {
		r.ask("p.example.", "10.0.0.1")
	}
	if r.e.Misses(r.now, 1); len(r.sent) != 1 {
		t.Fatal("prefetched early")
	}
	r.now += 95e9
	for range 5 {
		if req := r.ask("p.example.", "10.0.0.1"); req.Outcome != Send {
			t.Fatal("a prefetch made the client wait")
		}
	}
	before := r.e.Counters()
	if r.e.Misses(r.now, 1); len(r.sent) != 2 {
		t.Fatalf("%d queries sent", len(r.sent))
	}
	r.answer(1, 100)
	if c := r.e.Counters(); c.Prefetch != before.Prefetch+1 || c.Queries != before.Queries || c.Misses != before.Misses {
		t.Errorf("counted: %+v, before %+v", c, before)
	}
	if m := unpack(t, r.ask("p.example.", "10.0.0.1").Response); m.Answer[0].Header().Ttl != 100 {
		t.Fatalf("not refreshed: %v", m)
	}
}

func TestQueryThatCannotBeSentFails(t *testing.T) {
	r := newRig(t, nil)
	r.refuse = true
	req := r.ask("x.example.", "10.0.0.1")
	r.e.Misses(r.now, 1)
	r.advance(30e9)
	if m := r.replies[req.To]; m == nil || m.Rcode != dns.RcodeServerFailure {
		t.Fatalf("reply %v", m)
	}
}

func TestFailuresAreCached(t *testing.T) {
	r := newRig(t, nil)
	req := r.ask("x.example.", "10.0.0.1")
	r.e.Misses(r.now, 1)
	r.advance(30e9)
	if m := r.replies[req.To]; m == nil || m.Rcode != dns.RcodeServerFailure {
		t.Fatalf("reply %v", m)
	}
}

func TestWithoutRecursionDesired(t *testing.T) {
	r := newRig(t, nil)
	q := new(dns.Msg).SetQuestion("x.example.", dns.TypeA)
	q.RecursionDesired = false
	if req := r.handle(q, "10.0.0.1", false); req.Outcome != Send || unpack(t, req.Response).Rcode != dns.RcodeRefused {
		t.Fatal("an unknown name was looked up without RD")
	}
	r.ask("x.example.", "10.0.0.1")
	r.e.Misses(r.now, 1)
	r.answer(0, 60)
	if req := r.handle(q, "10.0.0.1", false); req.Outcome != Send || len(unpack(t, req.Response).Answer) != 1 {
		t.Fatal("a known name was not told")
	}
}

func TestRefusesStrangers(t *testing.T) {
	r := newRig(t, nil)
	req := r.ask("x.example.", "192.0.2.1")
	if m := unpack(t, req.Response); m.Rcode != dns.RcodeRefused || len(r.sent) != 0 {
		t.Fatal(m)
	}
	q := new(dns.Msg).SetQuestion("version.bind.", dns.TypeTXT)
	q.Question[0].Qclass = dns.ClassCHAOS
	if m := unpack(t, r.handle(q, "192.0.2.1", false).Response); len(m.Answer) != 1 {
		t.Fatal(m)
	}
}
