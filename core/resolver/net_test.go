package resolver

import (
	"container/heap"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// network is a scripted world around one Machine: servers are functions, time is a number.
type network struct {
	t        testing.TB
	m        *Machine
	now      time.Duration
	events   events
	servers  map[netip.AddrPort]serve
	fallback serve                   // for addresses that are not in servers
	unsent   func(a Action) Obstacle // says what hinders a query
	log      []sent
	answers  map[uint32]Answer
	ended    []Answer // all responses, those for nobody included
	timers   int
	wall     int64 // seconds since 1970
	busy     bool  // nobody takes jobs
	jobs     int
	hold     bool // jobs are not run but put to held
	held     []Action
	memo     dnssec.Memo // of the jobs

	ports map[uint64]uint16 // sockets of the queries under way, by reference: any of them may be the query's own
}

// sent is a query that the machine sent.
type sent struct {
	at     time.Duration
	to     netip.AddrPort
	sock   uint16
	stream bool
	shared bool
	raw    []byte
	msg    *dns.Msg
}

// reply is what a scripted server sends. Zero fields take what a well-behaved server would use.
type reply struct {
	msg   *dns.Msg
	raw   []byte
	after time.Duration
	from  netip.AddrPort
	err   error // ends a stream, or is what ICMP says of a datagram
	sock  int   // another socket than the query's, less one
}

type serve func(q sent) []reply

var errRefused = errors.New("connection refused")

type event struct {
	at  time.Duration
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any     { x := (*e)[len(*e)-1]; *e = (*e)[:len(*e)-1]; return x }

func newNetwork(t testing.TB, o Options) *network {
	n := &network{t: t, servers: map[netip.AddrPort]serve{}, answers: map[uint32]Answer{}, ports: map[uint64]uint16{}, now: time.Hour}
	n.m = New(o, rand.New(rand.NewPCG(1, 2)))
	return n
}

func (n *network) schedule(after time.Duration, do func()) {
	heap.Push(&n.events, event{n.now + after, len(n.log) + n.timers, do})
	n.timers++
}

// perform does what the machine asks for.
func (n *network) perform() {
	for i := 0; i < len(n.m.Actions()); i++ {
		a := n.m.Actions()[i]
		switch a.Kind {
		case Timer:
			ref := a.Ref
			n.schedule(max(0, time.Duration(a.At)-n.now), func() { n.m.Fire(int64(n.now), ref); n.perform() })
		case Respond:
			a.Answer.Msg = append([]byte(nil), a.Answer.Msg...)
			n.ended = append(n.ended, a.Answer)
			for _, w := range a.Waiters {
				if _, twice := n.answers[w]; twice {
					n.t.Errorf("waiter %d hears twice", w)
				}
				n.answers[w] = a.Answer
			}
		case Query:
			n.send(a)
		case Release:
			if sock, under := n.ports[a.Ref]; !under || sock != a.Sock {
				n.t.Errorf("query %x gives up socket %d, and has %d, %v", a.Ref, a.Sock, sock, under)
			}
			delete(n.ports, a.Ref)
		case Verify:
			n.jobs++
			if n.hold {
				n.held = append(n.held, a)
				continue
			}
			if n.busy {
				n.m.Verified(int64(n.now), a.Ref, a.Job)
				continue
			}
			a.Job.Run(n.wall, n.memo, nil)
			n.m.Verified(int64(n.now), a.Ref, a.Job)
		}
	}
	n.m.Clear()
}

func (n *network) send(a Action) {
	if n.unsent != nil {
		if why := n.unsent(a); why != NoObstacle {
			n.m.SendFailed(int64(n.now), a.Ref, why)
			return
		}
	}
	sock := uint16(len(n.log) % 7)
	raw := n.m.BuildQuery(a.Ref, sock, make([]byte, 512))
	if raw == nil {
		return
	}
	if !a.Stream {
		n.ports[a.Ref] = sock
	}
	q := sent{at: n.now, to: a.Server, sock: sock, stream: a.Stream, shared: a.Shared, raw: raw, msg: new(dns.Msg)}
	if err := q.msg.Unpack(raw); err != nil {
		n.t.Fatalf("query cannot be read: %v", err)
	}
	n.log = append(n.log, q)
	handler := n.servers[a.Server]
	if handler == nil {
		handler = n.fallback
	}
	if handler == nil {
		return
	}
	for _, r := range handler(q) {
		msg := r.raw
		if r.msg != nil {
			packed, err := r.msg.Pack()
			if err != nil {
				n.t.Fatalf("script: %v", err)
			}
			msg = packed
		}
		from, on := r.from, sock
		if !from.IsValid() {
			from = a.Server
		}
		if r.sock > 0 {
			on = uint16(r.sock - 1)
		}
		ref, err := a.Ref, r.err
		n.schedule(max(r.after, time.Millisecond), func() {
			switch {
			case q.stream:
				n.m.ReceiveStream(int64(n.now), ref, msg, err)
			case err != nil:
				n.m.Refused(int64(n.now), ref)
			default:
				n.m.Receive(int64(n.now), on, from, msg)
			}
			n.perform()
		})
	}
}

// run lets time pass.
func (n *network) run(d time.Duration) {
	end := n.now + d
	for len(n.events) > 0 && n.events[0].at <= end {
		e := heap.Pop(&n.events).(event)
		n.now = e.at
		e.do()
	}
	n.now = end
}

func question(name string, t wire.Type) *Question {
	return &Question{Name: dnametest.Name(strings.ToLower(name)), Type: t, Class: wire.ClassIN}
}

// begin starts a question.
func (n *network) begin(q *Question, waiter uint32) Status {
	s := n.m.Begin(int64(n.now), q, waiter)
	n.perform()
	return s
}

// resolve asks and waits for the end, which has to come within the time-out.
func (n *network) resolve(q *Question) (Answer, *dns.Msg) {
	n.t.Helper()
	const me = 1 << 20
	delete(n.answers, me)
	began := n.now
	if s := n.begin(q, me); s != Started {
		n.t.Fatalf("Begin = %v", s)
	}
	for len(n.events) > 0 {
		if _, done := n.answers[me]; done {
			break
		}
		e := heap.Pop(&n.events).(event)
		n.now = e.at
		e.do()
	}
	a, done := n.answers[me]
	if !done {
		n.t.Fatal("no answer")
	}
	if took := n.now - began; took > time.Duration(n.m.options.Timeout) {
		n.t.Fatalf("answered after %v", took)
	}
	msg := new(dns.Msg)
	if err := msg.Unpack(a.Msg); err != nil {
		n.t.Fatalf("answer cannot be read: %v", err)
	}
	return a, msg
}

// idle checks that nothing is left in use once all timers have fired.
func (n *network) idle() {
	n.t.Helper()
	n.run(time.Hour)
	s := n.m.Stats()
	if s.Tasks != 0 || s.Waiters != 0 || s.Exchanges != 0 {
		n.t.Errorf("left over: %d tasks, %d waiters, %d exchanges", s.Tasks, s.Waiters, s.Exchanges)
	}
	if len(n.ports) != 0 {
		n.t.Errorf("left over: the sockets of %d queries", len(n.ports))
	}
	if n.m.held.bytes != 0 {
		n.t.Errorf("left over: %d bytes are held", n.m.held.bytes)
	}
	for i := range int32(n.m.servers.Len()) {
		if s := n.m.servers.At(i); s.Pins() != 0 {
			n.t.Errorf("server %v has %d pins", s.Addr(), s.Pins())
		}
	}
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s + ":53") }

// answering serves records, with the flags and rcode set up by edit.
func answering(edit func(m *dns.Msg), records ...string) serve {
	return func(q sent) []reply {
		m := new(dns.Msg).SetReply(q.msg)
		m.RecursionAvailable = true
		if o := q.msg.IsEdns0(); o != nil {
			m.SetEdns0(1232, o.Do())
		}
		for _, r := range records {
			section, text, _ := strings.Cut(r, ": ")
			rr, err := dns.NewRR(text)
			if err != nil {
				panic(err)
			}
			switch section {
			case "an":
				m.Answer = append(m.Answer, rr)
			case "ns":
				m.Ns = append(m.Ns, rr)
			case "ar":
				m.Extra = append([]dns.RR{rr}, m.Extra...)
			}
		}
		if edit != nil {
			edit(m)
		}
		return []reply{{msg: m}}
	}
}

func rcode(code int) serve { return answering(func(m *dns.Msg) { m.Rcode = code }) }

// lines is a section as text, TTLs left out.
func lines(rrs []dns.RR) string {
	var out []string
	for _, rr := range rrs {
		f := strings.Fields(rr.String())
		if len(f) < 4 {
			f = append(f, "", "", "")
		}
		out = append(out, strings.Join(append(f[:1:1], f[3:]...), " "))
	}
	return strings.Join(out, "; ")
}

// asked is the name that a query is about, in lower case.
func asked(q sent) string { return strings.ToLower(q.msg.Question[0].Name) }
