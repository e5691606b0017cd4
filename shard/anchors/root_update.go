package anchors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/shard/diskfile"
)

// Bounds on the waits between two queries for the root's keys. What the trust point asks for, RFC 5011, section
// 2.3, is from an hour to 15 days.
const (
	busyPause = time.Minute         // when the resolver had no room for the query
	longWait  = 15 * 24 * time.Hour // whatever the state file says
)

// ErrBusy is what Options.Ask returns, wrapped or not, when the resolver has no room for the query. It is asked again soon.
var ErrBusy = errors.New("the resolver has no room for the query")

// rootUpdate follows the root's trust anchor through the rollovers that the root's own keys announce (RFC
// 5011). Its fields up to log are set once. Its methods are safe for concurrent use, run aside.
type rootUpdate struct {
	file  string
	ask   func(context.Context) (msg []byte, err error) // Options.Ask
	apply func(context.Context, dnssec.Anchor) error    // puts the anchor in force
	wall  func() int64                                  // seconds since 1970
	after func(time.Duration) <-chan time.Time
	again chan struct{} // holds a token where the keys are to be asked for at once
	memo  dnssec.Memo
	log   *slog.Logger

	mu       sync.Mutex
	policy   dnssec.Policy
	point    *dnssec.TrustPoint
	unsaved  bool // the state in memory is newer than the file
	queries  uint64
	failures uint64
	unstored uint64
	lastFail string
}

// load begins with the state of the file and returns the anchor that follows from it. Seed is what the operator
// trusts. Without a file, and with one that cannot be read, it begins with the seed.
func (u *rootUpdate) load(seed []dnssec.DS) dnssec.Anchor {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.policy = dnssec.DefaultPolicy()
	point, err := readState(u.file)
	if err != nil {
		u.failed(&u.failures, "read recursion.trust_anchor_state", err)
	}
	if point == nil {
		point = &dnssec.TrustPoint{Zone: dname.Root()}
	}
	point.Seed = seed
	u.point = point
	return point.Anchor()
}

// failed counts and logs what went wrong; u.mu is held.
func (u *rootUpdate) failed(counter *uint64, what string, err error) {
	*counter++
	u.lastFail = fmt.Sprintf("%s: %v", what, err)
	u.log.Error("trust anchor update: "+what, "error", err)
}

// run asks for the keys whenever it is time to, until ctx ends.
func (u *rootUpdate) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.again:
		case <-u.after(u.wait()):
		}
		for errors.Is(u.step(ctx), ErrBusy) {
			select {
			case <-ctx.Done():
				return
			case <-u.after(busyPause):
			}
		}
	}
}

// wait returns how long it is until the next query.
func (u *rootUpdate) wait() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return min(time.Duration(max(u.point.Next-u.wall(), 0))*time.Second, longWait)
}

// step asks for the keys once, moves the trust point on, puts a changed anchor in force, and stores the state. An
// anchor is in force even if it could not be stored: the next step stores it.
func (u *rootUpdate) step(ctx context.Context) error {
	msg, err := u.ask(ctx)
	if errors.Is(err, ErrBusy) || ctx.Err() != nil {
		return err
	}
	var set *dnssec.RRset
	if err == nil {
		set, err = rootKeys(msg)
	}
	anchor, changed := u.observe(set, err)
	if changed {
		if err := u.apply(ctx, anchor); err != nil {
			u.mu.Lock()
			u.failed(&u.failures, "give the shards the new trust anchor", err)
			u.mu.Unlock()
		}
	}
	u.store()
	return err
}

// observe shows the trust point what the query brought.
func (u *rootUpdate) observe(set *dnssec.RRset, err error) (anchor dnssec.Anchor, changed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.queries++
	if err != nil {
		u.point.Fail(u.wall())
		u.failed(&u.failures, "ask for the root's keys", err)
		return anchor, false
	}
	before, states := u.point.Anchor(), u.states()
	budget := dnssec.DefaultBudget()
	v := dnssec.Validator{Policy: &u.policy, Now: u.wall(), Budget: &budget, Memo: u.memo}
	o := u.point.Observe(&v, set)
	u.unsaved = u.unsaved || o.Changed || o.Status == dnssec.Secure
	if o.Status != dnssec.Secure {
		u.failed(&u.failures, "validate the root's keys", errors.New(o.Result.String()))
	}
	for tag, state := range u.states() {
		if states[tag] != state {
			u.log.Info("a key of the root has another state (RFC 5011)", "key_tag", tag, "before", cmp.Or(states[tag], "unknown"), "now", state)
		}
	}
	anchor = u.point.Anchor()
	if changed = !sameKeys(before.DS, anchor.DS); changed {
		u.log.Info("the root's trust anchor has changed", "key_tags", tags(anchor.DS))
	}
	return anchor, changed
}

// states are those of the keys that are followed, by their tags; u.mu is held.
func (u *rootUpdate) states() map[uint16]string {
	states := map[uint16]string{}
	for _, k := range u.point.Keys {
		states[dnssec.KeyTag(k.RData)] = k.State.String()
	}
	return states
}

// store writes the state to the file if it is newer than that.
func (u *rootUpdate) store() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.unsaved {
		return
	}
	if err := diskfile.Replace(u.file, u.point.AppendText(nil)); err != nil {
		u.failed(&u.unstored, "store recursion.trust_anchor_state", err)
		return
	}
	u.unsaved = false
}

// describe tells operators how the update does; nil if it is off.
func (u *rootUpdate) describe() *control.AnchorUpdate {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	out := &control.AnchorUpdate{
		File: u.file, Next: u.point.Next, Queries: u.queries, Failures: u.failures, Unstored: u.unstored, LastFail: u.lastFail,
		Keys: []control.TrackedKey{},
	}
	for _, k := range u.point.Keys {
		out.Keys = append(out.Keys, control.TrackedKey{Tag: dnssec.KeyTag(k.RData), State: k.State.String(), Since: k.Since})
	}
	return out
}

func tags(list []dnssec.DS) (tags []uint16) {
	for _, ds := range list {
		tags = append(tags, ds.KeyTag)
	}
	return tags
}

// sameKeys compares what two anchors trust.
func sameKeys(a, b []dnssec.DS) bool {
	return slices.EqualFunc(a, b, func(x, y dnssec.DS) bool { return string(x.Append(nil)) == string(y.Append(nil)) })
}
