package xsk

import "sync/atomic"

// ring is a queue between the kernel and us in shared memory, with one writer and one reader. Positions count up
// and wrap at 2^32; the element of a position is at its lowest bits.
type ring[T any] struct {
	produced *uint32 // position behind the last element written; only the producer stores it
	consumed *uint32 // position behind the last element read; only the consumer stores it
	flags    *uint32 // only the kernel stores it
	slots    []T     // a power of two
	mapping  []byte  // all of the above; nil in tests
}

func (r *ring[T]) slot(at uint32) *T { return &r.slots[at&uint32(len(r.slots)-1)] }

// needWakeup tells whether the kernel sleeps until a system call tells it that there is something in the ring
// (XDP_RING_NEED_WAKEUP).
func (r *ring[T]) needWakeup() bool { return atomic.LoadUint32(r.flags)&ringNeedWakeup != 0 }

const ringNeedWakeup = 1

// producer is our end of the fill and the tx ring.
type producer[T any] struct {
	ring[T]
	next uint32 // position of the next element; what is before it and not yet in produced waits for publish
	end  uint32 // position up to which there is room, as last seen
}

// room tells whether put may be called.
func (r *producer[T]) room() bool {
	if r.next == r.end {
		// The acquire orders it before the writing of the slot that the kernel has read.
		r.end = atomic.LoadUint32(r.consumed) + uint32(len(r.slots))
	}
	return r.next != r.end
}

// put adds an element. There has to be room.
func (r *producer[T]) put(v T) {
	*r.slot(r.next) = v
	r.next++
}

// publish shows the kernel what was put.
func (r *producer[T]) publish() { atomic.StoreUint32(r.produced, r.next) }

// pending is how many elements the kernel has not taken.
func (r *producer[T]) pending() uint32 { return r.next - atomic.LoadUint32(r.consumed) }

// consumer is our end of the rx and the completion ring.
type consumer[T any] struct {
	ring[T]
	next uint32 // position of the next element that was not taken
	end  uint32 // position behind the last element that is there, as last seen
}

// available returns how many elements there are, looking again if fewer than want are known.
func (r *consumer[T]) available(want int) int {
	if int(r.end-r.next) < want {
		r.end = atomic.LoadUint32(r.produced) // acquires the elements before it
	}
	return int(r.end - r.next)
}

// take returns the next element, of those that are available.
func (r *consumer[T]) take() T {
	v := *r.slot(r.next)
	r.next++
	return v
}

// release gives the slots of what was taken back to the kernel.
func (r *consumer[T]) release() { atomic.StoreUint32(r.consumed, r.next) }
