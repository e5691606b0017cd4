package supervisor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"heimdall/core"
	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/shard/diskfile"
)

// Bounds on the waits between two queries for the root's keys. What the trust point asks for, RFC 5011, section
// 2.3, is from an hour to 15 days.
const (
	busyPause = time.Minute         // when the resolver had no room for the query
	longWait  = 15 * 24 * time.Hour // whatever the state file says
)

// anchorUpdate follows the root's trust anchor through the rollovers that the root's own keys announce (RFC
// 5011). Its fields up to log are set once. Its methods are safe for concurrent use, run aside.
type anchorUpdate struct {
	file  string
	ask   func(context.Context) (*dnssec.RRset, error) // for the root's DNSKEY RRset, not validated
	apply func(context.Context, dnssec.Anchor) error   // puts the anchor in force
	wall  func() int64                                 // seconds since 1970
	after func(time.Duration) <-chan time.Time
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
func (u *anchorUpdate) load(seed []dnssec.DS) dnssec.Anchor {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.policy = dnssec.DefaultPolicy()
	point, err := readTrustPoint(u.file)
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
func (u *anchorUpdate) failed(counter *uint64, what string, err error) {
	*counter++
	u.lastFail = fmt.Sprintf("%s: %v", what, err)
	u.log.Error("trust anchor update: "+what, "error", err)
}

// run asks for the keys whenever it is time to, until ctx ends.
func (u *anchorUpdate) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.after(u.wait()):
		}
		for errors.Is(u.step(ctx), errTracing) {
			select {
			case <-ctx.Done():
				return
			case <-u.after(busyPause):
			}
		}
	}
}

// wait returns how long it is until the next query.
func (u *anchorUpdate) wait() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return min(time.Duration(max(u.point.Next-u.wall(), 0))*time.Second, longWait)
}

// step asks for the keys once, moves the trust point on, puts a changed anchor in force, and stores the state. An
// anchor is in force even if it could not be stored: the next step stores it.
func (u *anchorUpdate) step(ctx context.Context) error {
	set, err := u.ask(ctx)
	if errors.Is(err, errTracing) || ctx.Err() != nil {
		return err
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
func (u *anchorUpdate) observe(set *dnssec.RRset, err error) (anchor dnssec.Anchor, changed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.queries++
	if err != nil {
		u.point.Fail(u.wall())
		u.failed(&u.failures, "ask for the root's keys", err)
		return anchor, false
	}
	before := u.point.Anchor()
	budget := dnssec.DefaultBudget()
	v := dnssec.Validator{Policy: &u.policy, Now: u.wall(), Budget: &budget, Memo: u.memo}
	o := u.point.Observe(&v, set)
	u.unsaved = u.unsaved || o.Changed || o.Status == dnssec.Secure
	if o.Status != dnssec.Secure {
		u.failed(&u.failures, "validate the root's keys", errors.New(o.Result.String()))
	}
	anchor = u.point.Anchor()
	if changed = !sameKeys(before.DS, anchor.DS); changed {
		u.log.Info("the root's trust anchor has changed", "key_tags", tags(anchor.DS))
	}
	return anchor, changed
}

// store writes the state to the file if it is newer than that.
func (u *anchorUpdate) store() {
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
func (u *anchorUpdate) describe() *control.AnchorUpdate {
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

// errNoKeys: the response has no DNSKEY records.
var errNoKeys = errors.New("the response has no keys")

// askRootKeys resolves the root's DNSKEY RRset anew. It is not validated, for only the trust point knows the keys
// that may have signed it.
func (s *Supervisor) askRootKeys(ctx context.Context) (*dnssec.RRset, error) {
	q := resolver.Question{Name: dname.Root(), Type: wire.TypeDNSKEY, Class: wire.ClassIN, DO: true, CD: true}
	_, msg, err := s.resolve(ctx, &core.Inquiry{Question: q, Anew: true})
	if err != nil {
		return nil, err
	}
	if rcode := wire.RcodeOf(wire.Flags(msg)); rcode != wire.RcodeNoError {
		return nil, fmt.Errorf("the response is %s", rcode)
	}
	return rootKeys(msg)
}

// rootKeys returns the root's DNSKEY RRset of a response.
func rootKeys(msg []byte) (*dnssec.RRset, error) {
	set := &dnssec.RRset{Owner: dname.Root(), Type: wire.TypeDNSKEY, Class: wire.ClassIN, Section: wire.Answer, TTL: 1<<31 - 1}
	eachRecord(msg, func(section wire.Section, owner dname.Name, rr *wire.RR) {
		if section != wire.Answer || !owner.IsRoot() || rr.Class != wire.ClassIN {
			return
		}
		rdata, ok := wire.UnpackRData(nil, msg, rr)
		switch {
		case !ok:
		case rr.Type == wire.TypeDNSKEY:
			set.Data = append(set.Data, rdata)
			set.TTL = min(set.TTL, rr.TTL)
		case rr.Type == wire.TypeRRSIG && len(rdata) >= 2 && wire.Type(binary.BigEndian.Uint16(rdata)) == wire.TypeDNSKEY:
			set.Sigs = append(set.Sigs, rdata)
		}
	})
	if len(set.Data) == 0 {
		return nil, errNoKeys
	}
	return set, nil
}
