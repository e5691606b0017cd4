package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"heimdall/core/control"
)

func (t *tool) diffCommand() *cobra.Command {
	c := t.simple("diff", "Show what a reload would change; exit code 1 when it would", t.diff)
	c.Long = "Show what is in the configuration, with the files that it includes, and not in force: each key with the\n" +
		"value in force and the one in the file, and whether a reload applies it or it waits for a restart; tables\n" +
		"that come and go; zones whose files have changed. Nothing is changed. As with diff(1) the exit code is 0\n" +
		"when there is no difference, 1 when there is one, and 2 when the configuration has errors."
	return c
}

func (t *tool) diff(ctx context.Context) error {
	reply, err := ask(ctx, t, control.CommandDiff, nil, showDiff)
	if e, ok := errors.AsType[*control.Error](err); ok {
		return troubleError{e}
	}
	if err == nil && len(reply.Changes)+len(reply.Zones) > 0 {
		return differenceError{}
	}
	return err
}

func showDiff(w io.Writer, d *control.ConfigDiff) {
	restart := false
	for i := range d.Changes {
		c := &d.Changes[i]
		place := ""
		if c.Place != "" {
			place = c.Place + ": "
		}
		when := "a reload applies it"
		if !c.Reload {
			when, restart = "it waits for a restart", true
		}
		fmt.Fprintf(w, "%s%s: %s\n", place, c.Key, when)
		if c.Old != "" {
			fmt.Fprintln(w, "  -", oneLine(c.Old))
		}
		if c.New != "" {
			fmt.Fprintln(w, "  +", oneLine(c.New))
		}
	}
	for _, zone := range d.Zones {
		fmt.Fprintf(w, "zone %s: it is read again, as a file of it has changed or could not be loaded\n", zone)
	}
	for _, warning := range d.Warnings {
		fmt.Fprintln(w, "warning:", warning)
	}
	switch {
	case len(d.Changes)+len(d.Zones) == 0:
		fmt.Fprintf(w, "a reload changes nothing (%s)\n", strings.Join(d.Files, ", "))
	case restart:
		fmt.Fprintln(w, "to do: `heimdallctl reload`, and restart the daemon for what waits")
	default:
		fmt.Fprintln(w, "to do: `heimdallctl reload`")
	}
}
