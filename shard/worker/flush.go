package worker

import (
	"context"
	"slices"

	"heimdall/shard"
)

// FinishFlush ends flushes that the shards of list have begun, and returns how many answers they remove; removed has how
// many each has removed so far. The answers are not found any more from the beginning. What is left is to free their
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
