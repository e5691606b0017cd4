package snapshot

import (
	"context"
	"io"
	"os"
)

// Tell writes what the shards have for another process. When the process takes over, whole tells whether all of it is still good:
// nothing was flushed since Tell began, and nothing else decides about answers. It is called once, if there is no error.
func (k *Keeper) Tell(ctx context.Context, to io.Writer, o WriteOptions) (sum Summary, whole func() bool, err error) {
	t := k.guard.begin()
	o.Decides = t.decides
	if sum, err = Write(ctx, to, k.opt.Workers(), o); err != nil {
		t.end()
		return sum, nil, err
	}
	return sum, func() bool {
		defer t.end()
		return t.untouched()
	}, nil
}

// Hear has the shards, which run, take over what another process has told. If that is all, Start reads no file. Call it before.
func (k *Keeper) Hear(ctx context.Context, from *os.File, size int64) (Summary, error) {
	sum, err := Read(ctx, from, size, k.opt.Workers, ReadOptions{Guard: &k.guard, Owner: k.opt.Owner})
	k.heard = err == nil
	return sum, err
}
