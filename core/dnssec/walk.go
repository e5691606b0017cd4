package dnssec

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Walk follows the chain of trust from a zone that is known down to a target. It says what to ask for next and
// is told what came of it:
//
//	walk := NewWalk(known, target)
//	for {
//		name, t, more := walk.Need()
//		if !more {
//			break
//		}
//		// t is DS: ask the servers of walk.Zone(), then walk.Delegate(v.ValidateDelegation(...))
//		// t is DNSKEY: ask the servers of name, then walk.Enter(v.ValidateKeys(...))
//	}
//	zone := walk.Zone()
//
// Delegations and zones from a cache may be handed in just as well. Not safe for concurrent use.
type Walk struct {
	target dname.Name
	zone   *Zone      // the deepest zone reached
	inside dname.Name // at zone's apex or below it: no zone begins between them
	cut    Delegation // Secure with DS records: the zone to enter next; else the zero value
}

// NewWalk starts at known, which must be target or above it. A known zone that is not Secure ends the walk
// at once: nothing below it can be told.
func NewWalk(known *Zone, target dname.Name) Walk {
	return Walk{target: target, zone: known, inside: known.Name}
}

// Need returns the name and the type, DS or DNSKEY, of the records that the next step takes. It returns
// false at the walk's end, when Zone is the outcome.
func (w *Walk) Need() (name dname.Name, t wire.Type, more bool) {
	switch {
	case w.zone.Status != Secure:
		return nil, 0, false
	case w.cut.DS != nil:
		return w.cut.Name, wire.TypeDNSKEY, true
	}
	labels := w.inside.Labels()
	if labels >= w.target.Labels() {
		return nil, 0, false
	}
	return w.target.Suffix(labels + 1), wire.TypeDS, true
}

// Delegate takes what is known of the name that Need asked DS records for. Names that lie deeper are taken
// as well, if the caller knows that no zone begins in between.
func (w *Walk) Delegate(d Delegation) {
	if !w.target.In(d.Name) || len(d.Name) <= len(w.inside) {
		return
	}
	switch {
	case d.Status != Secure:
		w.zone = &Zone{Name: d.Name, Result: d.Result, TTL: min(d.TTL, w.zone.TTL)}
	case d.NoCut:
		w.inside = d.Name
	default:
		w.cut = d
	}
}

// DS returns the DS records to validate the keys with that Need asks for, and for how many seconds they hold.
func (w *Walk) DS() (records []DS, ttl uint32) { return w.cut.DS, w.cut.TTL }

// Enter takes the zone whose keys Need asked for.
func (w *Walk) Enter(z *Zone) {
	if w.cut.DS == nil || !dname.Equal(z.Name, w.cut.Name) {
		return
	}
	w.zone, w.inside, w.cut = z, z.Name, Delegation{}
}

// Zone returns the deepest zone reached. At the end of the walk it is the zone that target is in, or the one
// where the chain of trust ends.
func (w *Walk) Zone() *Zone { return w.zone }
