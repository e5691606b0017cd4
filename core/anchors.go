package core

import (
	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// manyZones is how many zones are flushed one by one; where the trust anchors of more of them change, all is forgotten.
const manyZones = 16

// SetAnchors replaces the trust anchors, those of the zones changed among them; with nil nothing is validated any more. The
// cache forgets what was judged otherwise: everything when validation goes on or off, else what is below the zones, with
// all answers that an alias leads elsewhere. It returns how many answers it has removed so far; Answers.FlushStep goes on.
func (e *Engine) SetAnchors(set *dnssec.Anchors, changed []dname.Name) (removed int) {
	switch switched := e.resolver.SetAnchors(set, changed); {
	case switched, len(changed) > manyZones:
		removed = e.answers.Stats().Store.Entries
		e.answers.FlushAll()
		e.resolver.Flush(dname.Root(), true)
	case len(changed) > 0:
		e.answers.Changed(cache.OnRoutes, e.nowSec)
		for _, z := range changed {
			removed += e.answers.Flush(z, true)
			e.resolver.Flush(z, true)
		}
	}
	return removed
}
