package timer

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The slow twin is a list of times: the wheel must fire the same references, none early, none more than a
// tick late when it is advanced in small steps.
func TestWheelAgainstList(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	start := int64(12345678)
	w, now := New(start), start
	var at []int64 // by reference
	var fired []bool
	add := func() {
		d := rng.Int64N(50 * Tick)
		switch rng.IntN(4) {
		case 0:
			d = rng.Int64N(2 * span * Tick)
		case 1:
			d = rng.Int64N(100 * span * Tick)
		}
		w.Add(now+d, uint64(len(at)))
		at = append(at, now+d)
		fired = append(fired, false)
	}
	for len(at) < 5000 || w.Len() > 0 {
		if len(at) < 5000 {
			for range rng.IntN(5) {
				add()
			}
		}
		if next, ok := w.Next(); ok {
			for ref, f := range fired {
				if !f && at[ref] > now && next > max((at[ref]+Tick-1)/Tick, now/Tick+1)*Tick {
					t.Fatalf("at %d Next says %d, but %d is due at %d", now, next, ref, at[ref])
				}
			}
		}
		step := rng.Int64N(3 * Tick)
		if rng.IntN(50) == 0 {
			step = rng.Int64N(span * Tick)
		}
		last := now
		now += step
		w.Advance(now, func(ref uint64) {
			if fired[ref] {
				t.Fatalf("%d fired twice", ref)
			}
			fired[ref] = true
			if now < at[ref] {
				t.Fatalf("%d fired at %d, before %d", ref, now, at[ref])
			}
			if last > at[ref]+2*Tick {
				t.Fatalf("%d is due at %d, but fired after %d", ref, at[ref], last)
			}
		})
	}
	if i := slices.Index(fired, false); i >= 0 {
		t.Fatalf("%d never fired", i)
	}
}

func TestAddWhileFiring(t *testing.T) {
	w, n := New(0), 0
	var fire func(uint64)
	fire = func(ref uint64) {
		if n++; n < 100 {
			w.Add(0, ref)
		}
	}
	w.Add(0, 7)
	w.Advance(99*Tick, fire)
	if n != 99 {
		t.Fatalf("fired %d times in 99 ticks", n)
	}
}

func TestBeyondTheHorizon(t *testing.T) {
	w, n := New(0), 0
	w.Add(1<<60, 1)
	for now := int64(0); now < horizon*Tick; now += 10 * Tick {
		w.Advance(now, func(uint64) { n++ })
	}
	if n != 1 {
		t.Fatalf("a timer beyond the horizon fired %d times", n)
	}
}

func TestSteadyLoadAllocates0(t *testing.T) {
	w, now := New(0), int64(0)
	round := func() {
		for range 64 {
			w.Add(now+300*Tick, 1)
		}
		now += Tick
		w.Advance(now, func(uint64) {})
	}
	for range 2 * slots {
		round()
	}
	if n := testing.AllocsPerRun(2*slots, round); n != 0 {
		t.Fatalf("%v allocations a round", n)
	}
}

func BenchmarkAddFire(b *testing.B) {
	w, now := New(0), int64(0)
	for b.Loop() {
		w.Add(now+400*Tick, 1)
		now += Tick / 16
		w.Advance(now, func(uint64) {})
	}
}
