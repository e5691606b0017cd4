package supervisor

import (
	"maps"
	"slices"

	"heimdall/affinity"
	"heimdall/core/zone"
)

// zoneCopies is one version of a zone, once in the memory of each NUMA node that has shards.
type zoneCopies []zoneCopy

type zoneCopy struct {
	zone *zone.Zone
	mem  []byte // of zone
}

// zoneSets are all zones, by the node of the shards that use them. Empty: there are no zones.
type zoneSets map[int]*zone.Set

// of returns the set for the shards of a node. Shards that have come to a node which had none before share the copy
// of the lowest node that had. nil: there are no zones.
func (s zoneSets) of(node int) *zone.Set {
	if set := s[node]; set != nil || len(s) == 0 {
		return set
	}
	return s[slices.Min(slices.Collect(maps.Keys(s)))]
}

// copies makes a version out of a zone on the first node and its memory.
func (z *zoneStore) copies(first *zone.Zone, mem []byte) (zoneCopies, error) {
	list := zoneCopies{{first, mem}}
	for _, node := range z.nodes[1:] {
		var c zoneCopy
		var err error
		c.zone, err = first.Copy(func(size int) ([]byte, error) {
			c.mem, err = z.mapLocal(node, size)
			return c.mem, err
		})
		if err != nil {
			list.unmap()
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// unmap gives the memory back. No shard may use the zone any more.
func (c zoneCopies) unmap() {
	for _, one := range c {
		affinity.Unmap(one.mem)
	}
}

// setsOf makes the sets of zones for all nodes. The caller holds zoneStore.mu.
func (z *zoneStore) setsOf() zoneSets {
	sets := zoneSets{}
	if len(z.byName) == 0 {
		return sets
	}
	for i, node := range z.nodes {
		var zones []*zone.Zone
		for _, s := range z.byName {
			if s.version == nil {
				zones = append(zones, zone.NewUnready(s.config.Name))
				continue
			}
			zones = append(zones, s.version[i].zone)
		}
		sets[node] = zone.NewSet(zones, z.elsewhere...)
	}
	return sets
}

// shardNodes lists the NUMA nodes that have shards, ascending: AnyNode alone if shards are not pinned.
func shardNodes(p *affinity.Plan) (nodes []int) {
	for _, s := range p.Shards {
		nodes = append(nodes, s.Node)
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// hugeZone is from which size in bytes on a zone gets huge pages, where it may: the last one's unused part, up to
// 2 MiB, is then an eighth at most.
const hugeZone = 16 << 20

// mapZone maps memory for a zone on a node, with huge pages if it may and is large: random names miss the TLB
// once less.
func mapZone(node, size int, huge bool) ([]byte, error) {
	return affinity.MapLocal(node, size, huge && size >= hugeZone)
}
