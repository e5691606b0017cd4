package anchors

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// Options say what a Keeper works with.
type Options struct {
	// Ask resolves the root's DNSKEY RRset anew, without validation, for only the Keeper knows the keys that may have
	// signed it, and returns the response. ErrBusy: it cannot right now.
	Ask func(context.Context) (msg []byte, err error)
	// Give has each shard fetch its Set, and returns how many answers it took out of the caches: those at and below the
	// zones whose anchors have changed, and those that an alias leads there.
	Give func(ctx context.Context, changed ...dname.Name) (flushed uint64, err error)
	// GiveRoot is Give when the root's anchor has changed: its keys are validated again.
	GiveRoot func(context.Context) error
	Memo     func() dnssec.Memo // of signatures, for the update; asked for when one starts
	Wall     func() int64       // seconds since 1970
	Log      *slog.Logger
}

// Keeper holds the trust anchors that are in force, and moves the root's on. Its methods are safe for concurrent use.
type Keeper struct {
	opt     Options
	inForce inForce

	changing sync.Mutex // held while what follows changes
	running  bool       // updates run, when there is one
	over     bool       // for good
	stop     func()     // ends the update that runs, and returns when it has ended; nil: none runs
	update   atomic.Pointer[rootUpdate]
}

// New makes a Keeper without anchors: nothing is validated.
func New(o Options) *Keeper { return &Keeper{opt: o} }

// Configure puts the anchors of a configuration in force, for the sets to come. Where nothing was validated before, or
// other positive anchors are given, the update of the root's begins anew, from its state file. It returns the zones
// whose anchors have changed, and whether there are positive ones among them; when validation goes on or off, these are
// not told.
func (k *Keeper) Configure(g Given) (changed []dname.Name, positive bool) {
	k.changing.Lock()
	defer k.changing.Unlock()
	changed, positive = k.inForce.unlike(g.Anchors)
	if len(changed) > 0 {
		k.opt.Log.Info("trust anchors have changed", "zones", len(changed), "first", changed[0].String(), "positive", positive)
	}
	if !positive && k.inForce.on() == (g.Anchors != nil) {
		k.inForce.configure(g, false)
		return changed, false
	}
	k.end()
	k.inForce.configure(g, true)
	if seed := k.inForce.rootSeed(); g.State != "" && seed != nil {
		k.begin(g.State, seed)
	}
	return changed, positive
}

// begin makes an update, and runs it if updates run; k.changing is held.
func (k *Keeper) begin(file string, seed []dnssec.DS) {
	u := &rootUpdate{
		file: file, again: make(chan struct{}, 1), ask: k.opt.Ask, wall: k.opt.Wall, after: time.After, memo: k.opt.Memo(), log: k.opt.Log,
		apply: func(ctx context.Context, a dnssec.Anchor) error {
			k.inForce.setRoot(a)
			return k.opt.GiveRoot(ctx)
		},
	}
	k.inForce.setRoot(u.load(seed))
	k.update.Store(u)
	k.run()
}

// run runs the update, if there is one and updates run; k.changing is held.
func (k *Keeper) run() {
	u := k.update.Load()
	if u == nil || !k.running || k.over {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		u.run(ctx)
	}()
	k.stop = func() {
		cancel()
		<-ended
	}
}

// end ends the update; k.changing is held.
func (k *Keeper) end() {
	if k.stop != nil {
		k.stop()
	}
	k.stop = nil
	k.update.Store(nil)
}

// Run lets the update of the root's anchor begin, now and after each Configure: shards serve from now on.
func (k *Keeper) Run() {
	k.changing.Lock()
	defer k.changing.Unlock()
	if !k.running {
		k.running = true
		k.run()
	}
}

// Retry asks for the root's keys at once if they could not be had: what kept them away is gone.
func (k *Keeper) Retry() {
	u := k.update.Load()
	if u == nil {
		return
	}
	u.mu.Lock()
	failed := u.lastFail != ""
	u.mu.Unlock()
	if failed {
		select {
		case u.again <- struct{}{}:
		default:
		}
	}
}

// Close ends the update for good. The anchors stay in force.
func (k *Keeper) Close() {
	k.changing.Lock()
	defer k.changing.Unlock()
	k.over = true
	k.end()
}

// Set makes the set that one shard reads, nil if nothing is validated.
func (k *Keeper) Set() *dnssec.Anchors { return k.inForce.set() }

// Digest returns a hash of the anchors in force: what has been validated by others may be worthless.
func (k *Keeper) Digest() [32]byte { return k.inForce.digest() }

// errUnvalidated is the answer to commands about trust anchors when there are none.
var errUnvalidated = &control.Error{
	Code: control.CodeUnavailable, Message: "nothing is validated", Hint: "recursion.validation switches it on",
}

// Add puts a negative anchor in force and gives it to the shards. One that is there already is given again.
func (k *Keeper) Add(ctx context.Context, zone dname.Name) (*control.NTAList, error) {
	return k.change(ctx, zone, k.inForce.add)
}

// Runtime lists the negative anchors that Add has put in force.
func (k *Keeper) Runtime() []dname.Name {
	k.inForce.mu.Lock()
	defer k.inForce.mu.Unlock()
	return slices.Clone(k.inForce.runtime)
}

// Inherit puts negative anchors in force before there are shards: those of a process whose place this one takes.
func (k *Keeper) Inherit(zones []dname.Name) {
	for _, zone := range zones {
		k.inForce.add(zone) // which bounds them
	}
}

// Remove is the opposite of Add. What the configuration gives, it does not take away.
func (k *Keeper) Remove(ctx context.Context, zone dname.Name) (*control.NTAList, error) {
	return k.change(ctx, zone, k.inForce.remove)
}

func (k *Keeper) change(ctx context.Context, zone dname.Name, do func(dname.Name) error) (*control.NTAList, error) {
	if !k.inForce.on() {
		return nil, errUnvalidated
	}
	if err := do(zone); err != nil {
		return nil, err
	}
	flushed, err := k.opt.Give(ctx, zone)
	if err != nil {
		return nil, err
	}
	return &control.NTAList{Anchors: k.inForce.negative(), Flushed: flushed}, nil
}

// Negative lists the negative anchors.
func (k *Keeper) Negative() (*control.NTAList, error) {
	if !k.inForce.on() {
		return nil, errUnvalidated
	}
	return &control.NTAList{Anchors: k.inForce.negative()}, nil
}

// Snapshot is what operators are told.
type Snapshot struct {
	Validation bool // on; else the rest is empty
	Positive   []control.TrustAnchor
	Negative   []control.NTA
	Update     *control.AnchorUpdate // nil: there is none
}

// Snapshot copies what is in force.
func (k *Keeper) Snapshot() Snapshot {
	if !k.inForce.on() {
		return Snapshot{}
	}
	return Snapshot{true, k.inForce.describe(), k.inForce.negative(), k.update.Load().describe()}
}
