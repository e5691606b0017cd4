package admin

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"heimdall/core/control"
	"heimdall/shard/journal"
)

// deeds is the server of one admin connection. It logs each command that changes the daemon, and who gave it.
type deeds struct {
	control.Server
	log   *slog.Logger // with the peer
	owner bool         // the peer is root, or the daemon's own user
	door  *door
}

// newDeeds makes the server of a connection whose peer the kernel calls peer.
func newDeeds(s control.Server, log *slog.Logger, p peer, d *door) deeds {
	return deeds{s, journal.Whole(log).With(slog.String("by", "admin socket"), p.Attr), p.owner, d}
}

// note logs how a command went.
func (d deeds) note(what, failure string, err error, args ...any) {
	if err != nil {
		d.log.Error(failure, append(args, "error", err)...)
		return
	}
	d.log.Info(what, args...)
}

// Reload implements control.Server.
func (d deeds) Reload(ctx context.Context) (*control.Reload, error) {
	r, err := d.Server.Reload(ctx)
	LogReload(d.log, r, err)
	return r, err
}

// Upgrade implements control.Server. The admin socket's group may look and reload; a new process is started by those alone who
// could also start the daemon.
func (d deeds) Upgrade(ctx context.Context, args control.UpgradeArgs) (*control.Upgrade, error) {
	if !d.owner {
		d.log.Warn("refused an upgrade")
		return nil, &control.Error{Code: control.CodeForbidden, Message: "only root and the daemon's own user may upgrade it", Hint: "run heimdallctl as root"}
	}
	d.log.Info("upgrading")
	r, err := d.Server.Upgrade(ctx, args)
	if err != nil {
		d.log.Error("not upgraded", "error", describe(err))
		return nil, err
	}
	d.log.Info("upgraded", "pid", r.PID, "version", r.Version, "took_seconds", r.TookSeconds)
	return r, nil
}

// CacheFlush implements control.Server.
func (d deeds) CacheFlush(ctx context.Context, args control.CacheFlushArgs) (*control.CacheFlush, error) {
	leave, err := d.door.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	r, err := d.Server.CacheFlush(ctx, args)
	what := []any{"name", "all"}
	if args.Name != "" {
		what = []any{"name", args.Name, "subtree", args.Subtree}
	}
	if err == nil {
		what = append(what, "removed", r.Removed)
	}
	d.note("flushed the cache", "the cache was not flushed", err, what...)
	return r, err
}

// ZoneReload implements control.Server.
func (d deeds) ZoneReload(ctx context.Context, args control.ZoneReloadArgs) (*control.ZoneList, error) {
	leave, err := d.door.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	r, err := d.Server.ZoneReload(ctx, args)
	name := args.Name
	if name == "" {
		name = "all"
	}
	d.note("reloaded zones", "zones were not reloaded", err, "zone", name)
	return r, err
}

// NTAAdd implements control.Server.
func (d deeds) NTAAdd(ctx context.Context, args control.NTAArgs) (*control.NTAList, error) {
	leave, err := d.door.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	r, err := d.Server.NTAAdd(ctx, args)
	d.note("added a negative trust anchor", "no negative trust anchor was added", err, "zone", args.Name)
	return r, err
}

// NTARemove implements control.Server.
func (d deeds) NTARemove(ctx context.Context, args control.NTAArgs) (*control.NTAList, error) {
	leave, err := d.door.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	r, err := d.Server.NTARemove(ctx, args)
	d.note("removed a negative trust anchor", "no negative trust anchor was removed", err, "zone", args.Name)
	return r, err
}

// Profile implements control.Server.
func (d deeds) Profile(ctx context.Context, args control.ProfileArgs) (*control.Profile, error) {
	p, err := d.Server.Profile(ctx, args)
	what := []any{"kind", string(args.Kind), "seconds", args.Seconds}
	if err == nil {
		what = append(what, "bytes", len(p.Octets))
	}
	d.note("took a profile", "no profile was taken", err, what...)
	return p, err
}

// Tuned implements control.Server.
func (d deeds) Tuned(ctx context.Context, args control.TunedArgs) (*control.Tuned, error) {
	r, err := d.Server.Tuned(ctx, args)
	d.note("this machine was tuned", "this machine was not tuned", err, "changes", args.Changes, "failed", args.Failed)
	return r, err
}

// LogReload logs how a reload went, in one line and one for each warning.
func LogReload(log *slog.Logger, r *control.Reload, err error) {
	if err != nil {
		log.Error("not reloaded", "error", describe(err))
		return
	}
	log = journal.Whole(log)
	for _, w := range r.Warnings {
		log.Warn("reloaded, but: " + w)
	}
	log.Info("reloaded", "applied", r.Applied, "needs_restart", r.NeedsRestart, "zones", r.Zones)
}

// describe is an error in one line with its details, which its text alone leaves out.
func describe(err error) string {
	if e, ok := errors.AsType[*control.Error](err); ok && len(e.Details) > 0 {
		return e.Message + ": " + strings.Join(e.Details, "; ")
	}
	return err.Error()
}
