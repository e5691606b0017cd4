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
	w, now := New(start, 5010), start
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
		w.Set(len(at), uint64(len(at)), now+d)
		at = append(at, now+d)
		fired = append(fired, false)
	}
	for len(at) < 5000 || w.count > 0 {
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
	w, n := New(0, 8), 0
	var fire func(uint64)
	fire = func(ref uint64) {
		if n++; n < 100 {
			w.Set(7, ref, 0)
		}
	}
	w.Set(7, 7, 0)
	w.Advance(99*Tick, fire)
	if n != 99 {
		t.Fatalf("fired %d times in 99 ticks", n)
	}
}

func TestBeyondTheHorizon(t *testing.T) {
	w, n := New(0, 1), 0
	w.Set(0, 1, 1<<60)
	for now := int64(0); now < horizon*Tick; now += 10 * Tick {
		w.Advance(now, func(uint64) { n++ })
	}
	if n != 1 {
		t.Fatalf("a timer beyond the horizon fired %d times", n)
	}
}

// A timer that is set again fires once, with the last reference and at the last time: at random, against a map.
func TestSetAgainMoves(t *testing.T) {
	const timers = 64
	rng := rand.New(rand.NewPCG(3, 4))
	w, now := New(0, timers), int64(0)
	type pending struct {
		at  int64
		ref uint64
	}
	want := map[int]pending{}
	var ref uint64
	set := func() {
		n := rng.IntN(timers)
		at := now + rng.Int64N(3*Tick)
		if rng.IntN(3) == 0 {
			at = now + rng.Int64N(3*span*Tick)
		}
		ref += timers
		want[n] = pending{at, ref + uint64(n)}
		w.Set(n, ref+uint64(n), at)
	}
	for round := range 200_000 {
		if round < 190_000 {
			set()
		}
		now += rng.Int64N(2 * Tick)
		w.Advance(now, func(ref uint64) {
			n := int(ref % timers)
			if p := want[n]; p.ref != ref || p.at > now {
				t.Fatalf("timer %d fired %d at %d, wanted %v", n, ref, now, p)
			}
			delete(want, n)
			if round < 190_000 && rng.IntN(4) == 0 {
				set() // also one that is due in this very tick
			}
		})
		if w.count != len(want) {
			t.Fatalf("%d timers are pending, wanted %d", w.count, len(want))
		}
		for n, p := range want {
			if p.at < now-Tick {
				t.Fatalf("timer %d, due at %d, has not fired at %d", n, p.at, now)
			}
		}
	}
	if len(want) != 0 {
		t.Fatalf("%d timers never fired", len(want))
	}
}

// However fast timers are set and whatever their times, the wheel takes no more memory: a churn of nine minutes at
// many times the rate at which numbers are free again.
func TestChurnTakesNoMemory(t *testing.T) {
	const timers = 1000
	w, now := New(0, timers), int64(0)
	for n, next := 0, int64(0); now < horizon*Tick; now += 8 * Tick {
		for range 100 {
			w.Set(n, uint64(n), now+400*Tick+next%(2000*Tick))
			n, next = (n+1)%timers, next+17*Tick
		}
		w.Advance(now, func(uint64) {})
		if w.count > timers || cap(w.nodes) > heads+timers {
			t.Fatalf("%d timers of %d, room for %d", w.count, timers, cap(w.nodes)-heads)
		}
	}
}

func TestWheelAllocates0(t *testing.T) {
	w, now, n := New(0, 1<<16), int64(0), 0
	round := func() {
		for range 64 {
			w.Set(n%(1<<16), 1, now+300*Tick)
			n++
		}
		now += Tick
		w.Advance(now, func(uint64) {})
	}
	if n := testing.AllocsPerRun(2*slots, round); n != 0 {
		t.Fatalf("%v allocations a round", n)
	}
}

func BenchmarkSetFire(b *testing.B) {
	w, now, n := New(0, 1<<16), int64(0), 0
	for b.Loop() {
		w.Set(n%(1<<16), 1, now+400*Tick)
		n++
		now += Tick / 16
		w.Advance(now, func(uint64) {})
	}
}
