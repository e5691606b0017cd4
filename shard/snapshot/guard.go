package snapshot

import (
	"sync"
	"sync/atomic"

	"heimdall/core/dname"
)

// Guard knows what makes answers worthless while they are on their way, and not in any cache that could be told. Whoever
// flushes a name or puts another configuration into force tells the Guard first, then the shards: then an answer has either
// reached its shard, which removes it, or does not get there any more. Safe for concurrent use; the shards read it without
// waiting for anybody. The zero value is ready.
type Guard struct {
	mu     sync.Mutex // held by writers
	onWay  int        // transfers that have begun and not ended
	latest atomic.Pointer[guarded]
}

// guarded is what a Guard knows. It is never written to.
type guarded struct {
	decides [32]byte
	cleared uint64    // flushes of everything
	flushes []flushed // since the first of the transfers under way began
}

type flushed struct {
	name    dname.Name // lower case
	subtree bool
}

// maxFlushes bounds the flushes that a Guard keeps while something is on its way. One more is as good as a flush of everything.
const maxFlushes = 1024

func (g *Guard) load() *guarded {
	if p := g.latest.Load(); p != nil {
		return p
	}
	return new(guarded)
}

func (g *Guard) change(f func(*guarded)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := *g.load()
	f(&next)
	g.latest.Store(&next)
}

// Decides says what decides about answers from now on, as a hash.
func (g *Guard) Decides(hash [32]byte) {
	g.change(func(n *guarded) { n.decides = hash })
}

// Flushed says that answers for a name are flushed, with subtree also those for all names below it.
func (g *Guard) Flushed(name dname.Name, subtree bool) {
	g.change(func(n *guarded) {
		switch {
		case subtree && name.IsRoot() || len(n.flushes) >= maxFlushes:
			n.cleared++
			n.flushes = nil
		case g.onWay == 0:
			n.cleared++ // for files that were written before
		default:
			n.flushes = append(n.flushes[:len(n.flushes):len(n.flushes)], flushed{dname.AppendLower(nil, name), subtree})
		}
	})
}

// ticket is what a transfer holds on its way.
type ticket struct {
	g       *Guard
	decides [32]byte
	cleared uint64
	first   int // of the flushes that it has to mind
}

// begin begins a transfer; end ends it.
func (g *Guard) begin() *ticket {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.onWay++
	at := g.load()
	return &ticket{g, at.decides, at.cleared, len(at.flushes)}
}

func (t *ticket) end() {
	t.g.mu.Lock()
	defer t.g.mu.Unlock()
	if t.g.onWay--; t.g.onWay == 0 && len(t.g.load().flushes) > 0 {
		next := *t.g.load()
		next.flushes = nil
		t.g.latest.Store(&next)
	}
}

// mind returns the flushes that the transfer has to mind by now; false: nothing of it is good any more.
func (t *ticket) mind() (list []flushed, ok bool) {
	at := t.g.load()
	if at.decides != t.decides || at.cleared != t.cleared {
		return nil, false
	}
	return at.flushes[t.first:], true
}

// untouched tells whether all of the transfer is still good.
func (t *ticket) untouched() bool {
	list, ok := t.mind()
	return ok && len(list) == 0
}

// covers tells whether one of the flushes is about a name.
func covers(list []flushed, name dname.Name) bool {
	for i := range list {
		if f := &list[i]; dname.Equal(f.name, name) || f.subtree && name.In(f.name) {
			return true
		}
	}
	return false
}
