package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"heimdall/affinity"
	"heimdall/core"
	"heimdall/core/config"
	"heimdall/core/control"
	"heimdall/core/dnssec"
	"heimdall/shard"
)

// Reload implements control.Server: it reads the configuration file again and applies what can change while
// the shards run. The sockets, the queries in flight and the cache stay. A file with an error changes
// nothing. The file of a zone is not part of it: one with an error is a warning, as at the start.
func (s *Supervisor) Reload(ctx context.Context) (*control.Reload, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	next, warnings, err := LoadConfig(s.path)
	var plan *affinity.Plan
	var anchors []dnssec.Anchor
	if err == nil {
		next = fitting(next)
		plan, err = s.planNext(next)
	}
	if err == nil {
		anchors, err = loadAnchors(next)
	}
	if err != nil {
		return nil, &control.Error{
			Code:    control.CodeInvalidConfig,
			Message: "the configuration file has errors; nothing was changed",
			Hint:    "correct it and reload again; `heimdalld -check -config " + s.path + "` looks at it without touching the daemon",
			Details: strings.Split(err.Error(), "\n"),
		}
	}
	s.mu.Lock()
	current, started := s.cfg, s.running
	s.cfg = next
	s.mu.Unlock()
	out := &control.Reload{Config: s.path}
	// After the shards, and whatever becomes of the rest: the kernel must not go on with other limits than they have.
	defer func() {
		if err := s.xdp.reload(next); err != nil {
			out.Warnings = append(out.Warnings, err.Error())
		}
	}()
	for _, change := range config.Diff(current, next) {
		if change.Reload {
			out.Applied = append(out.Applied, change.Key)
		}
	}
	for _, change := range config.Diff(started, next) {
		if !change.Reload {
			out.NeedsRestart = append(out.NeedsRestart, change.Key)
		}
	}
	for _, w := range warnings {
		out.Warnings = append(out.Warnings, w.Error())
	}
	changed, file, err := s.changeAnchors(next, anchors)
	if err != nil {
		return nil, fmt.Errorf("start validation: %w", err)
	}
	if key := "recursion.trust_anchors"; file && !slices.Contains(out.Applied, key) {
		out.Applied = append(out.Applied, key)
	}
	// A shard that is being started again takes the new configuration by itself, and one that is started now too.
	if err := s.resize(ctx, plan); err != nil {
		out.Applied = slices.DeleteFunc(out.Applied, func(key string) bool { return key == "cpu.shards" })
		if errors.Is(err, errFixed) {
			out.NeedsRestart = append(out.NeedsRestart, "cpu.shards")
		}
		out.Warnings = append(out.Warnings, err.Error())
	}
	// Tables are built here, one for each shard: a shard only takes them.
	list := s.workers()
	tables := make([]core.Rules, len(list))
	for i := range tables {
		tables[i] = rules(next, started)
		tables[i].Limiter = s.limiter(next)
	}
	limit, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	err = eachServing(limit, list, func(i int, _ *worker, sh *shard.Shard) { apply(sh, next, tables[i]) })
	if err == nil {
		_, err = s.giveAnchors(limit, changed...)
	}
	if err != nil {
		return nil, fmt.Errorf("apply the configuration: %w", err)
	}
	if err := finishFlush(limit, list, make([]int, len(list))); err != nil {
		s.log.Warn("answers of other routes than the present ones are still in memory", "error", err)
	}
	s.bare.forget()
	before := s.zones.versions()
	if err := s.zones.configure(ctx, zonesOf(next), routed(next, started)...); err != nil {
		return nil, fmt.Errorf("apply the zones: %w", err)
	}
	out.Zones = s.zones.loadedSince(before)
	out.Warnings = append(out.Warnings, s.zones.failures()...)
	return out, nil
}

// apply gives a shard the rules of a configuration. It runs on the shard's thread.
func apply(sh *shard.Shard, c *config.Config, r core.Rules) {
	e := sh.Engine()
	r.KeepAlive = e.KeepAlive // the shard's own: what its TCP server tells
	r.Limiter.TakeOver(e.Limiter)
	e.SetRules(r)
	e.SetGroups(groups(c))
	e.Answers().SetLimits(answersOptions(c, nil))
	sh.SetShedAfter(c.IO.ShedAfter)
}

// ReloadAndLog is Reload for a signal, which has nobody to answer to.
func (s *Supervisor) ReloadAndLog(ctx context.Context) {
	r, err := s.Reload(ctx)
	logReload(s.log.With("by", "SIGHUP"), r, err)
}

// describe is an error in one line with its details, which its text alone leaves out.
func describe(err error) string {
	if e, ok := errors.AsType[*control.Error](err); ok && len(e.Details) > 0 {
		return e.Message + ": " + strings.Join(e.Details, "; ")
	}
	return err.Error()
}
