//go:build linux

package ebpf

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// The memory of the answers map is shared with the kernel. The cast in mapTable is sound because the kernel maps
// whole pages, entries follow one another without gaps, and bpf2go derives xdpAnswer from the program's own
// type; the line below holds its size.
var _ [0]byte = [unsafe.Sizeof(xdpAnswer{}) - 128]byte{}

// table is the hash table of hot answers. Readers are the program on any CPU; there is one writer.
type table struct {
	mem   []byte
	slots []xdpAnswer
	hand  uint32              // where the search for the coldest goes on
	used  int                 // places that are not empty
	old   int                 // of used: of another generation than the one that is given
	given uint32              // that generation
	limit int                 // of used
	freed func(number uint64) // called with the number of its body when an answer is gone
}

// mapTable maps the memory of the answers map, whose length is a power of two.
func mapTable(m *ebpf.Map) (*table, error) {
	n := int(m.MaxEntries())
	page := unix.Getpagesize()
	size := (n*int(unsafe.Sizeof(xdpAnswer{})) + page - 1) / page * page
	mem, err := unix.Mmap(m.FD(), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the hot answers: %w", err)
	}
	slots := unsafe.Slice((*xdpAnswer)(unsafe.Pointer(&mem[0])), n)
	return &table{mem: mem, slots: slots, limit: n, freed: func(uint64) {}}, nil
}

func (t *table) close() error {
	if t.mem == nil {
		return nil
	}
	err := unix.Munmap(t.mem)
	t.mem, t.slots = nil, nil
	return err
}

// places returns the four places of a key: two pairs of neighbours.
func (t *table) places(key uint64) [4]uint32 {
	mask := uint32(len(t.slots) - 1)
	a, b := uint32(key)&mask, uint32(key>>32)&mask
	return [4]uint32{a, a ^ 1, b, b ^ 1}
}

// find returns the place of a key, or -1.
func (t *table) find(key uint64) int {
	for _, i := range t.places(key) {
		if e := &t.slots[i]; e.Key == key && e.Serial != 0 {
			return int(i)
		}
	}
	return -1
}

// warmth says how much an answer is worth keeping: nothing if it is not given any more, or else the second of
// its last use.
func (t *table) warmth(i uint32, generation, now uint32) uint32 {
	e := &t.slots[i]
	if e.Serial == 0 || e.Generation != generation || now >= e.Expires {
		return 0
	}
	return max(atomic.LoadUint32(&e.Used), 1)
}

// idle is for how many seconds an answer must not have been used to make room for another one.
const idle = 2

// place returns where an answer can go: to its old place, to one of its four that is free or holds what is not
// given any more, to one whose answer can move, or to that of the coldest of them. -1: all are in use.
func (t *table) place(key uint64, generation, now uint32) int {
	if i := t.find(key); i >= 0 {
		return i
	}
	places := t.places(key)
	if t.used >= t.limit && !t.makeRoom(generation, now) {
		return -1
	}
	coldest, least := -1, ^uint32(0)
	var free [2]int // places in each pair
	at := [2]int{-1, -1}
	for n, i := range places {
		w := t.warmth(i, generation, now)
		if w == 0 {
			free[n/2]++
			at[n/2] = int(i)
		} else if w < least {
			coldest, least = int(i), w
		}
	}
	// The emptier pair: with two pairs to choose from few ever become full.
	switch {
	case free[0] >= free[1] && free[0] > 0:
		return at[0]
	case free[1] > 0:
		return at[1]
	}
	for _, i := range places {
		if t.move(i, generation, now, 6) {
			return int(i)
		}
	}
	if least+idle > now {
		return -1
	}
	return coldest
}

// move frees a place by moving its answer to the other pair of its places, whose answers may have to move in
// their turn, so many times at most. For a moment an answer is in two places.
func (t *table) move(i uint32, generation, now uint32, depth int) bool {
	serial := t.slots[i].Serial
	for _, to := range t.places(t.slots[i].Key) {
		if to == i || to == i^1 {
			continue
		}
		if t.warmth(to, generation, now) != 0 && (depth == 1 || !t.move(to, generation, now, depth-1)) {
			continue
		}
		// The moves before may have come round to this place.
		if t.slots[i].Serial != serial {
			return t.slots[i].Serial == 0
		}
		t.write(int(to), &t.slots[i])
		t.empty(int(i))
		return true
	}
	return false
}

// makeRoom removes the coldest of the next few answers, and reports whether there was a cold one.
func (t *table) makeRoom(generation, now uint32) bool {
	if t.used == 0 {
		return false
	}
	coldest, least := -1, ^uint32(0)
	for met := 0; met < 64; t.hand++ {
		i := t.hand & uint32(len(t.slots)-1)
		if t.slots[i].Serial == 0 {
			continue
		}
		met++
		if w := t.warmth(i, generation, now); w < least {
			coldest, least = int(i), w
		}
	}
	if least != 0 && least+idle > now {
		return false
	}
	t.clear(coldest)
	return true
}

// flush makes all answers old.
func (t *table) flush(generation uint32) { t.given, t.old = generation, t.used }

// room is how many more answers fit before others than old ones have to go.
func (t *table) room() int { return t.limit - (t.used - t.old) }

// write puts an answer into a place. Readers find nothing there until it is whole.
func (t *table) write(i int, e *xdpAnswer) {
	whole, serial := *e, e.Serial
	t.clear(i)
	whole.Serial = 0
	t.slots[i] = whole
	atomic.StoreUint32(&t.slots[i].Serial, serial)
	t.used++
	if e.Generation != t.given {
		t.old++
	}
}

// clear removes what is in a place.
func (t *table) clear(i int) {
	e := &t.slots[i]
	if e.Serial == 0 {
		return
	}
	t.empty(i)
	if number, ok := e.body(); ok {
		t.freed(number)
	}
}

// empty clears a place whose answer has moved, and keeps its body.
func (t *table) empty(i int) {
	withdraw(&t.slots[i].Serial)
	t.used--
	if t.slots[i].Generation != t.given {
		t.old--
	}
}
