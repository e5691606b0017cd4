package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"heimdall/core/control"
)

// Control sequences of every terminal in use: to the upper left corner and clear
// from there; hide and show the cursor.
const (
	screenClear = "\x1b[H\x1b[J"
	cursorHide  = "\x1b[?25l"
	cursorShow  = "\x1b[?25h"
)

func (t *tool) topCommand() *cobra.Command {
	var interval time.Duration
	var times int
	top := &cobra.Command{
		Use:               "top",
		Short:             "Watch the shards live; q quits",
		Long:              "Watch the shards live: rates and service times of each interval. q quits.\nWhen the output is not a terminal, one table follows the other.",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if interval < 100*time.Millisecond || times < 0 {
				return &usageError{"-interval must be at least 100ms and -iterations not negative", cmd.CommandPath()}
			}
			return t.top(cmd.Context(), interval, times)
		},
	}
	top.Flags().DurationVar(&interval, "interval", time.Second, "time between two tables")
	top.Flags().IntVarP(&times, "iterations", "n", 0, "quit after so many tables; 0: never")
	return top
}

// top shows tables until the user quits or times of them were shown.
func (t *tool) top(ctx context.Context, interval time.Duration, times int) error {
	var keys <-chan byte
	if !t.json {
		var restore func()
		keys, restore = t.env.terminal()
		defer restore()
	}
	screen := keys != nil
	if screen {
		io.WriteString(t.env.out, cursorHide)
		defer io.WriteString(t.env.out, cursorShow)
	}
	prev, err := t.sample(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	for i := 0; times == 0 || i < times; i++ {
		if quit := wait(ctx, t.env.after(interval), keys); quit {
			return nil
		}
		now, err := t.sample(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := t.showTop(newRates(prev, now), screen, i > 0); err != nil {
			return err
		}
		prev = now
	}
	return nil
}

// wait returns when the interval is over, or with true when the user wants to quit.
func wait(ctx context.Context, over <-chan time.Time, keys <-chan byte) (quit bool) {
	for {
		select {
		case <-over:
			return false
		case <-ctx.Done():
			return true
		case key := <-keys:
			if key == 'q' || key == 'Q' {
				return true
			}
		}
	}
}

// sample asks for everything that top shows.
func (t *tool) sample(ctx context.Context) (*sample, error) {
	status, err := fetch[control.Status](ctx, t, control.CommandStatus)
	if err != nil {
		return nil, err
	}
	shards, err := fetch[control.Shards](ctx, t, control.CommandShards)
	if err != nil {
		return nil, err
	}
	return &sample{status, shards.Shards}, nil
}

func (t *tool) showTop(r *rates, screen, again bool) error {
	if t.json {
		return t.printLine(r)
	}
	if screen {
		if _, err := io.WriteString(t.env.out, screenClear); err != nil {
			return err
		}
	}
	return t.printText(func(w io.Writer) {
		if again && !screen {
			fmt.Fprintln(w)
		}
		showRates(w, r)
	})
}

func showRates(w io.Writer, r *rates) {
	all := &r.Total
	fmt.Fprintf(w, "heimdalld %s, process %d, up %s, %d of %d shards running\n", r.Version, r.PID, uptime(r.UptimeSeconds), r.ShardsRunning, r.Shards)
	fmt.Fprintf(w, "%s queries/s, %s replies/s, %s hits, %s drops/s, %s in flight, %s cache entries\n\n",
		rate(all.Queries), rate(all.Replies), percent(all.HitRatio), rate(all.Drops), count(all.InFlight), count(r.CacheEntries))
	if x := r.XDP; x != nil {
		fmt.Fprintf(w, "in the kernel: %s answered/s, %s dropped/s, %s passed/s\n\n", rate(x.Answered), rate(x.Dropped), rate(x.Passed))
	}
	tab := table{right: true}
	tab.row("SHARD", "CPU", "STATE", "QUERIES/S", "REPLIES/S", "HITS", "MISSES/S", "SERVFAIL/S", "DROPS/S", "IN FLIGHT", "BATCH", "P50", "P90", "P99", "P99.9", "CACHE")
	row := func(id, cpu string, state control.ShardState, s *shardRates) {
		tab.row(id, cpu, state, rate(s.Queries), rate(s.Replies), percent(s.HitRatio), rate(s.Misses), rate(s.ServFail), rate(s.Drops), count(s.InFlight),
			fmt.Sprintf("%.1f", s.Batch), us(s.P50Us), us(s.P90Us), us(s.P99Us), us(s.P999Us), bytesText(s.MemoryBytes))
	}
	for i := range r.PerShard {
		s := &r.PerShard[i]
		row(fmt.Sprint(s.ID), orDash(s.CPU), s.State, s)
	}
	if len(r.PerShard) > 1 {
		row("all", "", "", all)
	}
	tab.write(w)
	for _, warning := range r.Warnings {
		fmt.Fprintln(w, "warning:", warning)
	}
}

// rate writes events a second; small ones with a decimal, for they matter too.
func rate(v float64) string {
	if v > 0 && v < 99.95 {
		return fmt.Sprintf("%.1f", v)
	}
	return count(uint64(v + 0.5))
}
