package core

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"
)

// hits makes an Engine with n names in its cache and a batch of queries for them.
func hits(t testing.TB, n, batch int) (*rig, []Request) {
	r := newRig(t, nil)
	for i := range n {
		r.ask(fmt.Sprintf("h%d.example.", i), "10.0.0.1")
		r.e.Misses(r.now, 1)
		r.answer(len(r.sent)-1, 3600)
	}
	reqs := make([]Request, batch)
	for i := range reqs {
		q := new(dns.Msg).SetQuestion(fmt.Sprintf("h%d.example.", i%n), dns.TypeA)
		if i%2 == 0 {
			q.SetEdns0(1232, false)
		}
		reqs[i] = Request{Msg: pack(t, q), Client: client("10.0.0.1"), Buf: make([]byte, 0, 4096)}
	}
	return r, reqs
}

func TestHitAllocates0(t *testing.T) {
	r, reqs := hits(t, 64, 64)
	n := testing.AllocsPerRun(100, func() { r.e.Handle(r.now, reqs) })
	if n != 0 {
		t.Fatalf("%v allocations for a batch of hits", n)
	}
	for i := range reqs {
		if reqs[i].Outcome != Send || len(unpack(t, reqs[i].Response).Answer) != 1 {
			t.Fatalf("request %d was no hit", i)
		}
	}
}

// To ask for refreshes costs a hit no memory; they are begun later.
func TestPrefetchAllocates0(t *testing.T) {
	r, reqs := hits(t, 64, 64)
	r.e.Prefetch, r.e.PrefetchHits, r.sent = 100, 1, nil
	n := testing.AllocsPerRun(100, func() {
		r.now += 1e9
		r.e.refreshes = r.e.refreshes[:0]
		r.e.Handle(r.now, reqs)
	})
	if n != 0 {
		t.Fatalf("%v allocations for a batch of hits", n)
	}
	if len(r.e.refreshes) != 64 || len(r.sent) != 0 {
		t.Fatalf("%d refreshes, %d queries", len(r.e.refreshes), len(r.sent))
	}
}

// More refreshes than there is room for are asked for by the next hits.
func TestRefreshesAreBounded(t *testing.T) {
	r, reqs := hits(t, 2*maxRefreshes, 2*maxRefreshes)
	r.e.Prefetch, r.e.PrefetchHits, r.sent = 100, 1, nil
	asked := map[string]bool{}
	for range 2 {
		r.e.Handle(r.now, reqs)
		if len(r.e.refreshes) != maxRefreshes {
			t.Fatalf("%d refreshes", len(r.e.refreshes))
		}
		for i := range r.e.refreshes {
			f := &r.e.refreshes[i]
			asked[string(f.name[:f.length])] = true
		}
		r.e.Misses(r.now, 2*maxRefreshes)
	}
	if len(asked) < maxRefreshes*3/2 { // Marks that meet in their table let a name be asked for twice.
		t.Errorf("%d names were asked for", len(asked))
	}
}

// silent is a Tap that writes nothing down.
type silent struct{ told int }

func (s *silent) Exchange(*Exchange) { s.told++ }

func TestTappedHitAllocates0(t *testing.T) {
	r, reqs := hits(t, 64, 64)
	tap := new(silent)
	r.e.Tap = tap
	if n := testing.AllocsPerRun(100, func() { r.e.Handle(r.now, reqs) }); n != 0 || tap.told != 101*64 {
		t.Fatalf("%v allocations for a batch of hits, %d told of", n, tap.told)
	}
}

func TestErrorAllocates0(t *testing.T) {
	r, reqs := hits(t, 1, 64)
	for i := range reqs {
		reqs[i].Msg = append([]byte(nil), reqs[i].Msg...)
		switch i % 4 {
		case 0:
			reqs[i].Msg = reqs[i].Msg[:15]
		case 1:
			reqs[i].Msg[2] |= 0x78
		case 2:
			reqs[i].Client = client("192.0.2.1")
		case 3:
			reqs[i].Msg = reqs[i].Msg[:5]
		}
	}
	if n := testing.AllocsPerRun(100, func() { r.e.Handle(r.now, reqs) }); n != 0 {
		t.Fatalf("%v allocations for a batch of errors", n)
	}
}

func BenchmarkHitBatch(b *testing.B) {
	r, reqs := hits(b, 1000, 64)
	b.ReportAllocs()
	for b.Loop() {
		r.e.Handle(r.now, reqs)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(reqs)), "ns/query")
}
