package zones

import (
	"context"
	"fmt"
	"slices"
)

// Move keeps the zones in the memory of other NUMA nodes from now on, those that have shards by now, ascending, and publishes
// them. If they cannot be copied, they stay where they are: shards of other nodes use them from there. Another error is that
// of Publish, after the move: shards are late.
func (z *Store) Move(ctx context.Context, nodes []int) error {
	z.loads.Lock()
	defer z.loads.Unlock()
	if slices.Equal(nodes, z.opt.Nodes) {
		return nil
	}
	if err := z.isSettled(); err != nil {
		return err
	}
	moved := map[*served]version{}
	var fresh, gone []version
	for _, s := range z.named(nil) {
		if s.version == nil {
			continue
		}
		next, made, left, err := z.move(s.version, nodes)
		if err != nil {
			unmapAll(fresh)
			return fmt.Errorf("copy zone %s to other NUMA nodes: %w", s.zone.Name, err)
		}
		moved[s] = next
		fresh, gone = append(fresh, made), append(gone, left)
	}
	z.mu.Lock()
	for s, next := range moved {
		s.version = next
	}
	z.opt.Nodes = nodes
	z.current = z.setsOf()
	z.mu.Unlock()
	return z.opt.Publish(ctx, z.retire(gone))
}

// move makes a version for other nodes, with the copies that there are and some that it makes. Others are left.
func (z *Store) move(v version, nodes []int) (next, made, left version, err error) {
	for _, node := range nodes {
		if i := slices.Index(z.opt.Nodes, node); i >= 0 {
			next = append(next, v[i])
			continue
		}
		c, err := z.copyTo(v[0].zone, node)
		if err != nil {
			made.unmap()
			return nil, nil, nil, err
		}
		next, made = append(next, c), append(made, c)
	}
	for i, node := range z.opt.Nodes {
		if !slices.Contains(nodes, node) {
			left = append(left, v[i])
		}
	}
	return next, made, left, nil
}
