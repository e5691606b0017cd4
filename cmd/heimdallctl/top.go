package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"heimdall/core/control"
)

func (t *tool) topCommand() *cobra.Command {
	var interval time.Duration
	var times int
	top := &cobra.Command{
		Use:   "top",
		Short: "Watch the shards live; q quits, h helps",
		Long: "Watch the shards live: rates and service times of each interval. q quits, h or ? tells the keys and what the columns mean.\n" +
			"A narrow terminal shows the columns that matter most. When the output is not a terminal, one table follows the other.",
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
	var s *screen
	if keys != nil {
		s = &screen{out: t.env.out, size: t.env.size}
		io.WriteString(t.env.out, cursorHide)
		defer func() { io.WriteString(t.env.out, "\n"+cursorShow) }() // below what is shown
	}
	prev, err := t.sample(ctx)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	for i := 0; times == 0 || i < times; i++ {
		if quit := wait(ctx, t.env.after(interval), keys, s); quit {
			return nil
		}
		now, err := t.sample(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := t.showTop(newRates(prev, now), s, i > 0); err != nil {
			return err
		}
		prev = now
	}
	return nil
}

// wait returns when the interval is over, or with true when the user wants to quit.
func wait(ctx context.Context, over <-chan time.Time, keys <-chan byte, s *screen) (quit bool) {
	for {
		select {
		case <-over:
			return false
		case <-ctx.Done():
			return true
		case key := <-keys:
			if s.press(key) {
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

func (t *tool) showTop(r *rates, s *screen, again bool) error {
	if t.json {
		return t.printLine(r)
	}
	if s != nil {
		return s.show(r)
	}
	return t.printText(func(w io.Writer) {
		if again {
			fmt.Fprintln(w)
		}
		for _, line := range topHead(r) {
			fmt.Fprintln(w, line+"\n")
		}
		topTable(r, topColumns).write(w)
		for _, warning := range r.Warnings {
			fmt.Fprintln(w, "warning:", warning)
		}
	})
}

// topHead is what stands above the table, in lines that belong together.
func topHead(r *rates) []string {
	all := &r.Total
	lines := []string{fmt.Sprintf("heimdalld %s, process %d, up %s, %d of %d shards running\n%s queries/s, %s replies/s, %s hits, %s drops/s, %s in flight, %s cache entries",
		r.Version, r.PID, uptime(r.UptimeSeconds), r.ShardsRunning, r.Shards,
		rate(all.Queries), rate(all.Replies), percent(all.HitRatio), rate(all.Drops), count(all.InFlight), count(r.CacheEntries))}
	if x := r.XDP; x != nil {
		lines = append(lines, fmt.Sprintf("in the kernel: %s answered/s, %s dropped/s, %s passed/s", rate(x.Answered), rate(x.Dropped), rate(x.Passed)))
	}
	return lines
}

// topColumn is a column of the table.
type topColumn struct {
	name string
	// rank orders the columns by what they are worth where not all of them fit: 0 is the first.
	rank int
	cell func(s *shardRates) string
}

// topColumns are all columns in their order.
var topColumns = []topColumn{
	{"SHARD", 0, func(s *shardRates) string { return orAll(s.ID) }},
	{"CPU", 9, func(s *shardRates) string {
		if s.ID < 0 {
			return ""
		}
		return orDash(s.CPU)
	}},
	{"STATE", 8, func(s *shardRates) string { return string(s.State) }},
	{"QUERIES/S", 1, func(s *shardRates) string { return rate(s.Queries) }},
	{"REPLIES/S", 7, func(s *shardRates) string { return rate(s.Replies) }},
	{"HITS", 2, func(s *shardRates) string { return percent(s.HitRatio) }},
	{"MISSES/S", 10, func(s *shardRates) string { return rate(s.Misses) }},
	{"SERVFAIL/S", 5, func(s *shardRates) string { return rate(s.ServFail) }},
	{"DROPS/S", 4, func(s *shardRates) string { return rate(s.Drops) }},
	{"IN FLIGHT", 6, func(s *shardRates) string { return count(s.InFlight) }},
	{"BATCH", 15, func(s *shardRates) string { return fmt.Sprintf("%.1f", s.Batch) }},
	{"P50", 11, func(s *shardRates) string { return us(s.P50Us) }},
	{"P90", 14, func(s *shardRates) string { return us(s.P90Us) }},
	{"P99", 3, func(s *shardRates) string { return us(s.P99Us) }},
	{"P99.9", 13, func(s *shardRates) string { return us(s.P999Us) }},
	{"CACHE", 12, func(s *shardRates) string { return bytesText(s.MemoryBytes) }},
}

// orAll writes the number of a shard, or that it is about all of them.
func orAll(id int) string {
	if id < 0 {
		return "all"
	}
	return fmt.Sprint(id)
}

// topTable has a row for each shard, and one for all of several.
func topTable(r *rates, columns []topColumn) *table {
	tab := &table{right: true}
	var names []any
	for _, c := range columns {
		names = append(names, c.name)
	}
	tab.row(names...)
	row := func(s *shardRates) {
		var cells []any
		for _, c := range columns {
			cells = append(cells, c.cell(s))
		}
		tab.row(cells...)
	}
	for i := range r.PerShard {
		row(&r.PerShard[i])
	}
	if len(r.PerShard) > 1 {
		row(&r.Total)
	}
	return tab
}

// rate writes events a second; small ones with a decimal, for they matter too.
func rate(v float64) string {
	if v > 0 && v < 99.95 {
		return fmt.Sprintf("%.1f", v)
	}
	return count(uint64(v + 0.5))
}
