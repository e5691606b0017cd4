package settings

import (
	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/shard/worker"
)

// Plan decides where the shards and all other threads run. The error is about the key that this machine cannot fulfil.
func Plan(m *affinity.Machine, c *config.Config) (*affinity.Plan, error) {
	plan, err := m.Plan(c.CPU.Shards.Spec(), c.CPU.Pin, c.CPU.Housekeeping)
	if err != nil {
		return nil, c.Problem("cpu.shards", "%v", err)
	}
	if err := c.CheckShards(len(plan.Shards)); err != nil {
		return nil, err
	}
	if !c.CPU.Housekeeping.Auto() {
		if err := m.Refuse(c.CPU.Housekeeping); err != nil {
			return nil, c.Problem("cpu.housekeeping", "%v", err)
		}
		plan.Housekeeping = c.CPU.Housekeeping
	}
	return plan, nil
}

// Seats gives each shard of a plan an equal part of the memory for the cache.
func Seats(plan *affinity.Plan, c *config.Config) (list []worker.Seat) {
	for _, p := range plan.Shards {
		list = append(list, worker.Seat{Placement: p, Memory: int(c.Cache.Memory) / len(plan.Shards)})
	}
	return list
}
