package health

import (
	"context"
	"sync/atomic"
	"time"

	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/shard/worker"
)

// Options say what is judged.
type Options struct {
	Workers func() []*worker.Worker
	// Zones lists the apexes of the zones that should be served: those that have a version, and those that have none.
	Zones    func() (with, without []dname.Name)
	Settings func() Settings // in force
}

// Settings are the part of the configuration that the verdict is about.
type Settings struct {
	Timeout   time.Duration // of one look
	Local     bool          // localhost. is answered here
	Recursion bool          // it is part of the verdict
	Probe     dname.Name    // to be resolved at each look; nil: see recursion
	glance    bool          // nobody is asked or waited for
}

// Checker judges the daemon's health. Its methods are safe for concurrent use.
type Checker struct {
	o        Options
	draining atomic.Bool
	turn     chan struct{} // holds a value while nobody looks
	// Below: of who has the turn.
	last     *control.Health
	lastAt   time.Time
	subjects map[*worker.Worker]*subject
}

// fresh is how long a verdict is given again: whoever asks often costs no more than one who asks each second.
const fresh = time.Second

// New returns a Checker that has not looked yet.
func New(o Options) *Checker {
	c := &Checker{o: o, turn: make(chan struct{}, 1), subjects: map[*worker.Worker]*subject{}}
	c.turn <- struct{}{}
	return c
}

// Drain says that the daemon is about to end: from now on it is not healthy.
func (c *Checker) Drain() { c.draining.Store(true) }

// Verdict returns a verdict that is at most a second old. It takes no longer than the timeout twice: that of a look under way,
// and that of its own. It fails only when ctx ends.
func (c *Checker) Verdict(ctx context.Context) (*control.Health, error) { return c.verdict(ctx, fresh) }

// Look is Verdict for one who has to know how things are now.
func (c *Checker) Look(ctx context.Context) (*control.Health, error) { return c.verdict(ctx, 0) }

// Glance is Verdict for one who only shows it: other servers are not asked for it, and not waited for.
func (c *Checker) Glance(ctx context.Context) (*control.Health, error) {
	if err := c.take(ctx); err != nil {
		return nil, err
	}
	defer c.give()
	if c.isFresh(fresh) {
		return c.last, nil
	}
	s := c.o.Settings()
	s.glance = true
	return c.look(ctx, &s), nil
}

func (c *Checker) verdict(ctx context.Context, within time.Duration) (*control.Health, error) {
	if err := c.take(ctx); err != nil {
		return nil, err
	}
	defer c.give()
	if !c.isFresh(within) {
		// Whoever asks may give up; the verdict is for others too.
		s := c.o.Settings()
		c.last = c.look(context.WithoutCancel(ctx), &s)
		c.lastAt = time.Now()
	}
	return c.last, nil
}

// take waits for the turn to look, which give passes on.
func (c *Checker) take(ctx context.Context) error {
	select {
	case <-c.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Checker) give() { c.turn <- struct{}{} }

// isFresh tells whether the last verdict still holds.
func (c *Checker) isFresh(within time.Duration) bool {
	return c.last != nil && time.Since(c.lastAt) < within && c.draining.Load() == !c.last.Checks[0].OK
}

// look judges anew. The first check is that of service.
func (c *Checker) look(ctx context.Context, s *Settings) *control.Health {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	with, without := c.o.Zones()
	list := c.examine(ctx, s, some(with))
	h := &control.Health{Reasons: []string{}, Checks: []control.HealthCheck{c.service(), loops(list), ready(len(with), without)}}
	if len(with) > 0 {
		h.Checks = append(h.Checks, answers(list, "zone answers", func(e *exam) (string, string) { return e.zones, e.badZone }))
	}
	h.Checks = append(h.Checks, answers(list, "local answers", func(e *exam) (string, string) { return e.local, e.badLocal }))
	if s.Recursion {
		h.Checks = append(h.Checks, answers(list, "recursion", func(e *exam) (string, string) { return e.recursion, e.badRecursion }))
	}
	for _, check := range h.Checks {
		if !check.OK {
			h.Reasons = append(h.Reasons, check.Check+": "+check.Found)
		}
	}
	h.Healthy = len(h.Reasons) == 0
	return h
}

// service is the check whether the daemon goes on.
func (c *Checker) service() control.HealthCheck {
	if c.draining.Load() {
		return control.HealthCheck{Check: "service", Found: "the daemon drains"}
	}
	return control.HealthCheck{Check: "service", OK: true, Found: "goes on"}
}
