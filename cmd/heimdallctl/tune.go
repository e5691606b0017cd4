package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"heimdall/core/control"
	"heimdall/shard/preflight"
)

func (t *tool) tuneCommand() *cobra.Command {
	var flags machineFlags
	var print, apply bool
	c := &cobra.Command{
		Use:   "tune -print | -apply",
		Short: "Set queues, interrupts and buffer limits of this machine to suit the daemon",
		Long: "Set the number of a card's queues, the CPUs that their interrupts go to, and the kernel's limits of\n" +
			"socket buffers to what suits the configuration. -print prints the commands for a shell, -apply carries\n" +
			"them out, tells what became of each, and prints how to take them back. What is right already stays.\n" +
			"Nothing outlasts a restart of the machine. Exit code 1 when a change fails.",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if print == apply {
				return &usageError{"either -print or -apply", cmd.CommandPath()}
			}
			return t.tune(cmd.Context(), &flags, apply)
		},
	}
	flags.add(c)
	c.Flags().BoolVar(&print, "print", false, "print the commands")
	c.Flags().BoolVar(&apply, "apply", false, "carry them out")
	return c
}

// change is an action and what became of it.
type change struct {
	What    string `json:"what"`
	Why     string `json:"why"`
	Old     string `json:"old"`
	New     string `json:"new"`
	State   string `json:"state"` // right, wanted, done, failed
	Error   string `json:"error,omitempty"`
	Command string `json:"command,omitempty"`
	Undo    string `json:"undo,omitempty"`
}

func (t *tool) tune(ctx context.Context, flags *machineFlags, apply bool) error {
	o, err := flags.options(ctx, t)
	if err != nil {
		return err
	}
	changes, failed := makeChanges(t.env.machine, o, apply)
	if t.json {
		err = t.printIndented(changes)
	} else {
		err = t.printText(func(w io.Writer) { showChanges(w, changes) })
	}
	if apply {
		t.tellTuned(ctx, changes)
	}
	if err == nil && failed > 0 {
		err = &outcomeError{fmt.Sprintf("%d of %d changes failed", failed, len(changes))}
	}
	return err
}

// makeChanges plans, and carries the plan out if it is to be applied. Each change is planned anew after the one
// before: the number of queues decides what interrupts there are.
func makeChanges(m preflight.Machine, o preflight.Options, apply bool) (changes []change, failed int) {
	seen := map[string]bool{}
	for again := true; again; {
		again = false
		for _, a := range preflight.TuningPlan(m, o) {
			if seen[a.What] {
				continue
			}
			seen[a.What] = true
			c := change{What: a.What, Why: a.Why, Old: a.Old, New: a.New, State: "right"}
			if !a.Done() {
				c.State, c.Command, c.Undo = "wanted", a.Command, a.Undo
			}
			if apply && !a.Done() {
				c.State = "done"
				if err := a.Apply(m); err != nil {
					c.State, c.Error, c.Undo = "failed", err.Error(), ""
					failed++
				}
				again = true
			}
			changes = append(changes, c)
			if again {
				break
			}
		}
	}
	return changes, failed
}

// tellTuned has the daemon log what was changed, if it runs: its log is where operators look for what happened when.
func (t *tool) tellTuned(ctx context.Context, changes []change) {
	const most = 32 // changes; more do not fit into a request
	var args control.TunedArgs
	for _, c := range changes {
		text := fmt.Sprintf("%s from %s to %s", c.What, c.Old, c.New)
		text = text[:min(len(text), 100)]
		switch {
		case len(args.Changes)+len(args.Failed) == most:
		case c.State == "done":
			args.Changes = append(args.Changes, text)
		case c.State == "failed":
			args.Failed = append(args.Failed, text)
		}
	}
	if len(args.Changes)+len(args.Failed) > 0 {
		_, _ = t.raw(ctx, control.CommandTuned, args) // without a daemon there is no log
	}
}

func showChanges(w io.Writer, changes []change) {
	var undo []string
	for _, c := range changes {
		switch c.State {
		case "right":
			fmt.Fprintf(w, "# %s is right: %s\n", c.What, c.Old)
		case "wanted":
			fmt.Fprintf(w, "# %s, now %s: %s\n%s\n", c.What, c.Old, c.Why, c.Command)
		case "done":
			fmt.Fprintf(w, "# done: %s from %s to %s\n", c.What, c.Old, c.New)
			undo = append([]string{c.Undo}, undo...)
		case "failed":
			fmt.Fprintf(w, "# FAILED: %s from %s to %s: %s\n", c.What, c.Old, c.New, c.Error)
		}
	}
	if len(undo) > 0 {
		fmt.Fprintln(w, "\n# to take it back:")
		for _, line := range undo {
			fmt.Fprintln(w, line)
		}
	}
}
