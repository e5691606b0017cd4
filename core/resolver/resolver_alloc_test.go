package resolver

import (
	"math/rand/v2"
	"testing"

	"heimdall/core/wire"
)

// questionEnd is where the question for www.example. ends.
const questionEnd = wire.HeaderLen + 13 + 4

// A question that is answered, from Begin to Respond, allocates nothing once the machine is warm.
func TestResolveAllocs(t *testing.T) {
	m := New(forwardTo("192.0.2.1", "192.0.2.2"), rand.NewChaCha8([32]byte{1}))
	q := question("www.example.", wire.TypeA)
	var queryBuf, responseBuf [600]byte
	record := append([]byte{0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4}, 198, 51, 100, 1)
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
	if responded != 1001 {
		t.Errorf("%d of 1001 answered", responded)
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
