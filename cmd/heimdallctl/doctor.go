package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"heimdall/shard/preflight"
)

func (t *tool) doctorCommand() *cobra.Command {
	var flags machineFlags
	var verbose bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether this machine suits the daemon, and tell what to change",
		Long: "Check kernel, privileges, memory, CPUs and network cards against the configuration: that of the\n" +
			"running daemon, or a file for one that is yet to be started. Each line says what was found and,\n" +
			"where it is not well, what to do. Nothing is changed. Exit code 1 when a check fails.",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return t.doctor(cmd.Context(), &flags, verbose) },
	}
	flags.add(c)
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show the whole log of the kernel's verifier where it rejects a program")
	return c
}

func (t *tool) doctor(ctx context.Context, flags *machineFlags, verbose bool) error {
	o, err := flags.options(ctx, t)
	if err != nil {
		return err
	}
	findings := preflight.Inspect(t.env.machine, o)
	for i := range findings {
		if !verbose {
			findings[i].Log = nil
		}
	}
	if t.json {
		data, err := json.Marshal(findings)
		if err == nil {
			err = t.printJSON(data)
		}
		if err != nil {
			return err
		}
	} else if err := t.printText(func(w io.Writer) { showFindings(w, findings, len(o.Config.XDP.Interfaces)+len(o.Interfaces)) }); err != nil {
		return err
	}
	failed := 0
	for _, f := range findings {
		if f.Verdict == preflight.Fail {
			failed++
		}
	}
	if failed > 0 {
		return &outcomeError{fmt.Sprintf("%d of %d checks failed", failed, len(findings))}
	}
	return nil
}

func showFindings(w io.Writer, findings []preflight.Finding, interfaces int) {
	for _, f := range findings {
		name := f.Check
		if f.Subject != "" {
			name = f.Subject + " " + name
		}
		fmt.Fprintf(w, "%-4s  %s: %s\n", f.Verdict, name, f.Found)
		if f.Advice != "" {
			fmt.Fprintf(w, "        %s\n", f.Advice)
		}
		if f.Command != "" {
			fmt.Fprintf(w, "        %s\n", f.Command)
		}
		for _, line := range f.Log {
			fmt.Fprintf(w, "        | %s\n", line)
		}
	}
	if interfaces == 0 {
		fmt.Fprintln(w, "no interface was looked at: name them in xdp.interfaces, or with -interface")
	}
}
