package snapshot

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/shard/diskfile"
	"heimdall/shard/worker"
)

// Options say what a Keeper works with.
type Options struct {
	Workers func() []*worker.Worker
	// Owner is that of ReadOptions.
	Owner func(name dname.Name, shards int) int
	Log   *slog.Logger
}

// Settings are what the configuration says. The zero value: nothing is kept.
type Settings struct {
	File     string
	Interval time.Duration // at which the file is written while the daemon runs; 0: at its end alone
	Rate     int64         // bytes a second that are written at most; 0: no bound
	Limit    int64         // bytes of a file that is read
}

// Keeper keeps the caches over a restart: in a file that it writes at intervals and at the end, and reads at the start. Its
// methods are safe for concurrent use.
type Keeper struct {
	opt   Options
	guard Guard
	wake  chan struct{}      // the settings have changed
	stop  context.CancelFunc // of run; nil: it was not started
	ended chan struct{}      // closed when run has returned
	heard bool               // the shards have their answers from another process

	moving atomic.Pointer[Move] // under way, or the last one

	// placing is held while a file takes its place, and while answers are flushed: no file that has them comes after that.
	placing sync.Mutex

	mu     sync.Mutex
	set    Settings
	status control.Snapshot
	cut    bool // not all of the file has been read that was there
}

// New makes a Keeper that keeps nothing yet.
func New(o Options) *Keeper {
	return &Keeper{opt: o, wake: make(chan struct{}, 1), ended: make(chan struct{})}
}

// Guard is to be told of what makes answers worthless, before the shards are.
func (k *Keeper) Guard() *Guard { return &k.guard }

// Configure puts settings into force.
func (k *Keeper) Configure(s Settings) {
	k.mu.Lock()
	k.set = s
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *Keeper) settings() *Settings {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.set
	return &s
}

// Start has the shards, which serve, take over what the file has, and writes the file from then on. It does not wait for that.
// Call it once.
func (k *Keeper) Start() {
	ctx, stop := context.WithCancel(context.Background())
	k.stop = stop
	go func() {
		defer close(k.ended)
		k.run(ctx)
	}()
}

func (k *Keeper) run(ctx context.Context) {
	if file := k.settings().File; file != "" && !k.heard {
		k.load(ctx, file)
	}
	for last := time.Now(); ; {
		due := time.NewTimer(time.Until(last.Add(k.settings().every())))
		select {
		case <-ctx.Done():
			due.Stop()
			return
		case <-k.wake:
			due.Stop()
		case <-due.C:
			k.save(ctx, WriteOptions{})
			last = time.Now()
		}
	}
}

// every is the interval at which the file is written: hardly ever, if there is none.
func (s *Settings) every() time.Duration {
	if s.File == "" || s.Interval <= 0 {
		return never
	}
	return s.Interval
}

const never = 100 * 365 * 24 * time.Hour

const (
	// closeFor is after how long the file ends that is written at the end of the daemon.
	closeFor = 20 * time.Second

	// saveTries is how often a file is begun anew because answers were flushed meanwhile.
	saveTries = 3

	// syncEvery is after how many bytes a file is written to the disk, so that its end is not long in coming.
	syncEvery = 16 << 20
)

// Leave ends the work, and leaves the file to another process.
func (k *Keeper) Leave() {
	if k.stop != nil {
		k.stop()
		<-k.ended
	}
	k.finishMove()
}

// Close ends the work, and writes the file a last time, while the shards still serve.
func (k *Keeper) Close() {
	if k.stop == nil {
		return
	}
	k.Leave()
	k.mu.Lock()
	cut := k.cut
	k.mu.Unlock()
	if cut {
		return // The file has more than the caches.
	}
	k.save(context.Background(), WriteOptions{Hurry: true, Within: closeFor})
}

// Flushed says that answers for a name are flushed, with subtree also those for all names below it. Call it before they are:
// they do not come back. The file that has them is removed.
func (k *Keeper) Flushed(name dname.Name, subtree bool) {
	k.placing.Lock()
	defer k.placing.Unlock()
	k.guard.Flushed(name, subtree)
	k.mu.Lock()
	file := k.set.File
	k.cut = false
	k.mu.Unlock()
	if file == "" {
		return
	}
	if err := diskfile.Remove(file); err != nil {
		k.opt.Log.Warn("the file with the caches cannot be removed: what was flushed comes back if the daemon is killed", "file", file, "error", err)
	}
}

// load takes over what a file has.
func (k *Keeper) load(ctx context.Context, file string) {
	k.mu.Lock()
	limit := k.set.Limit
	k.status.Loading, k.cut = true, true
	k.mu.Unlock()
	sum, err := k.read(ctx, file, limit)
	k.mu.Lock()
	k.status.Loading, k.cut = false, ctx.Err() != nil && k.cut
	k.status.LoadedEntries, k.status.LoadSeconds = sum.Entries, sum.Took.Seconds()
	if err != nil && !errors.Is(err, os.ErrNotExist) && ctx.Err() == nil {
		k.status.LoadNote = err.Error()
	}
	k.mu.Unlock()
	log := k.opt.Log.With("file", file, "entries", sum.Entries)
	switch {
	case errors.Is(err, os.ErrNotExist), ctx.Err() != nil:
	case err != nil && sum.Entries > 0:
		log.Warn("a part of the file with the caches is not taken over", "error", err)
	case err != nil:
		log.Warn("the caches start empty", "error", err)
	default:
		log.Info("the caches are as they were", "took", sum.Took.Round(time.Millisecond))
	}
}

func (k *Keeper) read(ctx context.Context, file string, limit int64) (Summary, error) {
	if err := diskfile.Sweep(file); err != nil {
		k.opt.Log.Warn("what a killed daemon has left cannot be removed", "error", err)
	}
	f, size, err := diskfile.OpenOwn(file, limit)
	if err != nil {
		return Summary{}, err
	}
	defer f.Close()
	return Read(ctx, f, size, k.opt.Workers, ReadOptions{Guard: &k.guard, Owner: k.opt.Owner})
}

// save writes the file, if there shall be one.
func (k *Keeper) save(ctx context.Context, o WriteOptions) {
	s := k.settings()
	if s.File == "" {
		return
	}
	if !o.Hurry {
		o.Rate = s.Rate
	}
	sum, err := k.write(ctx, s.File, o)
	for try := 1; errors.Is(err, errFlushed) && try < saveTries; try++ {
		sum, err = k.write(ctx, s.File, o)
	}
	if ctx.Err() != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.status.LastFail
	if err != nil {
		k.status.Failures++
		if k.status.LastFail = err.Error(); before != k.status.LastFail {
			k.opt.Log.Error("the caches cannot be written; the file that was there stays", "file", s.File, "error", err)
		}
		return
	}
	k.status.Saves++
	k.status.SavedAt, k.status.LastFail = time.Now().Unix(), ""
	k.status.SavedEntries, k.status.SavedBytes, k.status.SaveSeconds = sum.Entries, sum.Bytes, sum.Took.Seconds()
	level := slog.LevelDebug
	if before != "" || o.Hurry {
		level = slog.LevelInfo
	}
	k.opt.Log.Log(ctx, level, "the caches are written", "file", s.File, "entries", sum.Entries, "bytes", sum.Bytes, "took", sum.Took.Round(time.Millisecond))
}

// errFlushed: what was written has answers that were flushed meanwhile, or are of another configuration.
var errFlushed = errors.New("answers were flushed, or the configuration has changed, while the file was written")

// write writes a file.
func (k *Keeper) write(ctx context.Context, file string, o WriteOptions) (sum Summary, err error) {
	began := time.Now()
	t := k.guard.begin()
	defer t.end()
	p, err := diskfile.Begin(file)
	if err != nil {
		return sum, err
	}
	o.Decides = t.decides
	sum, err = Write(ctx, &syncing{p: p}, k.opt.Workers(), o)
	if err == nil {
		err = p.Sync()
	}
	if err != nil {
		return sum, errors.Join(err, p.Discard())
	}
	k.placing.Lock()
	defer k.placing.Unlock()
	if !t.untouched() {
		return sum, errors.Join(errFlushed, p.Discard())
	}
	if err := context.Cause(ctx); err != nil { // the file may be another process's by now
		return sum, errors.Join(err, p.Discard())
	}
	err = p.Commit()
	sum.Took = time.Since(began)
	return sum, err
}

// syncing writes to the disk what it has been given, every now and then.
type syncing struct {
	p     *diskfile.Pending
	dirty int
}

// Write implements io.Writer.
func (s *syncing) Write(b []byte) (int, error) {
	n, err := s.p.Write(b)
	if s.dirty += n; err == nil && s.dirty >= syncEvery {
		s.dirty, err = 0, s.p.Sync()
	}
	return n, err
}

// Status tells operators; nil: nothing is kept.
func (k *Keeper) Status() *control.Snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.set.File == "" {
		return nil
	}
	out := k.status
	out.File = k.set.File
	return &out
}
