package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"heimdall/core/control"
)

func (t *tool) upstreams(ctx context.Context) error {
	_, err := ask(ctx, t, control.CommandUpstreams, nil, showUpstreams)
	return err
}

func showUpstreams(w io.Writer, u *control.Upstreams) {
	if len(u.Groups) == 0 {
		fmt.Fprintln(w, "no upstream servers are configured")
		return
	}
	var tab table
	tab.row("ZONE", "KIND", "SERVER", "STATE", "RTT", "IN FLIGHT", "QUERIES", "RESPONSES", "TIMEOUTS", "FAILURES", "MISMATCHES", "TRUNCATED", "NOTES")
	for _, g := range u.Groups {
		for i := range g.Servers {
			s := &g.Servers[i]
			tab.row(g.Zone, g.Kind, s.Address, s.State, us(s.SRTTUs), s.InFlight, count(s.Queries), count(s.Responses), count(s.Timeouts),
				count(s.Failures), count(s.Mismatches), count(s.Truncated), upstreamNotes(s))
		}
	}
	tab.write(w)
}

// upstreamNotes says what the columns do not.
func upstreamNotes(s *control.Upstream) string {
	notes, sep := "", ""
	add := func(format string, args ...any) {
		notes += sep + fmt.Sprintf(format, args...)
		sep = "; "
	}
	if s.ShardsDown > 0 && s.State != control.UpstreamDown {
		add("down for %d shards", s.ShardsDown)
	}
	if s.NextProbeMs > 0 {
		add("next probe in %s", time.Duration(s.NextProbeMs)*time.Millisecond)
	}
	if s.NoEDNS {
		add("no EDNS")
	}
	switch {
	case s.DNSSEC == "no":
		add("removes DNSSEC: %s; use another, or set recursion.validation = false and reload", s.Bare)
	case s.Bare != "":
		add("%s", s.Bare)
	}
	if s.LastError != "" {
		add("%s", s.LastError)
	}
	return notes
}

func (t *tool) reload(ctx context.Context) error {
	_, err := ask(ctx, t, control.CommandReload, nil, showReload)
	return err
}

func showReload(w io.Writer, r *control.Reload) {
	fmt.Fprintln(w, "read", r.Config)
	if len(r.Applied)+len(r.NeedsRestart)+len(r.Zones)+len(r.Warnings) == 0 {
		fmt.Fprintln(w, "nothing has changed")
	}
	for _, key := range r.Applied {
		fmt.Fprintln(w, "  in force now:", key)
	}
	for _, zone := range r.Zones {
		fmt.Fprintln(w, "  loaded anew: zone", zone)
	}
	for _, key := range r.NeedsRestart {
		fmt.Fprintln(w, "  needs a restart:", key)
	}
	for _, warning := range r.Warnings {
		fmt.Fprintln(w, "warning:", warning)
	}
}
