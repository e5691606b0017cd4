package cache

import (
	"bytes"

	"heimdall/core/dname"
)

// flushRule says which entries a flush removes.
type flushRule struct {
	name    []byte // lower case
	subtree bool
}

const (
	// maxFlushRules bounds the flushes under way at once, which each hit on an older entry is compared
	// with until they are through. One more empties the cache.
	maxFlushRules = 64

	// flushStep is how many bytes of entries one step walks: some 3,000 small ones, below 0.3 ms.
	flushStep = 256 << 10
)

// Flush removes all answers to questions for name, or for it and all names below it. No lookup finds them
// from now on. The memory is walked in steps of less than a millisecond: the first at once, the others by
// FlushStep as long as Flushing. removed counts the first step's.
func (a *Answers) Flush(name dname.Name, subtree bool) (removed int) {
	if a.store != nil && !a.store.Purging() {
		a.rules = a.rules[:0]
	}
	if len(a.rules) == maxFlushRules {
		removed = a.Stats().Store.Entries
		a.FlushAll()
		return removed
	}
	a.rules = append(a.rules, flushRule{dname.AppendLower(nil, name), subtree})
	if a.heap != nil {
		// Ristretto's entries cannot be walked in steps; the rules stay.
		a.heap.purge(a.flushed)
		return 0
	}
	a.store.Purge(a.flushed)
	removed, _ = a.FlushStep()
	return removed
}

// flushed reports whether a rule covers a key.
func (a *Answers) flushed(key []byte) bool {
	for i := range a.rules {
		r := &a.rules[i]
		name := dname.Name(key[nameInKey:])
		if r.subtree && name.In(r.name) || bytes.Equal(name, r.name) {
			return true
		}
	}
	return false
}

// Flushing reports whether FlushStep has work left.
func (a *Answers) Flushing() bool { return a.store != nil && a.store.Purging() }

// FlushStep walks on. It returns how many answers it removed, and whether the flush is through.
func (a *Answers) FlushStep() (removed int, done bool) {
	if a.store == nil {
		return 0, true
	}
	return a.store.PurgeStep(flushStep)
}

// FlushAll removes everything, at a cost that does not depend on the number of entries.
func (a *Answers) FlushAll() {
	a.rules = a.rules[:0]
	if a.heap != nil {
		a.heap.clear()
		return
	}
	a.store.Clear()
}
