package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// minLinkTTL is for how many seconds a link is kept at least: a walk that has asked for it must find it, even
// if its TTL is 0.
const minLinkTTL = 2

// trust is what is known of the chain of trust: zones with their validated keys, and what their parents say of
// them. Both are kept by name, for as long as their TTLs allow; beyond the bound, those go that were not used for longest.
type trust struct {
	anchors *dnssec.Anchors // nil: nothing is validated
	policy  dnssec.Policy
	zones   generations[zoneLink]
	cuts    generations[cutLink]
	denials denials
	room    int    // for denials, in bytes
	kept    int    // by them
	key     []byte // a name in lower case
}

type zoneLink struct {
	zone  *dnssec.Zone
	until int64 // nanoseconds
}

func (z zoneLink) bytes() int { return z.zone.Bytes() }

type cutLink struct {
	cut   dnssec.Delegation
	until int64 // nanoseconds
}

func (c cutLink) bytes() int { return c.cut.Bytes() }

// newTrust divides the memory: half is for zones with their keys, of about 1.5 KiB each, a quarter for delegations, of 300
// bytes, and a quarter for denials. Either kind of link has half of its part in each generation.
func newTrust(anchors *dnssec.Anchors, memory int) trust {
	t := trust{anchors: anchors, policy: dnssec.DefaultPolicy()}
	if anchors != nil {
		t.begin(memory)
	}
	return t
}

// begin makes t empty, with so much memory.
func (t *trust) begin(memory int) {
	t.zones, t.cuts = newGenerations[zoneLink](memory/4), newGenerations[cutLink](memory/8)
	t.denials, t.room, t.kept = make(denials), memory/4, 0
}

// lower returns name in lower case, borrowed until the next call.
func (t *trust) lower(name dname.Name) dname.Name {
	t.key = dname.AppendLower(t.key[:0], name)
	return dname.Name(t.key)
}

// zone returns the zone with the given apex, nil if nothing is known of it.
func (t *trust) zone(name dname.Name, now int64) *dnssec.Zone {
	if z, ok := t.zones.get(t.lower(name)); ok && now < z.until {
		return z.zone
	}
	return nil
}

// cut returns what is known of a name's being a zone cut.
func (t *trust) cut(name dname.Name, now int64) (dnssec.Delegation, bool) {
	c, ok := t.cuts.get(t.lower(name))
	return c.cut, ok && now < c.until
}

func linkUntil(ttl uint32, now int64) int64 {
	return now + int64(min(max(ttl, minLinkTTL), known.MaxRRsetTTL))*1e9
}

func (t *trust) putZone(z *dnssec.Zone, now int64) {
	t.zones.put(t.lower(z.Name), zoneLink{z, linkUntil(z.TTL, now)})
}

func (t *trust) putCut(d dnssec.Delegation, now int64) {
	t.cuts.put(t.lower(d.Name), cutLink{d, linkUntil(d.TTL, now)})
}

// deepest returns the deepest known zone from top down to name, nil if there is none.
func (t *trust) deepest(name, top dname.Name, now int64) *dnssec.Zone {
	for n, least := name.Labels(), top.Labels(); n >= least; n-- {
		if z := t.zone(name.Suffix(n), now); z != nil {
			return z
		}
	}
	return nil
}

// ds returns the DS records by which the keys of a zone are known, and for how many seconds.
func (t *trust) ds(zone dname.Name, now int64) (list []dnssec.DS, ttl uint32, ok bool) {
	if a := t.anchors.Closest(zone); a == nil || a.Negative {
		return nil, 0, false
	} else if len(a.Zone) == len(zone) {
		return a.DS, known.MaxRRsetTTL, true
	}
	c, ok := t.cuts.get(t.lower(zone))
	if !ok || now >= c.until || len(c.cut.DS) == 0 {
		return nil, 0, false
	}
	return c.cut.DS, uint32((c.until-now)/1e9) + 1, true
}

// unsigned says whether records of type typ at name are known to need no validation: no anchor covers them, or
// a negative one does, or they are below a delegation that is known to be insecure.
func (t *trust) unsigned(name dname.Name, typ wire.Type, now int64) (dnssec.Status, bool) {
	if typ == wire.TypeDS {
		if name.IsRoot() {
			return 0, false
		}
		name = name.Parent() // RFC 4035, section 2.4: DS records are the parent's.
	}
	a := t.anchors.Closest(name)
	if a == nil {
		return dnssec.Indeterminate, true
	}
	if a.Negative {
		return dnssec.Insecure, true
	}
	for n, least := name.Labels(), a.Zone.Labels(); n > least; n-- {
		if d, ok := t.cut(name.Suffix(n), now); ok && d.Status == dnssec.Insecure {
			return dnssec.Insecure, true
		}
	}
	return 0, false
}

// flush forgets what is known of name, or also of all names below it.
func (t *trust) flush(name dname.Name, subtree bool) {
	match := func(have string) bool {
		n := dname.Name(have)
		return dname.Equal(n, name) || subtree && n.In(name)
	}
	t.zones.removeIf(match)
	for have := range t.denials {
		if match(have) || name.In(dname.Name(have)) {
			t.dropDenial(have)
		}
	}
	t.cuts.removeIf(match)
}

// validates says whether the answer of a task is validated: not if the client does without (RFC 4035,
// section 3.2.2).
func (m *Machine) validates(t *task) bool {
	return m.trust.anchors != nil && !t.cd && t.depth == 0 && !t.below // What our zones delegate need not be known to the rest of the world.
}

// isLink says whether a task looks for a link of the chain of trust.
func (m *Machine) isLink(t *task) bool {
	return m.trust.anchors != nil && t.depth > 0 && t.depth != primeDepth && (t.typ == wire.TypeDS || t.typ == wire.TypeDNSKEY)
}
