package framing

import (
	"math/rand/v2"
	"testing"
)

// What is lent and what is kept are within the limit together, whatever comes and goes; and when all has come back, little
// is kept of the busiest moment.
func TestPoolBounds(t *testing.T) {
	const limit = 4 << 20
	p := NewPool(limit)
	rnd := rand.New(rand.NewPCG(7, 8))
	var lent [][]byte
	for range 100_000 {
		if len(lent) > 0 && rnd.IntN(100) < 50 {
			i := rnd.IntN(len(lent))
			p.Put(lent[i])
			lent[i] = lent[len(lent)-1]
			lent = lent[:len(lent)-1]
		} else if b := p.Get(1 + rnd.IntN(1<<rnd.IntN(19))); b != nil {
			lent = append(lent, b)
		}
		out, kept := 0, 0
		for _, b := range lent {
			out += cap(b)
		}
		for _, list := range p.free {
			for _, b := range list {
				kept += cap(b)
			}
		}
		if out != p.lent || kept != p.kept || out+kept > limit {
			t.Fatalf("%d bytes are lent and %d kept, counted as %d and %d", out, kept, p.lent, p.kept)
		}
	}
	for _, b := range lent {
		p.Put(b)
	}
	if p.lent != 0 || p.kept > len(classes)*keepBytes {
		t.Errorf("%d bytes are lent and %d kept", p.lent, p.kept)
	}
}

// A load that stays below the limit takes no new memory.
func TestPoolUnderLoadAllocates0(t *testing.T) {
	p := NewPool(16 << 20)
	var lent [64][]byte
	round := func() {
		for i := range lent {
			lent[i] = p.Get(classes[len(classes)-1])
		}
		for i := range lent[1:] {
			p.Put(lent[i])
		}
	}
	hold := p.Get(1)
	round()
	p.Put(lent[len(lent)-1])
	if n := testing.AllocsPerRun(100, func() { round(); p.Put(lent[len(lent)-1]) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	p.Put(hold)
}
