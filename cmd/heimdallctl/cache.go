package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"heimdall/core/control"
)

// commonTypes are offered by shell completion.
var commonTypes = []string{"A", "AAAA", "ANY", "CAA", "CNAME", "DNSKEY", "DS", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "SVCB", "TXT"}

func (t *tool) cache() *cobra.Command {
	cache := &cobra.Command{
		Use:   "cache",
		Short: "Look into the answer caches, or empty them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{"a command is missing: cache lookup, cache flush or cache stats", cmd.CommandPath()}
		},
	}
	lookup := &cobra.Command{
		Use:               "lookup NAME TYPE",
		Short:             "Show what is cached for a name and type; exit code 1 when nothing is",
		Args:              argCount(2, 2, "a NAME and a TYPE"),
		ValidArgsFunction: completeType,
		RunE:              func(cmd *cobra.Command, args []string) error { return t.cacheLookup(cmd.Context(), args[0], args[1]) },
	}
	var subtree bool
	flush := &cobra.Command{
		Use:               "flush [NAME]",
		Short:             "Remove a name from the caches, or everything",
		Args:              argCount(0, 1, "at most one NAME"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && subtree {
				return &usageError{"-subtree needs a NAME", cmd.CommandPath()}
			}
			return t.cacheFlush(cmd.Context(), strings.Join(args, ""), subtree)
		},
	}
	flush.Flags().BoolVar(&subtree, "subtree", false, "also remove every name below NAME")
	cache.AddCommand(lookup, flush, t.simple("stats", "Show how full the caches are and what became of their entries", t.cacheStats))
	return cache
}

// completeType offers types after a name.
func completeType(_ *cobra.Command, args []string, start string) ([]string, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	types := slices.DeleteFunc(slices.Clone(commonTypes), func(t string) bool { return !strings.HasPrefix(t, strings.ToUpper(start)) })
	return types, cobra.ShellCompDirectiveNoFileComp
}

// argCount wants between low and high arguments, none of them empty: an empty
// one is a script's unset variable, and "flush everything" is not what it meant.
func argCount(low, high int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < low || len(args) > high || slices.Contains(args, "") {
			return &usageError{cmd.CommandPath() + " takes " + what, cmd.CommandPath()}
		}
		return nil
	}
}

func (t *tool) cacheLookup(ctx context.Context, name, typ string) error {
	args := control.CacheLookupArgs{Name: name, Type: strings.ToUpper(typ)}
	reply, err := ask(ctx, t, control.CommandCacheLookup, args, showLookup)
	if err == nil && len(reply.Entries) == 0 {
		return &outcomeError{fmt.Sprintf("%s %s is not in the cache", reply.Name, reply.Type)}
	}
	return err
}

func showLookup(w io.Writer, l *control.CacheLookup) {
	for i := range l.Entries {
		e := &l.Entries[i]
		fmt.Fprintf(w, "%s %s in shard %d, view %d: %s", l.Name, l.Type, e.Shard, e.View, e.Rcode)
		for _, flag := range []struct {
			set  bool
			name string
		}{{e.DO, "DO"}, {e.CD, "CD"}, {e.AD, "AD"}} {
			if flag.set {
				fmt.Fprint(w, " ", flag.name)
			}
		}
		if e.Stale {
			fmt.Fprintf(w, ", stale (was %d s)", e.OrigTTL)
		} else {
			fmt.Fprintf(w, ", %d of %d s left", e.TTL, e.OrigTTL)
		}
		fmt.Fprintf(w, ", %s hits, %d bytes", count(e.Hits), e.Bytes)
		if e.EDE != "" {
			fmt.Fprintf(w, ", extended error %s", e.EDE)
		}
		fmt.Fprintln(w)
		for _, record := range e.Records {
			fmt.Fprintln(w, "  "+strings.ReplaceAll(record, "\n", " "))
		}
	}
}

func (t *tool) cacheFlush(ctx context.Context, name string, subtree bool) error {
	args := control.CacheFlushArgs{Name: name, Subtree: subtree}
	_, err := ask(ctx, t, control.CommandCacheFlush, args, func(w io.Writer, f *control.CacheFlush) {
		what := "everything"
		switch {
		case f.Subtree:
			what = f.Name + " and the names below it"
		case f.Name != "":
			what = f.Name
		}
		fmt.Fprintf(w, "flushed %s: %s entries removed\n", what, count(f.Removed))
	})
	return err
}

func (t *tool) cacheStats(ctx context.Context) error {
	_, err := ask(ctx, t, control.CommandCacheStats, nil, showCacheStats)
	return err
}

func showCacheStats(w io.Writer, s *control.CacheStats) {
	fmt.Fprintln(w, "engine", s.Engine)
	tab := table{right: true}
	tab.row("SHARD", "ENTRIES", "USED", "OF", "HITS", "STALE HITS", "MISSES", "RATIO", "INSERTS", "EXPIRED", "FLUSHED", "TOO LARGE", "BUCKETS")
	row := func(name string, c *control.CacheShard) {
		tab.row(name, count(c.Entries), bytesText(c.BytesUsed), bytesText(c.BytesCapacity), count(c.Hits), count(c.StaleHits), count(c.Misses),
			percent(c.HitRatio), count(c.Inserts), count(c.Expired), count(c.Flushed), count(c.TooLarge), count(c.IndexBuckets))
	}
	for i := range s.Shards {
		row(fmt.Sprint(s.Shards[i].Shard), &s.Shards[i])
	}
	row("all", &s.Total)
	tab.write(w)
	fmt.Fprintln(w, "evictions:", countsText(s.Total.Evictions))
}
