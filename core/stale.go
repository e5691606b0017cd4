package core

import (
	"heimdall/core/cache"
	"heimdall/core/wire"
)

// holdOld finds old data, into e.hit, for a question whose servers have failed: it is better than none. The
// servers are then spared for a while.
func (e *Engine) holdOld(hash uint64, k *cache.Key) bool {
	if e.StaleTTL == 0 || e.answers.Peek(hash, k, e.nowSec, &e.hit) == cache.Miss || e.hit.Rcode == wire.RcodeServFail {
		return false
	}
	e.lower = wire.AppendQuery(e.lower[:0], 0, wire.FlagQR|uint16(wire.RcodeServFail), k.Name, k.Type, k.Class)
	e.answers.Put(hash, k, e.lower, cache.Meta{TTL: cache.FailureRecheck}, e.nowSec)
	return e.answers.Peek(hash, k, e.nowSec, &e.hit) != cache.Miss
}

// staleRef is the reference of the timer after which waiter n gets a stale answer. Its top bit is clear,
// that of a resolver's timer is set.
func staleRef(n uint32, w *waiter) uint64 { return uint64(w.serial)<<32 | uint64(n) }

// resolverTimer is set in the references of the resolver's timers.
const resolverTimer = uint64(1) << 63

// Timers returns how many timers the Engine has, at most one call for each: those of the resolver's tasks and those of
// clients that wait.
func (e *Engine) Timers() int { return e.resolver.Timers() + e.waiters.Len() }

// TimerOf returns the number of the timer that a reference is for, below Timers.
func (e *Engine) TimerOf(ref uint64) int {
	if ref&resolverTimer != 0 {
		return int(uint32(ref))
	}
	return e.resolver.Timers() + int(uint32(ref))
}

// staleWaiter returns the waiter that a timer is for.
func (e *Engine) staleWaiter(ref uint64) (n uint32, ours bool) {
	return uint32(ref), ref&resolverTimer == 0
}

// serveStale gives a waiter old data, because fresh data has not come in time (RFC 8767, section 5: the
// client response timer). Its query goes on, to refresh the cache.
func (e *Engine) serveStale(n, serial uint32) {
	w := e.waiters.At(n)
	if w.serial != serial || w.state != waiterAsked {
		return
	}
	key := w.key()
	if e.answers.Peek(w.hash, &key, e.nowSec, &e.hit) != cache.Stale {
		return
	}
	w.state = waiterServed
	if w.inside {
		defer e.recount(e.count)
	}
	e.count.StaleHits++
	e.replyHit(n, w, e.StaleTTL)
}
