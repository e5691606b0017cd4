// Package timer is the timer wheel of a shard: a two-level hashed wheel (Varghese and Lauck, SOSP'87) that
// keeps many coarse timeouts at a constant cost each.
//
// A timer carries a reference that its owner can tell to be stale, so nothing is ever cancelled: what has
// become irrelevant fires into a check and is ignored.
package timer

import "math/bits"

const (
	// Tick is the resolution in nanoseconds: a timer fires up to one tick late, never early.
	Tick = 2_000_000

	slots   = 512          // of each level; a power of two
	perWord = 64           // slots in one word of the occupancy bitmap
	span    = slots        // ticks that the fine level covers
	horizon = slots * span // ticks that both levels cover: 524 s; what lies beyond fires there
)

type entry struct {
	at  int64 // tick at which it fires
	ref uint64
}

type level struct {
	slot [slots][]entry
	used [slots / perWord]uint64 // bit i: slot i has entries
}

// Wheel holds timers. Not safe for concurrent use; owned by one shard. Slots keep the memory of their
// busiest moment, so a steady load does not allocate.
type Wheel struct {
	now    int64 // tick up to which all has fired
	fine   level // one slot a tick
	coarse level // one slot for each span of ticks
	count  int
	due    []entry // what fires now; apart from the slots, so that the receiver may add timers
}

// New makes an empty wheel that starts at now, in nanoseconds of any monotonic clock.
func New(now int64) *Wheel { return &Wheel{now: now / Tick} }

// Len returns the number of timers that have not fired.
func (w *Wheel) Len() int { return w.count }

// Add arranges that ref is given to the function passed to Advance once the clock has reached at, in
// nanoseconds. A time in the past fires at the next tick.
func (w *Wheel) Add(at int64, ref uint64) {
	tick := min(max((at+Tick-1)/Tick, w.now+1), w.now+horizon-span)
	w.place(entry{tick, ref})
	w.count++
}

func (w *Wheel) place(e entry) {
	if e.at-w.now < span {
		w.fine.put(int(e.at%slots), e)
	} else {
		w.coarse.put(int(e.at/span%slots), e)
	}
}

// Advance fires, in order of their ticks, all timers that are due at now, in nanoseconds. The function may
// add timers.
func (w *Wheel) Advance(now int64, fire func(ref uint64)) {
	for target := now / Tick; w.now < target; {
		if w.count == 0 {
			w.now = target
			return
		}
		w.now++
		if w.now%span == 0 {
			for _, e := range w.take(&w.coarse, int(w.now/span%slots)) {
				w.place(e)
			}
		}
		due := w.take(&w.fine, int(w.now%slots))
		w.count -= len(due)
		for _, e := range due {
			fire(e.ref)
		}
	}
}

// Next returns the time in nanoseconds before which no timer fires, or false when there is none. It may be
// earlier than the first timer, never later.
func (w *Wheel) Next() (int64, bool) {
	if w.count == 0 {
		return 0, false
	}
	boundary := (w.now/span + 1) * span // the coarse level is looked at again
	if d := w.fine.after(int(w.now % slots)); d > 0 && w.now+int64(d) < boundary {
		return (w.now + int64(d)) * Tick, true
	}
	return boundary * Tick, true
}

// take empties a slot into w.due.
func (w *Wheel) take(l *level, i int) []entry {
	if l.used[i/perWord]>>(i%perWord)&1 == 0 {
		return nil
	}
	w.due = append(w.due[:0], l.slot[i]...)
	l.slot[i] = l.slot[i][:0]
	l.used[i/perWord] &^= 1 << (i % perWord)
	return w.due
}

func (l *level) put(i int, e entry) {
	l.slot[i] = append(l.slot[i], e)
	l.used[i/perWord] |= 1 << (i % perWord)
}

// after returns how many slots behind i, cyclically, the next one with entries lies; 0: all are empty.
func (l *level) after(i int) int {
	for d := 1; d <= slots; {
		k := (i + d) % slots
		if word := l.used[k/perWord] >> (k % perWord); word != 0 {
			return d + bits.TrailingZeros64(word)
		}
		d += perWord - k%perWord
	}
	return 0
}
