package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"heimdall/core/control"
)

func (t *tool) explainCommand() *cobra.Command {
	var args control.ExplainArgs
	c := &cobra.Command{
		Use:   "explain NAME TYPE",
		Short: "Tell why a query would be answered as it would be",
		Long: "Take a query through the decisions that the daemon makes about a client's, and tell each: whether the\n" +
			"client is admitted, whether the kernel has the answer, which zone has the name, whether the client may use\n" +
			"recursion, what the cache has and how far that is trusted, who is asked, and how the answer is validated.\n" +
			"Keys that decide are told with the file and line where they stand. Nothing is asked, counted or changed;\n" +
			"trace resolves a name. Exit code 1 when the query would get an error or nothing.",
		Args:              argCount(2, 2, "a NAME and a TYPE"),
		ValidArgsFunction: completeType,
		RunE: func(cmd *cobra.Command, words []string) error {
			args.Name, args.Type = words[0], strings.ToUpper(words[1])
			return t.explain(cmd.Context(), args)
		},
	}
	c.Flags().StringVar(&args.Client, "client", "", "`address` of the client that asks (127.0.0.1)")
	c.Flags().BoolVar(&args.DO, "do", false, "the client wants DNSSEC records (DO)")
	c.Flags().BoolVar(&args.CD, "cd", false, "the client does without validation (CD)")
	c.Flags().BoolVar(&args.TCP, "tcp", false, "the query comes over TCP, TLS or the like")
	return c
}

func (t *tool) explain(ctx context.Context, args control.ExplainArgs) error {
	reply, err := ask(ctx, t, control.CommandExplain, args, showExplanation)
	if err != nil {
		return err
	}
	switch reply.Outcome {
	case control.OutcomeDropped:
		return &outcomeError{fmt.Sprintf("%s %s gets no response", reply.Name, reply.Type)}
	case control.OutcomeError:
		return &outcomeError{fmt.Sprintf("%s %s gets %s", reply.Name, reply.Type, reply.Rcode)}
	}
	return nil
}

// outcomes says in words what becomes of a query.
var outcomes = map[control.Outcome]string{
	control.OutcomeDropped:   "gets no response",
	control.OutcomeTruncated: "gets a truncated response, so that its client comes back over TCP",
	control.OutcomeKernel:    "is answered in the kernel",
	control.OutcomeZone:      "is answered out of a zone",
	control.OutcomeLocal:     "is answered here, without asking anybody",
	control.OutcomeCache:     "is answered from the cache",
	control.OutcomeStale:     "gets a stale answer from the cache",
	control.OutcomeKnown:     "is answered from what is known, without asking for it",
	control.OutcomeUpstream:  "is resolved: others are asked",
	control.OutcomeError:     "gets an error",
}

func showExplanation(w io.Writer, x *control.Explanation) {
	what := outcomes[x.Outcome]
	if what == "" {
		what = string(x.Outcome) // of a newer daemon
	}
	if x.Rcode != "" {
		what += ": " + x.Rcode
	}
	fmt.Fprintf(w, "%s %s from %s over %s %s (shard %d)\n", x.Name, x.Type, x.Client, x.Transport, what, x.Shard)
	var tab table
	for i := range x.Steps {
		s := &x.Steps[i]
		why := oneLine(s.Why)
		if s.Place != "" {
			why += " [" + s.Place + "]"
		}
		tab.row("  "+s.Step, oneLine(s.Verdict), why)
	}
	tab.write(w)
	for _, record := range x.Answer {
		fmt.Fprintln(w, "  "+oneLine(strings.ReplaceAll(record, "\t", " ")))
	}
	for _, todo := range x.Todo {
		fmt.Fprintln(w, "to do:", oneLine(todo))
	}
}
