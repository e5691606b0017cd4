// Package timer is the timer wheel of a shard: a two-level hashed wheel (Varghese and Lauck, SOSP'87) that
// keeps many coarse timeouts at a constant cost each.
//
// Its timers are numbered, and each is pending once at most: to set it again moves it. So the memory is that of the
// numbers in use, however fast timers are set, and whatever their times are.
package timer

import "math/bits"

const (
	// Tick is the resolution in nanoseconds: a timer fires up to one tick late, never early.
	Tick = 2_000_000

	slots   = 512          // of each level; a power of two
	perWord = 64           // slots in one word of the occupancy bitmap
	span    = slots        // ticks that the fine level covers
	horizon = slots * span // ticks that both levels cover: 524 s; what lies beyond fires there

	heads = 2 * slots // nodes that are the heads of slots: those of the fine level, then those of the coarse
)

// node is a timer, or the head of a slot: a slot is a ring of nodes, of which the head is one. 24 bytes without a pointer:
// the garbage collector never looks at them.
type node struct {
	tick       int64 // at which it fires; 0: it is not pending
	ref        uint64
	next, prev uint32
}

// Wheel holds timers. Not safe for concurrent use; owned by one shard.
type Wheel struct {
	now   int64 // tick up to which all has fired
	nodes []node
	used  [heads / perWord]uint64 // bit i: slot i may have timers
	count int
}

// New makes a wheel with timers from 0 to timers-1, of 24 bytes each, that starts at now, in nanoseconds of any monotonic
// clock.
func New(now int64, timers int) *Wheel {
	w := &Wheel{now: now / Tick, nodes: make([]node, heads+timers)}
	for i := range uint32(heads) {
		w.nodes[i].next, w.nodes[i].prev = i, i
	}
	return w
}

// Set arranges that ref is given to the function passed to Advance once the clock has reached at, in nanoseconds. A
// timer that is pending is moved, with the new reference. A time in the past fires at the next tick.
func (w *Wheel) Set(timer int, ref uint64, at int64) {
	i := uint32(heads + timer)
	n := &w.nodes[i]
	if n.tick != 0 {
		w.unlink(n)
	} else {
		w.count++
	}
	n.ref = ref
	n.tick = min(max((at+Tick-1)/Tick, w.now+1), w.now+horizon-span)
	w.link(i, n)
}

// link puts a timer into the slot of its tick, behind those that are there.
func (w *Wheel) link(i uint32, n *node) {
	slot := uint32(n.tick % slots)
	if n.tick-w.now >= span {
		slot = slots + uint32(n.tick/span%slots)
	}
	w.used[slot/perWord] |= 1 << (slot % perWord)
	head := &w.nodes[slot]
	n.next, n.prev = slot, head.prev
	w.nodes[head.prev].next = i
	head.prev = i
}

// unlink takes a timer out of its slot. The slot's bit stays until its turn comes.
func (w *Wheel) unlink(n *node) {
	w.nodes[n.prev].next = n.next
	w.nodes[n.next].prev = n.prev
}

// Advance fires, in order of their ticks, all timers that are due at now, in nanoseconds. The function may
// set timers.
func (w *Wheel) Advance(now int64, fire func(ref uint64)) {
	for target := now / Tick; w.now < target; {
		if w.count == 0 {
			w.now = target
			return
		}
		w.now++
		if w.now%span == 0 {
			w.empty(slots+uint32(w.now/span%slots), func(i uint32, n *node) { w.link(i, n) })
		}
		w.empty(uint32(w.now%slots), func(_ uint32, n *node) {
			n.tick = 0
			w.count--
			fire(n.ref)
		})
	}
}

// empty takes the timers out of a slot, one by one: what do does to one may take out others. None gets into the slot
// meanwhile, for its ticks are past.
func (w *Wheel) empty(slot uint32, do func(i uint32, n *node)) {
	if w.used[slot/perWord]>>(slot%perWord)&1 == 0 {
		return
	}
	for i := w.nodes[slot].next; i != slot; i = w.nodes[slot].next {
		n := &w.nodes[i]
		w.unlink(n)
		do(i, n)
	}
	w.used[slot/perWord] &^= 1 << (slot % perWord)
}

// Next returns the time in nanoseconds before which no timer fires, or false when there is none. It may be
// earlier than the first timer, never later.
func (w *Wheel) Next() (int64, bool) {
	if w.count == 0 {
		return 0, false
	}
	boundary := (w.now/span + 1) * span // the coarse level is looked at again
	if d := w.after(int(w.now % slots)); d > 0 && w.now+int64(d) < boundary {
		return (w.now + int64(d)) * Tick, true
	}
	return boundary * Tick, true
}

// after returns how many slots of the fine level behind i, cyclically, the next one that may have timers lies; 0: all
// are empty.
func (w *Wheel) after(i int) int {
	for d := 1; d <= slots; {
		k := (i + d) % slots
		if word := w.used[k/perWord] >> (k % perWord); word != 0 {
			return d + bits.TrailingZeros64(word)
		}
		d += perWord - k%perWord
	}
	return 0
}
