package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"heimdall/core/control"
)

func (t *tool) status(ctx context.Context) error {
	_, err := ask(ctx, t, control.CommandStatus, nil, showStatus)
	return err
}

func showStatus(w io.Writer, s *control.Status) {
	fmt.Fprintf(w, "heimdalld %s, process %d, up %s\n", s.Version, s.PID, uptime(s.UptimeSeconds))
	config := s.Config
	if config == "" {
		config = "built-in defaults"
	}
	c := &s.Totals
	var tab table
	tab.row("configuration", config)
	if len(s.Files) > 1 {
		tab.row("with", strings.Join(s.Files[1:], " "))
	}
	tab.row("listening on", strings.Join(s.Listen, " "))
	if s.Backend != "" {
		tab.row("packets", s.Backend)
	}
	tab.row("shards", fmt.Sprintf("%d of %d running", s.ShardsRunning, s.Shards))
	tab.row("health", healthText(&s.Health))
	if s.Anycast != nil {
		tab.row("anycast", anycastText(s.Anycast))
	}
	tab.row("queries", fmt.Sprintf("%s, %s of them over TCP", count(c.Queries), count(c.TCPQueries)))
	tab.row("replies", count(c.Replies)+": "+countsText(c.Rcodes))
	tab.row("cache", fmt.Sprintf("%s hit ratio, %s stale hits, %s entries", percent(c.HitRatio), count(c.StaleHits), count(s.CacheEntries)))
	tab.row("in flight", count(s.InFlight))
	tab.row("drops", countsText(drops(c)))
	if c.Slipped > 0 {
		tab.row("slipped", count(c.Slipped)+" queries above the rate got TC")
	}
	if len(c.Limited) > 0 {
		tab.row("limited", countsText(c.Limited))
	}
	if s.XDP != nil {
		tab.row("in the kernel", xdpText(s.XDP))
	}
	if s.Records != nil {
		tab.row("query log", outputText(&s.Records.QueryLog, "lines", "the file cannot be written to"))
		tab.row("dnstap", outputText(&s.Records.Dnstap, "messages", "no reader takes them"))
	}
	if len(c.Unrecorded) > 0 {
		tab.row("not recorded", countsText(c.Unrecorded))
	}
	tab.row("service time", latencyText(&s.ServiceTime))
	if s.Snapshot != nil {
		tab.row("kept caches", snapshotText(s.Snapshot, time.Now()))
	}
	if s.MemoryBytes > 0 {
		tab.row("memory", bytesText(s.MemoryBytes))
	}
	if s.Log.Held+s.Log.Dropped > 0 {
		tab.row("log", fmt.Sprintf("%s lines; %s more like others were left out, %s found no reader", count(s.Log.Lines), count(s.Log.Held), count(s.Log.Dropped)))
	}
	tab.row("sandbox", s.Sandbox)
	tab.write(w)
	if p := s.Snapshot; p != nil && p.LastFail != "" {
		fmt.Fprintf(w, "warning: the caches cannot be written to %s: %s\n", p.File, p.LastFail)
	}
	for _, warning := range s.Warnings {
		fmt.Fprintln(w, "warning:", warning)
	}
}

// snapshotText tells about the file that keeps the caches.
func snapshotText(p *control.Snapshot, now time.Time) string {
	text := "not written yet"
	if p.SavedAt != 0 {
		text = fmt.Sprintf("%s entries in %s, written %s ago in %s", count(p.SavedEntries), bytesText(uint64(p.SavedBytes)),
			uptime(now.Sub(time.Unix(p.SavedAt, 0)).Seconds()), uptime(p.SaveSeconds))
	}
	switch {
	case p.Loading:
		text += "; those of before are being taken over"
	case p.LoadedEntries > 0:
		text += fmt.Sprintf("; %s entries taken over at the start", count(p.LoadedEntries))
	}
	if p.LoadNote != "" {
		text += "; at the start: " + p.LoadNote
	}
	return text
}

// outputText says where what is recorded goes, and what became of it.
func outputText(o *control.Output, items, broken string) string {
	text := "off"
	if o.To != "" {
		text = "to " + o.To
	}
	if o.Broken {
		text += ": " + broken
	}
	text += fmt.Sprintf("; %s %s written", count(o.Written), items)
	if o.Failed > 0 {
		text += fmt.Sprintf(", %s lost in writing", count(o.Failed))
	}
	if o.Limited > 0 {
		text += fmt.Sprintf(", %s above max_per_second", count(o.Limited))
	}
	return text
}

// drops returns all drop counters, the kernel's included.
func drops(c *control.Counters) map[string]uint64 {
	all := map[string]uint64{"kernel": c.KernelDrops, "send": c.SendDrops}
	for reason, n := range c.Drops {
		all[reason] += n
	}
	return all
}

func latencyText(l *control.Latency) string {
	if l.Count == 0 {
		return "-"
	}
	return fmt.Sprintf("P50 %s, P90 %s, P99 %s, P99.9 %s, max %s", us(l.P50Us), us(l.P90Us), us(l.P99Us), us(l.P999Us), us(l.MaxUs))
}
