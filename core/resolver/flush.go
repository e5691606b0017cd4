package resolver

import (
	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/resolver/known"
)

// Flush forgets what is known of a name, or with subtree set also of all names below it.
func (m *Machine) Flush(name dname.Name, subtree bool) {
	clear(m.failing.slots[:]) // kept by hash alone: whoever flushes wants all to be tried again
	if !m.known.Keeps() {
		return
	}
	name = dname.AppendLower(nil, name)
	m.trust.Flush(name, subtree)
	if subtree && dname.Name(name).IsRoot() {
		m.known.Clear()
		return
	}
	m.known.Purge(func(_ known.Kind, have dname.Name) bool { return dname.Equal(have, name) || subtree && have.In(name) })
}

// seconds is the time of the running call.
func (m *Machine) seconds() uint32 { return seconds(m.now) }

// seconds is a time as what is known counts it.
func seconds(now int64) uint32 { return uint32(now / 1e9) }

// SetMemory gives the Machine other memory for what it learns, as Options.Memory and Options.TrustMemory are, and forgets
// what it has learned. Tasks under way ask again for what they need. The memory before is not used any more. A Machine that
// keeps nothing needs none.
func (m *Machine) SetMemory(mem []byte, trust int) {
	m.options.TrustMemory = trust
	m.trust.Reset(trust)
	if !m.known.Keeps() {
		return
	}
	if len(mem) < cache.MinMemory {
		mem = make([]byte, defaultMemory)
	}
	m.known.Store = known.New(mem, m.rnd.Uint64())
}
