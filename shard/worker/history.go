package worker

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"heimdall/netio"
	"heimdall/shard"
)

// History is what the shards of one ID have counted that have ended, so that what operators add up never falls. It
// belongs to the ID: when there are more shards again, the next one with the ID counts on. Safe for concurrent use.
type History struct {
	restarts atomic.Uint64 // after panics

	mu    sync.Mutex
	past  shard.Snapshot
	bogus map[string]uint64 // why answers were bogus
}

// Restarts returns how often a shard was started again.
func (h *History) Restarts() uint64 { return h.restarts.Load() }

// add takes over the counts of a shard that has ended. With ports, its ports end with it; they have counted on
// their own.
func (h *History) add(s *shard.Shard, ports bool) {
	// What a shard leaves behind that panicked may be in any state.
	defer func() { recover() }()
	snap := s.Snapshot()
	if !ports {
		snap.Ports = netio.PortStats{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.past.Accumulate(snap)
	if e := s.Engine(); e != nil {
		if h.bogus == nil {
			h.bogus = map[string]uint64{}
		}
		AddCounts(h.bogus, e.Resolver().Bogus())
	}
}

// Complete adds what is past to the snapshot of the shard that runs.
func (h *History) Complete(s *shard.Snapshot) *shard.Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Accumulate(&h.past)
	return s
}

// reasons returns why answers were bogus, in the past.
func (h *History) reasons() map[string]uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.bogus)
}

// AddCounts adds the counts in from to those in to.
func AddCounts(to, from map[string]uint64) {
	for k, n := range from {
		to[k] += n
	}
}

// Histories are those of all IDs that there ever were, by ID. Safe for concurrent use.
type Histories struct {
	mu   sync.Mutex
	list []*History
}

// Of returns the history of an ID.
func (h *Histories) Of(id int) *History {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.list) <= id {
		h.list = append(h.list, new(History))
	}
	return h.list[id]
}

// All returns the histories by ID.
func (h *Histories) All() []*History {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.list)
}

// Ended returns, by ID, the counts of those that have no shard any more, which do not change. snaps are the snapshots of
// the workers of list; a worker may have ended between the list and its snapshot.
func (h *Histories) Ended(list []*Worker, snaps []*shard.Snapshot) map[int]*shard.Snapshot {
	out := map[int]*shard.Snapshot{}
	for id, past := range h.All() {
		out[id] = past.Complete(new(shard.Snapshot))
	}
	for i, w := range list {
		if snaps[i] != nil || !w.Gone() {
			delete(out, w.ID())
		}
	}
	return out
}

// Bogus returns why answers of shards that have ended were bogus.
func (h *Histories) Bogus() map[string]uint64 {
	out := map[string]uint64{}
	for _, past := range h.All() {
		AddCounts(out, past.reasons())
	}
	return out
}
