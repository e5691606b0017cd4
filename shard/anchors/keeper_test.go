package anchors

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// shards count what a Keeper gives them, and let it ask a root zone.
type shards struct {
	zone  *rootZone
	asked chan struct{}
	given atomic.Int32
	zones []dname.Name
}

func newKeeper(t *testing.T) (*Keeper, *shards) {
	t.Helper()
	s := &shards{zone: newRootZone(t, "one", "two"), asked: make(chan struct{}, 64)}
	k := New(Options{
		Ask: func(ctx context.Context) ([]byte, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			msg, err := s.zone.ask(ctx)
			s.asked <- struct{}{}
			return msg, err
		},
		Give: func(_ context.Context, changed ...dname.Name) (uint64, error) {
			s.given.Add(1)
			s.zones = append(s.zones, changed...)
			return 7, nil
		},
		GiveRoot: func(context.Context) error { s.given.Add(1); return nil },
		Memo:     func() dnssec.Memo { return nil },
		Wall:     func() int64 { return s.zone.now },
		Log:      slog.New(slog.DiscardHandler),
	})
	t.Cleanup(k.Close)
	return k, s
}

// rootGiven are the anchors of a configuration with the key one, and a state file.
func (s *shards) rootGiven(state string) Given {
	return Given{Anchors: []dnssec.Anchor{{Zone: dname.Root(), DS: s.zone.seed("one")}}, State: state}
}

func (s *shards) wait(t *testing.T, what string) {
	t.Helper()
	select {
	case <-s.asked:
	case <-time.After(30 * time.Second):
		t.Fatalf("the root is not asked %s", what)
	}
}

// The update begins when shards serve, ends when validation goes off, and begins anew when it comes back.
func TestKeeperRunsTheUpdate(t *testing.T) {
	k, s := newKeeper(t)
	if k.Set() != nil || k.Snapshot().Validation {
		t.Error("something is validated before Configure")
	}
	given := s.rootGiven(filepath.Join(t.TempDir(), "root.keys"))
	if changed, positive := k.Configure(given); changed != nil || positive {
		t.Errorf("the first anchors are told as changed: %v, %v", changed, positive)
	}
	if k.Set() == nil || k.Snapshot().Update == nil {
		t.Error("nothing is validated after Configure")
	}
	if len(s.asked) != 0 {
		t.Error("the root is asked before Run")
	}
	k.Run()
	s.wait(t, "after Run")
	k.Configure(Given{})
	if k.Set() != nil || k.Snapshot().Update != nil {
		t.Error("something is validated without anchors")
	}
	s.zone.now += 40 * 86400
	k.Configure(given)
	s.wait(t, "after validation came back")
	k.Close()
	k.Configure(Given{})
	k.Configure(given)
	if len(s.asked) != 0 {
		t.Error("the root is asked after Close")
	}
}

// Other positive anchors take the place of what the update has learned; other negative ones leave it.
func TestKeeperChanges(t *testing.T) {
	k, s := newKeeper(t)
	given := s.rootGiven("")
	k.Configure(given)
	k.inForce.setRoot(dnssec.Anchor{Zone: dname.Root(), DS: s.zone.seed("two")})
	tag := func() uint16 { return k.Snapshot().Positive[0].Keys[0].Tag }
	learned := tag()
	corp := dname.Name("\x04corp\x00")
	given.Anchors = append(given.Anchors, dnssec.Anchor{Zone: corp, Negative: true})
	if changed, positive := k.Configure(given); len(changed) != 1 || !dname.Equal(changed[0], corp) || positive || tag() != learned {
		t.Errorf("another negative anchor: %v, %v, key %d instead of %d", changed, positive, tag(), learned)
	}
	given.Anchors = []dnssec.Anchor{{Zone: dname.Root(), DS: s.zone.seed("one")}, {Zone: corp, DS: s.zone.seed("one")}}
	if changed, positive := k.Configure(given); len(changed) != 2 || !positive || tag() == learned {
		t.Errorf("a positive anchor instead: %v, %v, key %d", changed, positive, tag())
	}
}

// Commands are given to the shards, with the zones they are about; without validation they are errors.
func TestKeeperCommands(t *testing.T) {
	k, s := newKeeper(t)
	zone := dname.Name("\x07example\x00")
	_, err := k.Add(t.Context(), zone)
	if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != control.CodeUnavailable {
		t.Errorf("without validation: %v", err)
	}
	k.Configure(s.rootGiven(""))
	for _, do := range []func(context.Context, dname.Name) (*control.NTAList, error){k.Add, k.Remove} {
		before := s.given.Load()
		if list, err := do(t.Context(), zone); err != nil || list.Flushed != 7 || s.given.Load() != before+1 || !dname.Equal(s.zones[len(s.zones)-1], zone) {
			t.Errorf("%+v, %v, given for %v", list, err, s.zones)
		}
	}
	if _, err := k.Remove(t.Context(), zone); err == nil || s.given.Load() != 2 {
		t.Errorf("removed twice: %v", err)
	}
}
