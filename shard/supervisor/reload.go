package supervisor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"heimdall/core/config"
	"heimdall/core/control"
	"heimdall/shard/admin"
	"heimdall/shard/settings"
)

// Reload reads the configuration file again and applies what can change while
// the shards run. The sockets, the queries in flight and the cache stay. It is all or nothing: on an error the old
// configuration is in force as a whole, and the file can be reloaded once the cause is mended. The file of a zone is not
// part of it: one with an error is a warning, as at the start.
func (s *Supervisor) Reload(ctx context.Context) (out *control.Reload, err error) {
	// Who asked by a signal waits for the news of it, whatever comes of it.
	s.tellReloading(true)
	defer s.tellReloading(false)
	busy := control.Errorf(control.CodeUnavailable, "an upgrade is under way: the new process reads the configuration itself")
	if s.upgrading.Load() {
		return nil, busy
	}
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.isReplaced() {
		return nil, busy
	}
	defer func() { s.refused.Store(err != nil) }()
	c, problems, err := s.readChange()
	if err != nil {
		return nil, err
	}
	if err := c.prepare(ctx); err != nil {
		return nil, &control.Error{
			Code:    control.CodeUnavailable,
			Message: "the configuration could not be put into force; nothing was changed",
			Hint:    "mend the cause and reload again: the same file is then applied",
			Details: strings.Split(err.Error(), "\n"),
		}
	}
	out = &control.Reload{Config: s.path}
	_, anchors := c.apply(ctx)
	if err := s.zones.Move(ctx, shardNodes(s.planInForce())); err != nil {
		c.warnings = append(c.warnings, fmt.Sprintf("shards use zones in the memory of another NUMA node: %v", err))
	}
	for _, d := range config.Diff(c.now, c.next) {
		out.Applied = append(out.Applied, d.Key)
	}
	if key := "recursion.trust_anchors"; anchors && !slices.Contains(out.Applied, key) {
		out.Applied = append(out.Applied, key)
	}
	out.NeedsRestart = c.waiting
	for _, p := range problems {
		out.Warnings = append(out.Warnings, p.Error())
	}
	out.Warnings = append(out.Warnings, c.warnings...)
	out.Zones = c.zones.Loaded()
	out.Warnings = append(out.Warnings, s.zones.Failures()...)
	return out, nil
}

// readChange reads the configuration that a reload would put into force, with its warnings.
func (s *Supervisor) readChange() (*change, config.Problems, error) {
	file, problems, err := settings.Load(s.path)
	var c *change
	if err == nil {
		c, err = s.newChange(file)
	}
	if err != nil {
		return nil, nil, &control.Error{
			Code:    control.CodeInvalidConfig,
			Message: "the configuration file has errors; nothing was changed",
			Hint:    "correct it and reload again; `heimdalld -check -config " + s.path + "` looks at it without touching the daemon",
			Details: strings.Split(err.Error(), "\n"),
		}
	}
	return c, problems, nil
}

// ReloadAndLog is Reload for a signal, which has nobody to answer to.
func (s *Supervisor) ReloadAndLog(ctx context.Context) {
	r, err := s.Reload(ctx)
	admin.LogReload(s.log.With("by", "SIGHUP"), r, err)
}
