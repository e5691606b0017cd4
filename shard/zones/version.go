package zones

import (
	"maps"
	"slices"

	"heimdall/affinity"
	"heimdall/core/zone"
)

// version is one version of a zone, once in the memory of each NUMA node that has shards.
type version []nodeCopy

type nodeCopy struct {
	zone *zone.Zone
	mem  []byte // of zone
}

// sets are all zones, by the node of the shards that use them. Empty: there are no zones.
type sets map[int]*zone.Set

// of returns the set for the shards of a node. Shards of a node that has no copies, before Move, share the copy
// of the lowest node that has. nil: there are no zones.
func (s sets) of(node int) *zone.Set {
	if set := s[node]; set != nil || len(s) == 0 {
		return set
	}
	return s[slices.Min(slices.Collect(maps.Keys(s)))]
}

// copies makes a version out of a zone on the first node and its memory.
func (z *Store) copies(first *zone.Zone, mem []byte) (version, error) {
	list := version{{first, mem}}
	for _, node := range z.opt.Nodes[1:] {
		c, err := z.copyTo(first, node)
		if err != nil {
			list.unmap()
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// copyTo copies a zone to the memory of a node.
func (z *Store) copyTo(from *zone.Zone, node int) (c nodeCopy, err error) {
	c.zone, err = from.Copy(func(size int) ([]byte, error) {
		c.mem, err = z.opt.Map(node, size)
		return c.mem, err
	})
	return c, err
}

// unmap gives the memory back. No shard may use the zone any more.
func (c version) unmap() {
	for _, one := range c {
		affinity.Unmap(one.mem)
	}
}

// setsOf makes the sets of zones for all nodes. Store.mu is held.
func (z *Store) setsOf() sets {
	sets := sets{}
	if len(z.byName) == 0 {
		return sets
	}
	for i, node := range z.opt.Nodes {
		var zones []*zone.Zone
		for _, s := range z.byName {
			if s.version == nil {
				zones = append(zones, zone.NewUnready(s.zone.Name))
				continue
			}
			zones = append(zones, s.version[i].zone)
		}
		sets[node] = zone.NewSet(zones, z.elsewhere...)
	}
	return sets
}

// hugeZone is from which size in bytes on a zone gets huge pages, where it may: the last one's unused part, up to
// 2 MiB, is then an eighth at most.
const hugeZone = 16 << 20

// mapNear maps memory for a zone on a node, with huge pages if it may and is large: random names miss the TLB
// once less.
func mapNear(node, size int, huge bool) ([]byte, error) {
	return affinity.MapLocal(node, size, huge && size >= hugeZone)
}
