package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// doubleDashes lets long flags be written with one dash, as the daemon's are:
// -json becomes --json. What can be a one-letter flag with its value, such as
// -n3, stays what it is, and so does everything after "--".
func doubleDashes(root *cobra.Command, args []string) []string {
	long := map[string]bool{"help": true, "version": true}
	letters := "hv"
	note := func(f *pflag.Flag) {
		long[f.Name] = true
		letters += f.Shorthand
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		c.Flags().VisitAll(note)
		c.PersistentFlags().VisitAll(note)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)

	out := make([]string, len(args))
	copy(out, args)
	for i, arg := range out {
		if arg == "--" {
			break
		}
		name, single := strings.CutPrefix(arg, "-")
		name, _, _ = strings.Cut(name, "=")
		if single && len(name) > 1 && name[0] != '-' && (long[name] || !strings.Contains(letters, name[:1])) {
			out[i] = "-" + arg
		}
	}
	return out
}
