package supervisor

import (
	"context"
	"slices"

	"heimdall/affinity"
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
