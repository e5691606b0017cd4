// Package trust is what a resolver knows of the chain of trust: where chains begin, zones with their validated keys, what
// their parents say of them, and validated denials, which answer for other names. It validates nothing itself.
package trust

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// MinTTL is for how many seconds a link is kept at least: a walk that has asked for it must find it, even if its TTL is 0.
const MinTTL = 2

// Store keeps the links of the chain of trust by name, for as long as their TTLs allow; beyond the bound, those go that were
// not used for longest. Names may be in any letter case. Times are nanoseconds. The zero value has no anchors: nothing is
// validated, and nobody looks for links. Not safe for concurrent use; owned by one shard.
type Store struct {
	anchors *dnssec.Anchors // nil: nothing is validated
	policy  dnssec.Policy
	zones   generations[zoneLink]
	cuts    generations[cutLink]
	denials map[string]*denial // by zone
	room    int                // for denials, in bytes
	kept    int                // by them
	key     []byte             // a name in lower case
}

type zoneLink struct {
	zone  *dnssec.Zone
	until int64
}

func (z zoneLink) bytes() int { return z.zone.Bytes() }

type cutLink struct {
	cut   dnssec.Delegation
	until int64
}

func (c cutLink) bytes() int { return c.cut.Bytes() }

// New makes an empty store of so many bytes, which it takes only if there are anchors. It reads these and keeps them.
func New(anchors *dnssec.Anchors, memory int) Store {
	s := Store{policy: dnssec.DefaultPolicy()}
	s.SetAnchors(anchors, memory)
	return s
}

// SetAnchors replaces the anchors. When that switches validation on or off, the store is empty afterwards.
func (s *Store) SetAnchors(anchors *dnssec.Anchors, memory int) (switched bool) {
	switched = (s.anchors == nil) != (anchors == nil)
	if s.anchors = anchors; switched {
		s.Reset(memory)
	}
	return switched
}

// Reset makes the store empty, with so many bytes. Half is for zones with their keys, of about 1.5 KiB each, a quarter for
// delegations, of 300 bytes, and a quarter for denials. Either kind of link has half of its part in each generation.
func (s *Store) Reset(memory int) {
	if s.anchors == nil {
		memory = 0
	}
	s.zones, s.cuts = newGenerations[zoneLink](memory/4), newGenerations[cutLink](memory/8)
	s.denials, s.room, s.kept = make(map[string]*denial), memory/4, 0
}

// On says whether anything is validated.
func (s *Store) On() bool { return s.anchors != nil }

// Anchors returns the anchors, nil if there are none.
func (s *Store) Anchors() *dnssec.Anchors { return s.anchors }

// Anchored says whether there is an anchor at name itself.
func (s *Store) Anchored(name dname.Name) bool {
	a := s.anchors.Closest(name)
	return a != nil && dname.Equal(a.Zone, name)
}

// Policy is what signatures have to comply with. It does not change.
func (s *Store) Policy() *dnssec.Policy { return &s.policy }

// lower returns name in lower case, borrowed until the next call.
func (s *Store) lower(name dname.Name) dname.Name {
	s.key = dname.AppendLower(s.key[:0], name)
	return dname.Name(s.key)
}

// Quiet sets whether what finds links only looks: they are forgotten as soon as if nobody had.
func (s *Store) Quiet(on bool) { s.zones.quiet, s.cuts.quiet = on, on }

// Zone returns the zone with the given apex, nil if nothing is known of it.
func (s *Store) Zone(name dname.Name, now int64) *dnssec.Zone {
	if z, ok := s.zones.get(s.lower(name)); ok && now < z.until {
		return z.zone
	}
	return nil
}

// Cut returns what is known of a name's being a zone cut.
func (s *Store) Cut(name dname.Name, now int64) (dnssec.Delegation, bool) {
	c, ok := s.cuts.get(s.lower(name))
	return c.cut, ok && now < c.until
}

func until(ttl uint32, now int64) int64 {
	return now + int64(min(max(ttl, MinTTL), known.MaxRRsetTTL))*1e9
}

// PutZone keeps a zone for as long as its TTL says.
func (s *Store) PutZone(z *dnssec.Zone, now int64) {
	s.zones.put(s.lower(z.Name), zoneLink{z, until(z.TTL, now)})
}

// PutCut keeps a delegation for as long as its TTL says.
func (s *Store) PutCut(d dnssec.Delegation, now int64) {
	s.cuts.put(s.lower(d.Name), cutLink{d, until(d.TTL, now)})
}

// Deepest returns the deepest known zone from top down to name, nil if there is none.
func (s *Store) Deepest(name, top dname.Name, now int64) *dnssec.Zone {
	for n, least := name.Labels(), top.Labels(); n >= least; n-- {
		if z := s.Zone(name.Suffix(n), now); z != nil {
			return z
		}
	}
	return nil
}

// DS returns the DS records by which the keys of a zone are known, and for how many seconds.
func (s *Store) DS(zone dname.Name, now int64) (list []dnssec.DS, ttl uint32, ok bool) {
	if a := s.anchors.Closest(zone); a == nil || a.Negative {
		return nil, 0, false
	} else if len(a.Zone) == len(zone) {
		return a.DS, known.MaxRRsetTTL, true
	}
	c, ok := s.cuts.get(s.lower(zone))
	if !ok || now >= c.until || len(c.cut.DS) == 0 {
		return nil, 0, false
	}
	return c.cut.DS, uint32((c.until-now)/1e9) + 1, true
}

// Unsigned says whether records of type typ at name are known to need no validation: no anchor covers them, or
// a negative one does, or they are below a delegation that is known to be insecure.
func (s *Store) Unsigned(name dname.Name, typ wire.Type, now int64) (dnssec.Status, bool) {
	if typ == wire.TypeDS {
		if name.IsRoot() {
			return 0, false
		}
		name = name.Parent() // RFC 4035, section 2.4: DS records are the parent's.
	}
	a := s.anchors.Closest(name)
	if a == nil {
		return dnssec.Indeterminate, true
	}
	if a.Negative {
		return dnssec.Insecure, true
	}
	for n, least := name.Labels(), a.Zone.Labels(); n > least; n-- {
		if d, ok := s.Cut(name.Suffix(n), now); ok && d.Status == dnssec.Insecure {
			return dnssec.Insecure, true
		}
	}
	return 0, false
}

// SentinelFails says whether the secure answer to a question is to be withheld, which tells the client whether a key is a
// trust anchor for the root (RFC 8509, section 3).
func (s *Store) SentinelFails(name dname.Name, typ wire.Type) bool {
	if typ != wire.TypeA && typ != wire.TypeAAAA {
		return false
	}
	root := s.anchors.Closest(dname.Root())
	if root == nil {
		root = new(dnssec.Anchor) // No key is trusted.
	}
	return root.SentinelFails(name)
}

// ForgetKeys forgets the keys of one zone, so that they are validated anew.
func (s *Store) ForgetKeys(zone dname.Name) { s.zones.remove(s.lower(zone)) }

// Flush forgets what is known of name, or also of all names below it.
func (s *Store) Flush(name dname.Name, subtree bool) {
	match := func(have string) bool {
		n := dname.Name(have)
		return dname.Equal(n, name) || subtree && n.In(name)
	}
	s.zones.removeIf(match)
	for have := range s.denials {
		if match(have) || name.In(dname.Name(have)) {
			s.dropDenial(have)
		}
	}
	s.cuts.removeIf(match)
}
