package resolver

import "heimdall/core/slots"

// waiters are the clients that wait for tasks, as singly linked lists in one table.
type waiters struct{ table slots.Table[waiter] }

type waiter struct {
	id   uint32
	next int32 // -1: none
}

func newWaiters(n int) waiters { return waiters{slots.New[waiter](n)} }

func (w *waiters) at(i int32) *waiter { return w.table.At(uint32(i)) }

// push appends id to the waiters of t; false if the table is full.
func (w *waiters) push(t *task, id uint32) bool {
	i, ok := w.table.Take()
	if !ok {
		return false
	}
	*w.table.At(i) = waiter{id: id, next: -1}
	if t.last >= 0 {
		w.at(t.last).next = int32(i)
	} else {
		t.first = int32(i)
	}
	t.last = int32(i)
	return true
}

// drain appends the waiters of t to dst and gives their slots back.
func (w *waiters) drain(dst []uint32, t *task) []uint32 {
	for i := t.first; i >= 0; i = w.at(i).next {
		dst = append(dst, w.at(i).id)
		w.table.Put(uint32(i))
	}
	t.first, t.last = -1, -1
	return dst
}
