package worker

import (
	"fmt"
	"sync"

	"heimdall/affinity"
	"heimdall/shard"
)

// Seat is where a shard runs, and with how much memory.
type Seat struct {
	affinity.Placement
	Memory int // bytes, of the cache
}

// seats are the seat that a shard shall have, and the one that it has.
type seats struct {
	mu   sync.Mutex
	want Seat

	have Seat // of the shard's thread
}

// Seat is the seat that the shard shall have.
func (w *Worker) Seat() Seat {
	w.seats.mu.Lock()
	defer w.seats.mu.Unlock()
	return w.seats.want
}

// Assign says which seat the shard shall have. It takes it when it is started, and with Settle.
func (w *Worker) Assign(to Seat) {
	w.seats.mu.Lock()
	defer w.seats.mu.Unlock()
	w.seats.want = to
}

// Memory maps the memory of the cache near the shard, once for each seat: a shard that is started again after a
// panic gets the same memory. Nothing may be in use of the memory of another seat. It runs on the shard's thread.
func (w *Worker) Memory() ([]byte, error) {
	want := w.Seat()
	if w.mem != nil && w.seats.have == want {
		return w.mem, nil
	}
	mem, err := w.mapSeat(want)
	if err != nil {
		return nil, err
	}
	affinity.Unmap(w.mem)
	w.mem, w.seats.have = mem, want
	return mem, nil
}

// TakeMemory takes the memory of the cache from a worker that has ended, before Close. Who takes it gives it back. Nil: it has
// none.
func (w *Worker) TakeMemory() []byte {
	mem := w.mem
	w.mem = nil
	return mem
}

// MapPackets maps memory for the buffers of packets near the shard, which follows it. It is called once, before Start.
func (w *Worker) MapPackets(size int) (mem []byte, err error) {
	if w.packets, err = w.Map(w.Seat().Node, size); err != nil {
		return nil, fmt.Errorf("map %d bytes for packets: %w", size, err)
	}
	return w.packets, nil
}

func (w *Worker) mapSeat(s Seat) ([]byte, error) {
	mem, err := w.Map(s.Node, s.Memory)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes for the cache: %w", s.Memory, err)
	}
	return mem, nil
}

// Settle brings a shard that runs to its seat: it moves to the CPU, and use gives its cache memory of the right size near
// it, to start again in. The memory that it had is given back, unless use keeps it, to give it back later. It runs on the
// shard's thread. On an error nothing has changed but, perhaps, the CPU.
func (w *Worker) Settle(sh *shard.Shard, use func(mem, before []byte) (kept bool, err error)) error {
	want, have := w.Seat(), w.seats.have
	if want == have {
		return nil
	}
	if want.CPU != have.CPU {
		if err := sh.Move(want.CPU); err != nil {
			return err
		}
	}
	mem, err := w.mapSeat(want)
	if err != nil {
		return err
	}
	kept, err := use(mem, w.mem)
	if err != nil {
		affinity.Unmap(mem)
		return err
	}
	if !kept {
		affinity.Unmap(w.mem)
	}
	w.mem, w.seats.have = mem, want
	// The packets' buffers are in use: their addresses stay. If they cannot move they are far, and right.
	_ = affinity.Migrate(w.packets, want.Node)
	return nil
}
