package supervisor

import (
	"fmt"
	"sync"

	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/core/resolver"
	"heimdall/shard"
)

// seat is where a shard runs, and with how much memory.
type seat struct {
	affinity.Placement
	Memory int // bytes, of the cache
}

// seats are the seat that a shard shall have, and the one that it has.
type seats struct {
	mu   sync.Mutex
	want seat

	have seat // of the shard's thread
}

// wanted is safe for concurrent use.
func (s *seats) wanted() seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.want
}

// assign says which seat the shard shall have. It takes it when it is started, and with settle. Safe for concurrent use.
func (s *seats) assign(to seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.want = to
}

// mapMemory maps the memory of the cache near the shard, once for each seat: a shard that is started again after a
// panic gets the same memory. Nothing may be in use of the memory of another seat.
func (w *worker) mapMemory(huge bool) error {
	want := w.seats.wanted()
	if w.mem != nil && w.seats.have == want {
		return nil
	}
	mem, err := affinity.MapLocal(want.Node, want.Memory, huge)
	if err != nil {
		return fmt.Errorf("map %d bytes for the cache: %w", want.Memory, err)
	}
	affinity.Unmap(w.mem)
	w.mem, w.seats.have = mem, want
	return nil
}

// settle brings a shard that runs to its seat: it moves to the CPU, and its cache starts again in memory of the right
// size near it. The memory that it had is given back. It runs on the shard's thread. On an error nothing has changed
// but, perhaps, the CPU.
func (w *worker) settle(sh *shard.Shard, c *config.Config) error {
	want, have := w.seats.wanted(), w.seats.have
	if want == have {
		return nil
	}
	if want.CPU != have.CPU {
		if err := sh.Move(want.CPU); err != nil {
			return err
		}
	}
	mem, err := affinity.MapLocal(want.Node, want.Memory, c.Memory.HugePages)
	if err != nil {
		return fmt.Errorf("map %d bytes for the cache: %w", want.Memory, err)
	}
	answers, records := split(mem, c)
	if err := sh.Engine().Answers().SetMemory(answers); err != nil {
		affinity.Unmap(mem)
		return err
	}
	sh.Engine().Resolver().SetMemory(records, resolver.TrustMemory(len(mem)))
	affinity.Unmap(w.mem)
	w.mem, w.seats.have = mem, want
	return nil
}
