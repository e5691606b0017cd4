package core

import (
	"heimdall/core/cache"
	"heimdall/core/local"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/core/zone"
)

// Look implements resolver.Here: what an alias or a delegation leads to is looked for among the zones and the special
// names, as a client's question is.
func (e *Engine) Look(dst []byte, q *resolver.Question) ([]byte, resolver.Place) {
	if q.Class != wire.ClassIN || q.Type.IsMeta() && q.Type != wire.TypeANY {
		return dst, resolver.Elsewhere
	}
	e.sought = wire.AppendQuery(e.sought[:0], 0, wire.FlagRD, q.Name, q.Type, q.Class)
	query := wire.Query{Msg: e.sought, End: len(e.sought), Flags: wire.FlagRD, Name: q.Name, Type: q.Type, Class: q.Class, DO: q.DO}
	if e.Zones != nil {
		if ref := e.Zones.Locate(&query); ref.Zone() != nil {
			msg, rcode, _ := e.Zones.AppendReplyAt(&ref, dst, &query, wire.MaxLen, wire.FlagQR)
			if rcode == wire.RcodeNoError && wire.Flags(msg[len(dst):])&wire.FlagAA == 0 {
				return msg, resolver.Delegated
			}
			return msg, resolver.Answered
		}
	}
	if v := e.special(&query); v.Found() {
		return v.AppendReply(dst, &query, wire.FlagQR), resolver.Answered
	}
	return dst, resolver.Elsewhere
}

// special looks for a special name. All names may get a record of type ANY from here; that does not make them special.
func (e *Engine) special(q *wire.Query) local.Verdict {
	if q.Type == wire.TypeANY {
		return local.Verdict{}
	}
	return e.Local.Lookup(q)
}

// SetZones replaces the zones. What the cache has of the zones before is not found any more; all else stays.
func (e *Engine) SetZones(set *zone.Set) {
	if e.resolver != nil && set != e.Zones {
		names := !e.Zones.SameNames(set)
		e.resolver.ZonesChanged(names)
		if e.answers.Changed(cache.OnZones, e.nowSec); names {
			e.answers.Changed(cache.OnRoutes, e.nowSec)
		}
	}
	e.Zones = set
}

// SetGroups replaces the servers that are asked. What the cache has of names whose servers are others now is not found
// any more, nor are failures, nor answers that an alias leads to another name. The root is an exception: whoever
// resolves all names finds the same answers, so that the cache stays.
func (e *Engine) SetGroups(list []resolver.Group) {
	for _, z := range e.resolver.Reconfigure(list) {
		if e.answers.Changed(cache.OnServers, e.nowSec); z.IsRoot() {
			continue
		}
		e.answers.Changed(cache.OnRoutes, e.nowSec)
		e.answers.Flush(z, true)
	}
}
