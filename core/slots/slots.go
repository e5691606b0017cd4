// Package slots is a table of fixed size whose slots are taken and given back. A slot that was never taken is not touched,
// so that its page stays unmapped; if T has no pointers, the collector does not look into the table.
package slots

// Table has slots of type T, known by their numbers. Not safe for concurrent use. Make it by New.
type Table[T any] struct {
	slot  []T
	next  []uint32 // of each free slot: the next one on the free list
	free  uint32   // first of the free list
	fresh uint32   // slots from here on were never taken
	used  int
}

const none = ^uint32(0)

// New makes a table of n slots.
func New[T any](n int) Table[T] {
	return Table[T]{slot: make([]T, n), next: make([]uint32, n), free: none}
}

// Take returns the number of a free slot, or false if there is none. The slot is as its last user left it.
func (t *Table[T]) Take() (i uint32, ok bool) {
	switch {
	case t.free != none:
		i = t.free
		t.free = t.next[i]
	case int(t.fresh) < len(t.slot):
		i = t.fresh
		t.fresh++
	default:
		return 0, false
	}
	t.used++
	return i, true
}

// Put gives a slot back that is taken.
func (t *Table[T]) Put(i uint32) {
	t.next[i] = t.free
	t.free = i
	t.used--
}

// At returns a slot.
func (t *Table[T]) At(i uint32) *T { return &t.slot[i] }

// Touched returns the slots that were ever taken, by number.
func (t *Table[T]) Touched() []T { return t.slot[:t.fresh] }

// Len returns the number of slots, taken or not.
func (t *Table[T]) Len() int { return len(t.slot) }

// Used returns the number of slots that are taken.
func (t *Table[T]) Used() int { return t.used }
