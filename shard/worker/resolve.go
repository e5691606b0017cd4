package worker

import (
	"context"
	"errors"

	"heimdall/core"
	"heimdall/shard"
)

// ErrBusy is what Resolve returns when the shard has no room for the question.
var ErrBusy = errors.New("another question of this kind is under way, or too many queries are in flight")

// Resolve asks a question from inside on the first shard of list that takes commands, and returns the response and whose
// shard it was. When it returns an error, q.Watch is still the shard's.
func Resolve(ctx context.Context, list []*Worker, q *core.Inquiry) (by *Worker, msg []byte, err error) {
	ended := make(chan []byte, 1)
	var on *shard.Shard
	var begun bool
	err = Some(ctx, list, func(w *Worker, sh *shard.Shard) {
		by, on = w, sh
		begun = sh.Resolve(q, func(msg []byte, _ bool) core.Room {
			select {
			case ended <- append([]byte(nil), msg...):
				return core.Taken
			default: // one response is all that is waited for
				return core.Gone
			}
		})
	})
	switch {
	case err != nil:
		return nil, nil, err
	case !begun:
		return nil, nil, ErrBusy
	}
	select {
	case msg := <-ended:
		return by, msg, nil
	case <-on.Ended():
		return nil, nil, ErrRestarting
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}
