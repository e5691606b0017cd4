package snapshot

import (
	"context"
	"errors"
	"io"
	"time"

	"heimdall/core/cache"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// WriteOptions say how a snapshot is written.
type WriteOptions struct {
	Decides [32]byte // see Header
	Rate    int64    // bytes a second at most; 0: as fast as the shards tell
	Hurry   bool     // the shards have nothing better to do
	// Within is after how long the snapshot ends, complete or not: what is worth most comes first. 0: when it is complete.
	Within time.Duration
}

// Summary is what was carried.
type Summary struct {
	Entries uint64
	Bytes   int64
	Took    time.Duration
}

const (
	// exportStep is how many bytes of a cache one command looks at: some 50 µs of a shard's time, and in a hurry 300.
	exportStep = 8 << 10
	hurryStep  = 64 << 10

	// frameSize is the length in bytes from which a frame is written. One step more, with one large entry, fits into
	// MaxPayload.
	frameSize = 64 << 10
)

// Write writes what the shards of list have in their caches, what is worth most first. A shard that does not serve is left
// out. When ctx ends, nothing that can be read has been written.
func Write(ctx context.Context, to io.Writer, list []*worker.Worker, o WriteOptions) (sum Summary, err error) {
	began, at := time.Now(), Now()
	w, err := NewWriter(to, &Header{Shards: len(list), Decides: o.Decides, Time: at})
	if err != nil {
		return sum, err
	}
	p, budget := pace{rest: shardRest, rate: o.Rate}, exportStep
	if o.Hurry {
		p.rest, budget = 0, hurryStep
	}
	told := make([]export, len(list))
	for busy := true; busy && (o.Within == 0 || time.Since(began) < o.Within); {
		busy = false
		for i, sh := range list {
			if told[i].done {
				continue
			}
			busy = true
			took, err := told[i].step(ctx, sh, budget)
			if err != nil {
				return sum, err
			}
			bytes := w.Bytes()
			if err := told[i].write(w, i, time.Since(began)); err != nil {
				return sum, err
			}
			p.worked(ctx, took/time.Duration(len(list)), int(w.Bytes()-bytes))
		}
	}
	if err := errors.Join(ctx.Err(), w.End()); err != nil {
		return sum, err
	}
	return Summary{w.Entries(), w.Bytes(), time.Since(began)}, nil
}

// export is what one shard tells.
type export struct {
	walk  cache.Walk
	told  []byte // not written yet
	count int    // entries in it
	done  bool
}

// step has the shard tell more, of about so many bytes of its cache.
func (e *export) step(ctx context.Context, w *worker.Worker, budget int) (took time.Duration, err error) {
	err = do(ctx, w, func(sh *shard.Shard) {
		began := time.Now()
		var n int
		e.told, n, e.done = sh.Engine().Answers().Export(&e.walk, e.told, budget, uint32(w.Now()/1e9))
		e.count += n
		took = time.Since(began)
	})
	if lost(err) {
		e.done = true
		return 0, nil
	}
	return took, err
}

// write writes a frame if there is enough for one, or no more to come.
func (e *export) write(w *Writer, shard int, passed time.Duration) error {
	if len(e.told) < frameSize && !e.done || len(e.told) == 0 {
		return nil
	}
	f := Frame{Kind: Answers, Shard: shard, Seconds: uint32(passed / time.Second), Entries: e.count, Payload: e.told}
	e.told, e.count = e.told[:0], 0
	return w.Frame(&f)
}
