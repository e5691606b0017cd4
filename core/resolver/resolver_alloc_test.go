package resolver

import (
	"math/rand/v2"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// questionEnd is where the question for www.example. ends.
const questionEnd = wire.HeaderLen + 13 + 4

// A question that is answered, from Begin to Respond, allocates nothing once the machine is warm.
func TestResolveAllocs(t *testing.T) { resolveAllocs(t, forwardTo("192.0.2.1", "192.0.2.2"), nil) }

// Nor does one for a name below a delegation that is known to be insecure, while others are validated.
func TestResolveInsecureAllocs(t *testing.T) {
	o := forwardTo("192.0.2.1", "192.0.2.2")
	o.Anchors = new(dnssec.Anchors)
	o.Anchors.Set(dnssec.RootAnchor())
	resolveAllocs(t, o, func(m *Machine) {
		m.trust.PutCut(dnssec.Delegation{Name: dnametest.Name("example."), Result: dnssec.Result{Status: dnssec.Insecure}, TTL: 86400}, 1e9)
	})
}

func resolveAllocs(t *testing.T, o Options, prepare func(*Machine)) {
	m := New(o, rand.NewChaCha8([32]byte{1}))
	if prepare != nil {
		prepare(m)
	}
	q := question("www.example.", wire.TypeA)
	var queryBuf, responseBuf [600]byte
	record := append([]byte{0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4}, 198, 51, 100, 1) // TTL 0: asked for each time
	now := int64(1e9)
	responded := 0
	cycle := func() {
		now += 1e6
		m.Begin(now, q, 7)
		for i := 0; i < len(m.Actions()); i++ {
			a := m.Actions()[i]
			switch a.Kind {
			case Query:
				raw := m.BuildQuery(a.Ref, 3, queryBuf[:])
				wire.SetFlags(raw, wire.FlagQR|wire.FlagRA)
				r := append(responseBuf[:0], raw[:questionEnd]...)
				r = append(r, record...)
				wire.SetCount(r, wire.Answer, 1)
				wire.SetCount(r, wire.Additional, 0)
				m.Receive(now+1e6, 3, a.Server, r)
			case Respond:
				if a.Answer.Rcode == wire.RcodeNoError && len(a.Waiters) == 1 {
					responded++
				}
			case Timer:
				m.Fire(a.At, a.Ref)
			}
		}
		m.Clear()
	}
	for range 100 {
		cycle()
	}
	responded = 0
	if n := testing.AllocsPerRun(1000, cycle); n != 0 {
		t.Errorf("%v allocations for each question", n)
	}
	if sent := m.Stats().Sent; responded != 1001 || sent < 1001 {
		t.Errorf("%d of 1001 answered after %d queries", responded, sent)
	}
}

func BenchmarkResolve(b *testing.B) {
	m := New(forwardTo("192.0.2.1", "192.0.2.2"), rand.NewChaCha8([32]byte{1}))
	q := question("www.example.", wire.TypeA)
	var queryBuf, responseBuf [600]byte
	record := append([]byte{0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4}, 198, 51, 100, 1)
	now := int64(1e9)
	b.ReportAllocs()
	for b.Loop() {
		now += 1e6
		m.Begin(now, q, 7)
		for i := 0; i < len(m.Actions()); i++ {
			if a := m.Actions()[i]; a.Kind == Query {
				raw := m.BuildQuery(a.Ref, 3, queryBuf[:])
				wire.SetFlags(raw, wire.FlagQR|wire.FlagRA)
				r := append(responseBuf[:0], raw[:questionEnd]...)
				r = append(r, record...)
				wire.SetCount(r, wire.Answer, 1)
				wire.SetCount(r, wire.Additional, 0)
				m.Receive(now+1e6, 3, a.Server, r)
			}
		}
		m.Clear()
	}
}

// An iterative resolution of a new name below a known zone allocates nothing either.
func TestIterateAllocs(t *testing.T) {
	m := New(Options{Recursion: true, RootHints: []Hint{{dnametest.Name("a.root."), one.Addr()}}, NoIPv6: true}, rand.NewChaCha8([32]byte{1}))
	run := iterating(t, m)
	for range 300 {
		run()
	}
	if n := testing.AllocsPerRun(1000, run); n != 0 {
		t.Errorf("%v allocations for each name", n)
	}
}

// iterating returns a function that resolves another name of the zone test. with a new delegation.
func iterating(t testing.TB, m *Machine) func() {
	q := question("www.aaaa.test.", wire.TypeA)
	var queryBuf, responseBuf [600]byte
	// Relative to the question: a referral of test. or what is below it, to a server with glue.
	referral := func(r []byte, owner uint16) []byte {
		r = append(r, 0xC0, byte(owner), 0, 2, 0, 1, 0, 0, 0, 60, 0, 5, 2, 'n', 's', 0xC0, byte(owner))
		r = append(r, 2, 'n', 's', 0xC0, byte(owner), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, byte(owner))
		wire.SetCount(r, wire.Authority, 1)
		wire.SetCount(r, wire.Additional, 1)
		return r
	}
	now, name := int64(1e9), uint32(0)
	return func() {
		now += 1e6
		name++
		for i := range 4 {
			q.Name[5+i] = 'a' + byte(name>>(4*i)&15)
		}
		if m.Begin(now, q, 7) != Started {
			t.Fatal("not started")
		}
		answered := false
		for i := 0; i < len(m.Actions()); i++ {
			a := m.Actions()[i]
			switch a.Kind {
			case Query:
				raw := m.BuildQuery(a.Ref, 3, queryBuf[:])
				if raw == nil {
					continue // no longer wanted
				}
				end, _ := dname.Skip(raw, wire.HeaderLen)
				r := append(responseBuf[:0], raw[:end+4]...)
				wire.SetFlags(r, wire.FlagQR)
				wire.SetCount(r, wire.Additional, 0)
				switch qname := dname.Name(raw[wire.HeaderLen:end]); qname.Labels() {
				case 0:
					continue
				case 1:
					r = referral(r, wire.HeaderLen)
				case 2:
					r = referral(r, wire.HeaderLen)
				default:
					r = append(r, 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 1)
					wire.SetCount(r, wire.Answer, 1)
					wire.SetFlags(r, wire.FlagQR|wire.FlagAA)
				}
				m.Receive(now+1e6, 3, a.Server, r)
			case Respond:
				answered = answered || a.Answer.Rcode == wire.RcodeNoError
			case Timer:
				if a.At < now+1e9 {
					m.Fire(a.At, a.Ref)
				}
			}
		}
		m.Clear()
		if !answered {
			t.Fatal("not answered")
		}
	}
}

// BenchmarkIterate resolves names whose zone is new and whose parent zone is known: two round trips.
func BenchmarkIterate(b *testing.B) {
	m := New(Options{Recursion: true, RootHints: []Hint{{dnametest.Name("a.root."), one.Addr()}}, NoIPv6: true}, rand.NewChaCha8([32]byte{1}))
	run := iterating(b, m)
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
}

// nowhere is a Here that knows nothing.
type nowhere struct{}

func (nowhere) Look(dst []byte, _ *Question) ([]byte, Place) { return dst, Elsewhere }

// Nor does one that is looked for here first.
func TestResolveElsewhereAllocs(t *testing.T) {
	resolveAllocs(t, forwardTo("192.0.2.1", "192.0.2.2"), func(m *Machine) { m.SetHere(nowhere{}) })
}
