package tap

import (
	"errors"
	"time"

	"heimdall/shard/tap/ring"
)

// Change is other settings on their way into force: Prepare, then Apply and, when the shards have taken over, Settle; or
// Discard. There is one at a time.
type Change struct {
	tap    *Tap
	to     Settings
	lines  *lines  // new, or that in force; nil: there is none
	frames *frames // likewise
}

// Prepare opens what settings name. The error says what cannot be opened; the change can be applied all the same, and what
// cannot be opened is tried again. No file goes aside before Apply.
func (t *Tap) Prepare(to Settings) (*Change, error) {
	lines, frames := t.outputs() // The rings are read on meanwhile: a disk may hang.
	c := &Change{tap: t, to: to, lines: lines, frames: frames}
	var first, second error
	if to.Lines.On && !lines.same(to.Lines) {
		c.lines, first = newLines(to.Lines, lines, &t.counts.lines, &t.o)
	}
	if to.Frames.Network != "" && !frames.same(to.Frames) {
		c.frames, second = newFrames(to.Frames, frames, &t.counts.frames, &t.o)
	}
	return c, errors.Join(first, second)
}

// Discard gives the change up.
func (c *Change) Discard() {
	if c == nil {
		return
	}
	lines, frames := c.tap.outputs()
	c.lines.discard(lines)
	c.frames.discard(frames)
}

// outputs are those in force. Only changes put others in their place.
func (t *Tap) outputs() (*lines, *frames) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lines, t.frames
}

// Apply puts the settings into force for shards that ask for their rings from now on. What has been recorded before goes
// to the old outputs; what the others still record goes to the new ones if there are any, else to the old ones.
// The rings of the shards that serve are made here: up to 1 GiB takes a while, which is none of a shard's.
func (c *Change) Apply(shards []int) {
	t := c.tap
	lines, frames := t.outputs()
	c.lines.start(lines)
	c.frames.start(frames)
	t.drain()
	t.mu.Lock()
	t.lines, t.frames = c.lines, c.frames
	if lines == nil {
		t.kernel, t.told = t.o.Kernel(), time.Now()
	}
	t.mu.Unlock()
	lines.close(c.lines)
	frames.close(c.frames)
	c.lines.refresh()
	c.frames.refresh()

	rings := c.rings(shards)
	s := &t.sources
	s.Lock()
	defer s.Unlock()
	if !c.to.on() || c.to.Ring != s.settings.Ring {
		for id, r := range s.rings {
			s.retired = append(s.retired, retired{id, r, time.Now().Add(retiredFor)})
		}
		s.rings = map[int]*ring.Ring{}
	}
	s.settings = c.to
	for id, r := range rings {
		if s.rings[id] == nil {
			t.add(id, r)
		}
	}
}

// rings makes those that shards do not have yet.
func (c *Change) rings(shards []int) map[int]*ring.Ring {
	made := map[int]*ring.Ring{}
	if !c.to.on() {
		return made
	}
	s := &c.tap.sources
	for _, id := range shards {
		s.Lock()
		need := s.rings[id] == nil || c.to.Ring != s.settings.Ring
		s.Unlock()
		if need {
			made[id] = ring.New(c.to.Ring, c.tap.wake)
		}
	}
	return made
}

// drain writes what has been recorded by now, within some time.
func (t *Tap) drain() {
	list := t.list()
	for end := time.Now().Add(patience); t.pass(list) && time.Now().Before(end); {
	}
}

// Settle ends the outputs that are switched off, when the shards have taken the settings over.
func (c *Change) Settle() {
	t := c.tap
	t.drain()
	lines, frames := t.outputs()
	t.mu.Lock()
	if !c.to.Lines.On {
		t.lines = nil
	}
	if c.to.Frames.Network == "" {
		t.frames = nil
	}
	t.mu.Unlock()
	lines.close(t.lines)
	frames.close(t.frames)
}
