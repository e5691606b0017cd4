package worker

import (
	"context"
	"slices"

	"heimdall/shard"
)

// FinishFlush goes on with flushes of answers that the shards of list have begun, of which removed says what they have
// removed, and returns how many answers that are. Nothing of what they remove is found any more: the rest frees the
// memory, in steps between which the shards serve.
func FinishFlush(ctx context.Context, list []*Worker, removed []int) (total uint64, err error) {
	busy := make([]bool, len(list))
	for again := true; again && err == nil; again = slices.Contains(busy, true) {
		err = Each(ctx, list, func(i int, _ *Worker, sh *shard.Shard) {
			n, done := sh.Engine().Answers().FlushStep()
			removed[i] += n
			busy[i] = !done
		})
	}
	for _, n := range removed {
		total += uint64(n)
	}
	return total, err
}
