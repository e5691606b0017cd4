package admin

import (
	"sync"

	"heimdall/core"
	"heimdall/shard"
)

// whole adds up what the metrics tell of all shards together: a series for each shard would be too many. It remembers what
// each shard has counted, so that a sum does not fall when one does not answer. Safe for concurrent use.
type whole struct {
	mu   sync.Mutex
	last map[int]*shard.Snapshot // by ID of the shard
}

// sums are the sums of all shards.
type sums struct {
	latency shard.Latency
	types   [core.OtherTypes + 1]uint64
}

// note takes over what a shard, or those of its ID that have ended, have counted. The snapshot must not change any more.
func (w *whole) note(id int, s *shard.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == nil {
		w.last = map[int]*shard.Snapshot{}
	}
	if old := w.last[id]; old == nil || s.Engine.Queries >= old.Engine.Queries {
		w.last[id] = s
	}
}

func (w *whole) sums() *sums {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := new(sums)
	for _, s := range w.last {
		for i := range out.latency {
			out.latency[i].Merge(&s.Latency[i])
		}
		for i, n := range s.Engine.Types {
			out.types[i] += n
		}
	}
	return out
}
