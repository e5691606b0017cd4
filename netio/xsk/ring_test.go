package xsk

import "testing"

// newRings returns the two ends of a ring in ordinary memory, whose positions begin at start.
func newRings[T any](size int, start uint32) (*producer[T], *consumer[T]) {
	produced, consumed, flags := start, start, uint32(0)
	r := ring[T]{produced: &produced, consumed: &consumed, flags: &flags, slots: make([]T, size)}
	return &producer[T]{ring: r, next: start, end: start}, &consumer[T]{ring: r, next: start, end: start}
}

// What is put comes out in order, once, whatever the positions: they wrap at 2^32.
func TestRing(t *testing.T) {
	const size = 8
	for _, start := range []uint32{0, 5, 1<<32 - 1, 1<<32 - size, 1 << 31} {
		p, c := newRings[uint64](size, start)
		put, taken := uint64(0), uint64(0)
		for round := range 100 {
			for range round % 11 {
				if !p.room() {
					if put-taken != size {
						t.Fatalf("from %d: no room with %d elements", start, put-taken)
					}
					break
				}
				p.put(put)
				put++
			}
			if n := c.available(size); uint64(n) > put-taken {
				t.Fatalf("from %d: %d available before they were published", start, n)
			}
			p.publish()
			n := c.available(size)
			if uint64(n) != put-taken || uint64(p.pending()) != put-taken {
				t.Fatalf("from %d: %d available, %d pending of %d", start, n, p.pending(), put-taken)
			}
			for range min(n, round%7) {
				if got := c.take(); got != taken {
					t.Fatalf("from %d: %d came, not %d", start, got, taken)
				}
				taken++
			}
			c.release()
		}
		if put < 100 {
			t.Fatalf("only %d elements went through", put)
		}
	}
}

func TestRingNeedWakeup(t *testing.T) {
	p, c := newRings[uint64](8, 0)
	if p.needWakeup() {
		t.Error("before the kernel asks")
	}
	*c.flags = ringNeedWakeup
	if !p.needWakeup() {
		t.Error("not when the kernel asks")
	}
}
