package resolver

import (
	"net/netip"
	"slices"

	"heimdall/core/dname"
	"heimdall/core/resolver/known"
	"heimdall/core/slots"
	"heimdall/core/wire"
)

// group is a Group with its servers looked up.
type group struct {
	zone    dname.Name
	kind    GroupKind
	servers []int32
}

// groups finds the group with the longest zone that contains a name.
type groups struct {
	list   []group
	seed   uint64
	slots  []int32   // open addressing by the hash of the zone, -1 is free
	depths [128]bool // label counts that occur among the zones
	max    int       // the largest of them
}

func newGroups(list []group, seed uint64) groups {
	t := groups{list: list, seed: seed, max: -1, slots: slots.Heads(2*len(list) + 1)}
	for i := range list {
		n := list[i].zone.Labels()
		t.depths[n] = true
		t.max = max(t.max, n)
		at := dname.Hash(seed, list[i].zone)
		for ; t.slots[at&uint64(len(t.slots)-1)] >= 0; at++ {
		}
		t.slots[at&uint64(len(t.slots)-1)] = int32(i)
	}
	return t
}

// find returns the group that owns name for the type asked, nil if none does.
func (t *groups) find(name dname.Name, typ wire.Type) *group {
	labels := name.Labels()
	limit := labels
	if typ == wire.TypeDS && labels > 0 {
		limit-- // RFC 4035, section 3.1.4.1: the parent side of a cut answers for DS.
	}
	for n := min(limit, t.max); n >= 0; n-- {
		if !t.depths[n] {
			continue
		}
		zone := name.Suffix(n)
		for at := dname.Hash(t.seed, zone); ; at++ {
			i := t.slots[at&uint64(len(t.slots)-1)]
			if i < 0 {
				break
			}
			if dname.Equal(t.list[i].zone, zone) {
				return &t.list[i]
			}
		}
	}
	return nil
}

// labels is how many labels the zone of the group has that owns name for the type asked, 0 if none does.
func (t *groups) labels(name dname.Name, typ wire.Type) int {
	if g := t.find(name, typ); g != nil {
		return g.zone.Labels()
	}
	return 0
}

// Reconfigure replaces the groups and returns the zones whose group has changed. Servers that stay keep what is known of
// them. Tasks under way ask the new groups with their next query; what the servers before still say counts for nothing. What
// was learned below a zone that is returned is forgotten.
func (m *Machine) Reconfigure(list []Group) []dname.Name {
	m.servers.Unpin()
	var compiled []group
	for _, g := range list {
		c := group{zone: dname.AppendLower(nil, g.Zone), kind: g.Kind}
		for _, addr := range g.Servers {
			addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
			if i := m.servers.Pin(addr, m.now); i >= 0 {
				c.servers = append(c.servers, i)
			}
		}
		compiled = append(compiled, c)
	}
	changed := append(unlike(m.realms.groups.list, compiled), unlike(compiled, m.realms.groups.list)...)
	if len(changed) > 0 {
		m.tasks.routes++
		clear(m.failing.slots[:]) // kept by hash alone
	}
	for _, z := range changed {
		m.trust.Flush(z, true)
	}
	if len(changed) > 0 {
		m.known.Purge(func(kind known.Kind, have dname.Name) bool {
			// Delegations may have the address of a server whose name is one of theirs.
			return kind == known.Delegation || slices.ContainsFunc(changed, have.In)
		})
	}
	m.realms.groups = newGroups(compiled, m.seed)
	m.forwarders.forget()
	return changed
}

// unlike lists the zones of a whose group is not the same in b.
func unlike(a, b []group) (zones []dname.Name) {
	for _, g := range a {
		if !slices.ContainsFunc(b, func(h group) bool {
			return dname.Equal(g.zone, h.zone) && g.kind == h.kind && slices.Equal(g.servers, h.servers)
		}) {
			zones = append(zones, g.zone)
		}
	}
	return zones
}
