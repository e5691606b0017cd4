package supervisor

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/core/dname"
	"heimdall/shard"
	"heimdall/shard/anchors"
	"heimdall/shard/hot"
	"heimdall/shard/settings"
	"heimdall/shard/tap"
	"heimdall/shard/worker"
	"heimdall/shard/zones"
)

// change is another configuration on its way into force. Whatever of it can fail is done before anything is applied: then
// clients and operators see it all, or nothing of it.
type change struct {
	s       *Supervisor
	now     *config.Config // in force
	next    *config.Config // will be
	waiting []string       // keys that wait for a restart
	file    *config.Config // as read

	plan     *affinity.Plan
	trust    anchors.Given
	zones    *zones.Change
	hot      *hot.Change // nil: without XDP program
	tap      *tap.Change
	warnings []string
}

// newChange reads what a configuration names, and finds what in it cannot be on this machine.
func (s *Supervisor) newChange(file *config.Config) (*change, error) {
	c := &change{s: s, now: s.config(), file: settings.Fitting(file)}
	c.next, c.waiting = config.Effective(c.now, c.file)
	// What waits for a restart may contradict what does not.
	if err := c.next.Check().Err(); err != nil {
		return nil, fmt.Errorf("%w\nthat is so as long as other keys of the file wait for a restart", err)
	}
	var err error
	if c.plan, err = settings.Plan(s.machine.Again(), c.next); err != nil {
		if !reflect.DeepEqual(c.next.CPU, c.now.CPU) {
			return nil, err
		}
		// A CPU that has gone since the start is no reason to refuse all else.
		c.warnings = append(c.warnings, fmt.Sprintf("the shards stay as they are: %v", err))
		c.plan = s.planInForce()
	}
	if err := c.file.CheckShards(len(c.plan.Shards)); err != nil {
		return nil, err
	}
	if err := c.staysInside(); err != nil {
		return nil, err
	}
	c.trust, err = settings.Anchors(c.next)
	return c, err
}

// prepare does all that can fail. On an error nothing has changed; else apply or discard follows.
func (c *change) prepare(ctx context.Context) (err error) {
	s := c.s
	defer func() {
		if err != nil {
			c.discard()
		}
	}()
	if c.trust.Anchors != nil {
		if err := s.startVerifying(); err != nil {
			return fmt.Errorf("start validation: %w", err)
		}
	}
	if c.zones, err = s.zones.Prepare(ctx, settings.Zones(c.next)); err != nil {
		return fmt.Errorf("load the zones: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("load the zones: %w", err)
	}
	if c.hot, err = s.hot.Prepare(settings.HotRules(c.next)); err != nil {
		return fmt.Errorf("prepare the XDP program: %w", err)
	}
	if c.tap, err = s.tap.Prepare(settings.Tap(c.next)); err != nil {
		return err
	}
	// Last, for it is done and undone, not prepared. Shards that it starts have the old configuration, like the others.
	err = s.resize(ctx, c.plan)
	if errors.Is(err, errFixed) {
		c.next, c.waiting = config.Effective(c.now, c.file, "cpu.shards")
		c.warnings = append(c.warnings, err.Error())
		return nil
	}
	return err
}

// discard gives up what prepare has made.
func (c *change) discard() {
	if c.zones != nil {
		c.zones.Discard()
	}
	c.hot.Discard()
	c.tap.Discard()
}

// apply puts the configuration into force. It cannot fail: what is left of it is a warning. It returns the zones whose trust
// anchors have changed, and whether there are positive ones among them.
func (c *change) apply(ctx context.Context) (changed []dname.Name, positive bool) {
	s := c.s
	settled := c.zones.Apply()
	s.inForce.Store(c.next) // from now on for shards that are started
	s.journal.Configure(settings.Log(c.next))
	c.tap.Apply(shardIDs(s.workers()))
	changed, positive = s.anchors.Configure(c.trust)
	s.decide()
	s.caches.Configure(settings.Snapshot(c.next))
	if err := s.takeOver(ctx, settled, changed); err != nil {
		c.warnings = append(c.warnings, fmt.Sprintf("a shard is late: it takes the configuration over as soon as it takes commands: %v", err))
	}
	c.tap.Settle()
	// After the shards: an answer that the kernel learns from now on is of the new configuration.
	if err := c.hot.Apply(); err != nil {
		c.warnings = append(c.warnings, err.Error())
	}
	return changed, positive
}

// takeOver has the shards take over what is in force.
func (s *Supervisor) takeOver(ctx context.Context, settled func(), changed []dname.Name) (late error) {
	s.anchoring.Lock()
	defer s.anchoring.Unlock()
	list := s.workers()
	updates := make([]*update, len(list))
	for i := range updates {
		updates[i] = s.newUpdate(changed...)
	}
	late = s.tell(ctx, list, func(i int, w *worker.Worker, sh *shard.Shard) { s.bring(w, sh, updates[i]) }, settled)
	limit, cancel := context.WithTimeout(ctx, worker.CommandTime)
	defer cancel()
	if _, err := worker.FinishFlush(limit, list, make([]int, len(list))); err != nil {
		s.log.Warn("answers of the configuration before are still in memory", "error", err)
	}
	s.bare.Forget()
	s.anycast.Changed()
	return late
}
