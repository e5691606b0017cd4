// Package ring takes records of queries and responses from a shard to the thread that writes them down: a ring of fixed
// memory with one writer and one reader, neither of whom ever waits for the other.
//
// The bytes of a ring are a sequence of pieces. Each begins with its length, a multiple of 8, in 4 bytes and its kind in
// another one. A stamp is in front of the records of one batch: it has the time when the batch had been answered, which
// is known last. A filler ends the memory where the next piece does not fit. What is between tail and head, which count
// bytes for ever, is the reader's, all else the writer's.
package ring

import (
	"encoding/binary"
	"sync/atomic"
)

// Bounds of the size of a ring, in bytes.
const (
	// MinSize is twice the longest record, of a query and a response of 64 KiB each, and more: a record does not go around
	// the end of the memory, and what is left there is lost to it.
	MinSize = 512 << 10
	MaxSize = 1 << 30
)

// Ring is the memory. One goroutine at a time uses its methods for writing, Put and Publish, and one those for reading.
type Ring struct {
	mem  []byte
	wake chan<- struct{}

	// The writer's.
	at    uint64 // where the next piece begins
	free  uint64 // up to where it may write, as far as it knows
	stamp uint64 // where the stamp of the batch is
	open  bool   // a batch is
	_     [64]byte

	head atomic.Uint64 // only the writer changes it
	_    [56]byte

	tail   atomic.Uint64 // only the reader changes it
	asleep atomic.Bool   // the reader wants to be woken when there is much
	_      [56]byte

	// The reader's.
	read  uint64
	ended int64 // of the stamp read last
}

// New makes a ring of at least size bytes. Its writer sends to wake, without waiting, when the ring fills while the reader
// is asleep.
func New(size int, wake chan<- struct{}) *Ring {
	n := MinSize
	for n < size && n < MaxSize {
		n *= 2
	}
	return &Ring{mem: make([]byte, n), free: uint64(n), wake: wake}
}

// Size is the size of its memory in bytes.
func (r *Ring) Size() int { return len(r.mem) }

const (
	pieceHeader = 8  // bytes: length, kind, and what each kind has there
	stampLen    = 16 // a header and the time
	kindAt      = 4
)

// kind tells pieces apart.
type kind uint8

const (
	filler kind = iota
	stamp
	record
)

// reserve returns room for a piece of n bytes, a multiple of 8, or nil if there is none. It is the reader's after Publish.
func (r *Ring) reserve(n int, k kind) []byte {
	size := uint64(len(r.mem))
	offset := r.at & (size - 1)
	need := uint64(n)
	left := size - offset
	if need > left {
		need += left
	}
	if r.at+need > r.free {
		if r.free = r.tail.Load() + size; r.at+need > r.free {
			return nil
		}
	}
	if uint64(n) > left {
		binary.LittleEndian.PutUint64(r.mem[offset:], left|uint64(filler)<<32)
		r.at += left
		offset = 0
	}
	b := r.mem[offset : offset+uint64(n) : offset+uint64(n)]
	binary.LittleEndian.PutUint64(b, uint64(n)|uint64(k)<<32)
	r.at += uint64(n)
	return b
}

// begin opens a batch, if none is open.
func (r *Ring) begin() bool {
	if r.open {
		return true
	}
	if r.reserve(stampLen, stamp) == nil {
		return false
	}
	r.stamp, r.open = (r.at-stampLen)&uint64(len(r.mem)-1), true
	return true
}

// Pending tells whether there are records to publish.
func (r *Ring) Pending() bool { return r.open }

// Publish gives the reader the records since the last call: they were answered at the time now, in nanoseconds.
func (r *Ring) Publish(now int64) {
	if !r.open {
		return
	}
	binary.LittleEndian.PutUint64(r.mem[r.stamp+pieceHeader:], uint64(now))
	r.open = false
	r.head.Store(r.at)
	if r.crowded() && r.asleep.Load() {
		r.rouse()
	}
}

// crowded tells whether a quarter is full, as far as the writer knows.
func (r *Ring) crowded() bool { return r.at+uint64(len(r.mem))-r.free > uint64(len(r.mem))/4 }

// rouse wakes the reader if there is much for it.
func (r *Ring) rouse() {
	r.free = r.tail.Load() + uint64(len(r.mem))
	if !r.crowded() || !r.asleep.CompareAndSwap(true, false) {
		return
	}
	select {
	case r.wake <- struct{}{}:
	default: // another ring has woken it
	}
}

// Reopen has a writer go on that takes the place of one which ended in the middle of a batch: what that had not published
// is lost.
func (r *Ring) Reopen() {
	r.at, r.open = r.head.Load(), false
	r.free = r.tail.Load() + uint64(len(r.mem))
}

// Sleep says that the reader will not look until it is woken, or has slept long enough.
func (r *Ring) Sleep() { r.asleep.Store(true) }

// Next returns the next record, which is valid until Release, and false if there is none by now.
func (r *Ring) Next(to *Record) bool {
	head := r.head.Load()
	for r.read < head {
		offset := r.read & uint64(len(r.mem)-1)
		word := binary.LittleEndian.Uint64(r.mem[offset:])
		n := word & (1<<32 - 1)
		b := r.mem[offset : offset+n]
		r.read += n
		switch kind(word >> 32 & 0xff) {
		case stamp:
			r.ended = int64(binary.LittleEndian.Uint64(b[pieceHeader:]))
		case record:
			to.parse(b)
			to.Ended = r.ended
			return true
		}
	}
	return false
}

// Release gives the writer the room of what has been read.
func (r *Ring) Release() { r.tail.Store(r.read) }
