package supervisor

import (
	"context"
	"errors"
	"time"

	"heimdall/shard"
)

// onSome calls f on the thread of one shard, the first that takes commands. Only shards may look into zones:
// their memory is given back when no shard uses them.
//
// The shards share the time of one command, so that one which is stuck leaves some to the others. A command that a shard
// fell over at is not handed to the next: all would fall.
func (s *Supervisor) onSome(ctx context.Context, f func(*shard.Shard)) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	err := errAbsent
	list := s.workers()
	for i, w := range list {
		end, _ := ctx.Deadline()
		turn, over := context.WithTimeout(ctx, time.Until(end)/time.Duration(len(list)-i))
		err = w.do(turn, f)
		over()
		if err == nil || errors.Is(err, errFell) || ctx.Err() != nil {
			break
		}
	}
	return err
}
