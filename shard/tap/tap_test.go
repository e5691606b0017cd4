package tap

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"heimdall/shard/tap/ring"
)

// newTap returns a Tap that logs nothing.
func newTap(t *testing.T) *Tap {
	none := slog.New(slog.DiscardHandler)
	tap := New(Options{Epoch: time.Now(), Kernel: func() uint64 { return 0 }, Log: none, Lines: none})
	t.Cleanup(tap.Close)
	return tap
}

// A change makes the rings of the shards, so that these only look them up.
func TestApplyMakesRings(t *testing.T) {
	t.Parallel()
	tap := newTap(t)
	apply := func(size int) {
		c, err := tap.Prepare(Settings{Ring: size, Lines: LineSettings{On: size > 0}})
		if err != nil {
			t.Fatal(err)
		}
		c.Apply([]int{0, 1})
		c.Settle()
	}
	var before *ring.Ring
	for _, size := range []int{ring.MinSize, 2 * ring.MinSize, 2 * ring.MinSize} {
		apply(size)
		made := tap.sources.rings[1]
		if got, _ := tap.Ring(1); made == nil || got != made || got.Size() != size {
			t.Errorf("%d bytes: a ring is made, %v, and another one given", size, made != nil)
		}
		if before != nil && (before == made) != (before.Size() == size) {
			t.Errorf("%d bytes after %d", size, before.Size())
		}
		before = made
	}
	if apply(0); len(tap.sources.rings) > 0 {
		t.Error("rings are kept for nothing")
	}
}

// Whether an output fails is told of the one in force, not of one before it or of one that was refused.
func TestStatsOfTheOutputInForce(t *testing.T) {
	t.Parallel()
	gone := filepath.Join(t.TempDir(), "gone", "file")
	daemon := Settings{Lines: LineSettings{On: true}}
	for name, bad := range map[string]Settings{
		"lines":  {Lines: LineSettings{On: true, File: gone}},
		"frames": {Lines: LineSettings{On: true}, Frames: FrameSettings{Network: "file", Address: gone}},
	} {
		tap := newTap(t)
		fails := func() bool { s := tap.Stats(); return s.Lines.Broken || s.Frames.Broken }
		to := func(s Settings, apply bool) {
			c, err := tap.Prepare(s)
			if (err != nil) != (s.Lines.File != "" || s.Frames.Network != "") {
				t.Errorf("%s: %v", name, err)
			}
			if !apply {
				c.Discard()
				return
			}
			c.Apply(nil)
			c.Settle()
		}
		if to(bad, false); fails() {
			t.Errorf("%s: broken after a change that was given up", name)
		}
		if to(bad, true); !fails() {
			t.Errorf("%s: not broken", name)
		}
		if to(daemon, true); fails() {
			t.Errorf("%s: broken after another output has taken its place", name)
		}
	}
}
