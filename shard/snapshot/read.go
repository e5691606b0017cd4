package snapshot

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// ReadOptions say who takes over a snapshot.
type ReadOptions struct {
	Guard *Guard
	// Owner returns which of so many shards gets the queries for a name, below 0 if it may be any. Nil: any.
	Owner func(name dname.Name, shards int) int
}

// ErrOther is the error about a snapshot that was made under another configuration.
var ErrOther = errors.New("what decides about answers was not the same: the configuration, the trust anchors or the zones")

// Read has the shards that workers lists take over a snapshot, which may come from a stranger. Each takes what it has room for: the answers
// that it owns, if names have owners, or those of its number, if there were as many shards, or else what any of them had. sum is
// what was taken, on an error too.
func Read(ctx context.Context, from io.ReaderAt, size int64, workers func() []*worker.Worker, o ReadOptions) (sum Summary, err error) {
	began := time.Now()
	r, err := NewReader(from, size)
	if err != nil {
		return sum, err
	}
	t := o.Guard.begin()
	defer t.end()
	if r.Decides != t.decides {
		return sum, ErrOther
	}
	sum.Bytes = size
	d := newDelivery(workers, t, o.Owner, r.Shards)
	defer func() { sum.Entries, sum.Took = d.taken, time.Since(began) }()
	for !d.full() {
		f, err := r.Next()
		if err == io.EOF {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		passed, err := Now().Since(r.Time)
		if err != nil {
			return sum, err
		}
		if f.Kind != Answers { // of a later version
			continue
		}
		if err := d.frame(ctx, f.Shard, f.Payload, passed-min(f.Seconds, passed)); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// delivery hands answers to the shards that want them.
type delivery struct {
	workers func() []*worker.Worker
	ticket  *ticket
	owner   func(name dname.Name, shards int) int
	before  int // how many shards there were
	into    cache.Importer
	pace    pace
	taken   uint64

	list   []*worker.Worker // that there are
	parts  [][]byte         // of a frame, by owner
	filled []bool           // by shard: it has no room for more
	memory []int64          // by shard: bytes of its cache that are in use
}

func newDelivery(workers func() []*worker.Worker, t *ticket, owner func(dname.Name, int) int, before int) *delivery {
	d := &delivery{workers: workers, ticket: t, owner: owner, before: before, pace: pace{rest: shardRest}}
	d.look()
	return d
}

// look looks which shards there are.
func (d *delivery) look() {
	if list := d.workers(); !slices.Equal(list, d.list) {
		d.list, d.parts, d.filled = list, make([][]byte, len(list)), make([]bool, len(list))
		d.memory = make([]int64, len(list))
	}
}

// used returns how many bytes the caches have in use, as far as they were asked to take something over.
func (d *delivery) used() (sum int64) {
	for _, n := range d.memory {
		sum += n
	}
	return sum
}

// full tells whether no shard has room.
func (d *delivery) full() bool {
	for _, f := range d.filled {
		if !f {
			return false
		}
	}
	return true
}

// frame hands over answers that the shard with a number had, told so many seconds ago.
func (d *delivery) frame(ctx context.Context, from int, answers []byte, passed uint32) error {
	d.look()
	any := answers // of no owner
	if d.owner != nil {
		any = any[:0:0]
		for i := range d.parts {
			d.parts[i] = d.parts[i][:0]
		}
		for rest := answers; len(rest) > 0; {
			s, octets, next, ok := cache.NextSaved(rest)
			if !ok {
				return foreign("an answer cannot be read")
			}
			rest = next
			name, _, _, ok := s.Question()
			if !ok {
				continue
			}
			if to := d.owner(name, len(d.list)); to >= 0 && to < len(d.list) {
				d.parts[to] = append(d.parts[to], octets...)
			} else {
				any = append(any, octets...)
			}
		}
		for to, part := range d.parts {
			if err := d.hand(ctx, to, part, passed); err != nil {
				return err
			}
		}
	}
	for to := range d.list {
		if d.before != len(d.list) || from == to {
			if err := d.hand(ctx, to, any, passed); err != nil {
				return err
			}
		}
	}
	return nil
}

const (
	// importStep is how many answers, or bytes of them, one command takes over: some 50 µs of a shard's time.
	importStep  = 32
	importBytes = 8 << 10
)

// hand has one shard take over answers.
func (d *delivery) hand(ctx context.Context, to int, answers []byte, passed uint32) error {
	w := d.list[to]
	for len(answers) > 0 && !d.filled[to] {
		var took time.Duration
		var failed error
		err := do(ctx, w, func(sh *shard.Shard) {
			began := time.Now()
			answers, failed = d.take(sh, answers, passed, uint32(w.Now()/1e9), to)
			took = time.Since(began)
		})
		if lost(err) {
			return nil
		}
		if err = errors.Join(err, failed); err != nil {
			return err
		}
		d.pace.worked(ctx, took/time.Duration(len(d.list)), 0)
	}
	return nil
}

// take takes over the first answers. It runs on the shard's thread.
func (d *delivery) take(sh *shard.Shard, answers []byte, passed, now uint32, to int) (rest []byte, err error) {
	flushes, ok := d.ticket.mind()
	if !ok {
		return nil, ErrOther
	}
	cached := sh.Engine().Answers()
	for n, left := 0, importBytes; n < importStep && left > 0 && len(answers) > 0; n++ {
		s, octets, next, ok := cache.NextSaved(answers)
		if !ok {
			return nil, foreign("an answer cannot be read")
		}
		answers, left = next, left-len(octets)
		if len(flushes) > 0 {
			if name, _, _, ok := s.Question(); !ok || covers(flushes, name) {
				continue
			}
		}
		if d.into.Import(cached, &s, passed, now) {
			d.taken++
		}
	}
	d.filled[to], d.memory[to] = !cached.Spare(), int64(cached.Stats().Store.Touched)
	return answers, nil
}
