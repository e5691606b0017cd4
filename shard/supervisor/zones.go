package supervisor

import (
	"context"
	"slices"

	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/core/dname"
	"heimdall/shard"
	"heimdall/shard/worker"
	"heimdall/shard/zones"
)

func (s *Supervisor) zonesOptions() zones.Options {
	return zones.Options{Nodes: shardNodes(s.plan), HugePages: s.config().Memory.HugePages, Publish: s.publishZones, Log: s.log}
}

// publishZones has all shards take the zones of their node, and calls settled when none uses others any more.
func (s *Supervisor) publishZones(ctx context.Context, settled func()) error {
	defer s.hot.Flush()
	return s.tell(ctx, s.workers(), func(_ int, w *worker.Worker, sh *shard.Shard) { sh.Engine().SetZones(s.zones.Set(w.Seat().Node)) }, settled)
}

// shardNodes lists the NUMA nodes that have shards, ascending: AnyNode alone if shards are not pinned.
func shardNodes(p *affinity.Plan) (nodes []int) {
	for _, s := range p.Shards {
		nodes = append(nodes, s.Node)
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// zonesOf are the zones of a configuration.
func zonesOf(c *config.Config) zones.Given {
	g := zones.Given{Elsewhere: routed(c)}
	for i, z := range c.Zone {
		g.Zones = append(g.Zones, zones.Zone{
			Name: z.Name, File: z.File, IncludeFolder: z.IncludeFolder,
			Place: func(key string, err error) error { return c.Problem(config.Element("zone", i)+"."+key, "%v", err) },
		})
	}
	return g
}

// routed lists the zones whose names other servers are asked for. Without recursion nobody is asked.
func routed(c *config.Config) (list []dname.Name) {
	if !c.Recursion.Enabled {
		return nil
	}
	for _, u := range slices.Concat(c.Forward, c.Stub) {
		list = append(list, dname.Name(u.Zone))
	}
	return list
}
