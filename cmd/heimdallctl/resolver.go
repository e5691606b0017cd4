package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"heimdall/core/control"
)

// resolverCommands are the commands that look into resolution and validation.
func (t *tool) resolverCommands() []*cobra.Command {
	infra := &cobra.Command{
		Use:               "infra [ADDRESS]",
		Short:             "Show what is known of other servers; exit code 1 when nothing is",
		Args:              argCount(0, 1, "at most one ADDRESS"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return t.infra(cmd.Context(), strings.Join(args, "")) },
	}
	var cd bool
	var client string
	trace := &cobra.Command{
		Use:   "trace NAME TYPE",
		Short: "Resolve a name anew and show each step",
		Long: "Do with a question what is done with a client's, and show each step. What is answered here, out\n" +
			"of a zone or as a special name, or refused, asks nobody. All else is resolved anew, from the root\n" +
			"servers on if no forward or stub zone has it: what was asked, what came back, what was concluded.\n" +
			"What the cache has is told beside it; the answer is not cached.\n" +
			"What is known already does for the targets of aliases, for the addresses of servers and for\n" +
			"the keys of zones: flush first to see these too. Exit code 1 when there is no answer.",
		Args:              argCount(2, 2, "a NAME and a TYPE"),
		ValidArgsFunction: completeType,
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.trace(cmd.Context(), control.TraceArgs{Name: args[0], Type: strings.ToUpper(args[1]), CD: cd, Client: client})
		},
	}
	trace.Flags().BoolVar(&cd, "cd", false, "without validation")
	trace.Flags().StringVar(&client, "client", "", "address of the client that asks; one that may use recursion if not given")
	dnssec := &cobra.Command{
		Use:   "dnssec",
		Short: "Look into validation",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{"a command is missing: dnssec status", cmd.CommandPath()}
		},
	}
	dnssec.AddCommand(t.simple("status", "Show the trust anchors and what validation has found", t.dnssecStatus))
	return []*cobra.Command{t.nta(), infra, dnssec, trace}
}

func (t *tool) nta() *cobra.Command {
	nta := &cobra.Command{
		Use:   "nta",
		Short: "Name the domains that are not validated",
		Long: "Name the domains at and below which nothing is validated for now: negative trust anchors\n" +
			"(RFC 7646), for domains whose signatures are known to be broken. What these commands add is\n" +
			"forgotten when the daemon ends: what is to stay belongs in recursion.negative_trust_anchors.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{"a command is missing: nta add, nta remove or nta list", cmd.CommandPath()}
		},
	}
	change := func(use, short, command string) *cobra.Command {
		return &cobra.Command{
			Use: use + " NAME", Short: short, Args: argCount(1, 1, "a NAME"), ValidArgsFunction: cobra.NoFileCompletions,
			RunE: func(cmd *cobra.Command, args []string) error {
				_, err := ask(cmd.Context(), t, command, control.NTAArgs{Name: args[0]}, func(w io.Writer, l *control.NTAList) {
					fmt.Fprintf(w, "%s entries were flushed\n", count(l.Flushed))
					showNTAs(w, l.Anchors)
				})
				return err
			},
		}
	}
	nta.AddCommand(
		change("add", "Validate nothing at or below a name until the daemon ends", control.CommandNTAAdd),
		change("remove", "Validate what is at and below a name again", control.CommandNTARemove),
		t.simple("list", "Show the names that nothing is validated below", func(ctx context.Context) error {
			_, err := ask(ctx, t, control.CommandNTAList, nil, func(w io.Writer, l *control.NTAList) { showNTAs(w, l.Anchors) })
			return err
		}),
	)
	return nta
}

func showNTAs(w io.Writer, list []control.NTA) {
	if len(list) == 0 {
		fmt.Fprintln(w, "there are no negative trust anchors")
		return
	}
	var tab table
	tab.row("NOT VALIDATED", "SOURCE")
	for _, a := range list {
		source := string(a.Source)
		if a.Source == control.AnchorRuntime {
			source += ", until the daemon ends"
		}
		tab.row(a.Zone, source)
	}
	tab.write(w)
}

func (t *tool) infra(ctx context.Context, address string) error {
	show := showInfra
	if address != "" {
		show = func(w io.Writer, n *control.Infra) {
			if len(n.Servers) > 0 { // or it is told as an error
				showInfra(w, n)
			}
		}
	}
	reply, err := ask(ctx, t, control.CommandInfra, control.InfraArgs{Address: address}, show)
	if err == nil && address != "" && len(reply.Servers) == 0 {
		return &outcomeError{"nothing is known of " + address}
	}
	return err
}

func showInfra(w io.Writer, n *control.Infra) {
	if len(n.Servers) == 0 {
		fmt.Fprintln(w, "no server has been asked yet")
		return
	}
	var tab table
	tab.row("SERVER", "STATE", "RTT", "TIMEOUT", "IN FLIGHT", "QUERIES", "RESPONSES", "TIMEOUTS", "EDNS", "KEEPS CASE", "FAILURES")
	for i := range n.Servers {
		s := &n.Servers[i]
		tab.row(s.Address, s.State, us(s.SRTTUs), us(s.RTOUs), s.InFlight, count(s.Queries), count(s.Responses), count(s.Timeouts),
			s.EDNS, s.KeepCase, countsText(s.Failures))
	}
	tab.write(w)
	if n.Truncated {
		fmt.Fprintln(w, "… and more")
	}
}

func (t *tool) dnssecStatus(ctx context.Context) error {
	_, err := ask(ctx, t, control.CommandDNSSECStatus, nil, showDNSSEC)
	return err
}

func showDNSSEC(w io.Writer, d *control.DNSSECStatus) {
	if !d.Validation {
		fmt.Fprintln(w, "validation is off (recursion.validation)")
		return
	}
	fmt.Fprintln(w, "validation is on")
	var tab table
	tab.row("TRUST ANCHOR", "KEY TAG", "ALGORITHM", "DIGEST", "SOURCE")
	for i := range d.Anchors {
		a := &d.Anchors[i]
		for _, k := range a.Keys {
			tab.row(a.Zone, k.Tag, k.Algorithm, k.Digest, a.Source)
		}
		if len(a.Keys) == 0 {
			tab.row(a.Zone, "-", "-", "-", string(a.Source)+": all keys are revoked")
		}
	}
	tab.write(w)
	showNTAs(w, d.Negative)
	fmt.Fprintln(w, "answers:          ", countsText(d.Verdicts))
	fmt.Fprintln(w, "bogus ones:       ", countsText(d.Bogus))
	fmt.Fprintf(w, "jobs:              %s, %d waiting, %s refused\n", count(d.Jobs), d.JobsWaiting, count(d.JobsRefused))
	fmt.Fprintf(w, "signatures:        %s verified, %s known already\n", count(d.MemoMisses), count(d.MemoHits))
	if u := d.Update; u != nil {
		showUpdate(w, u)
	}
}

func showUpdate(w io.Writer, u *control.AnchorUpdate) {
	fmt.Fprintf(w, "update (RFC 5011): %s queries, %s failed, next %s, state in %s\n", count(u.Queries), count(u.Failures), day(u.Next), u.File)
	if u.Unstored > 0 {
		fmt.Fprintf(w, "  the state could not be stored %s times\n", count(u.Unstored))
	}
	if u.LastFail != "" {
		fmt.Fprintln(w, "  last failure:", oneLine(u.LastFail))
	}
	for _, k := range u.Keys {
		fmt.Fprintf(w, "  key %d %s since %s\n", k.Tag, k.State, day(k.Since))
	}
}

// day writes seconds since 1970.
func day(sec int64) string { return time.Unix(sec, 0).UTC().Format(time.DateTime) + " UTC" }

func (t *tool) trace(ctx context.Context, args control.TraceArgs) error {
	reply, err := ask(ctx, t, control.CommandTrace, args, showTrace)
	if err == nil && reply.Rcode == "REFUSED" {
		return &outcomeError{fmt.Sprintf("%s %s is refused", reply.Name, reply.Type)}
	}
	if err == nil && reply.Rcode == "SERVFAIL" {
		return &outcomeError{fmt.Sprintf("%s %s could not be resolved: %s", reply.Name, reply.Type, oneLine(reply.EDE))}
	}
	return err
}

func showTrace(w io.Writer, r *control.Trace) {
	if r.Route != "" {
		fmt.Fprintf(w, "%s %s is known to %s\n", r.Name, r.Type, r.Route)
	}
	if r.Cached != "" {
		fmt.Fprintf(w, "the cache has %s\n", r.Cached)
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		indent := strings.Repeat("  ", s.Depth)
		fmt.Fprintf(w, "%8s %s%-10s %s %s", us(s.AtUs), indent, s.Kind, s.Name, s.Type)
		if s.Server != "" {
			fmt.Fprint(w, " server ", s.Server)
		}
		if s.RTTUs > 0 {
			fmt.Fprint(w, " in ", us(s.RTTUs))
		}
		fmt.Fprintln(w, ":", oneLine(s.Text))
		for _, rr := range s.Records {
			fmt.Fprintf(w, "%8s %s  %s\n", "", indent, oneLine(rr))
		}
	}
	if r.Dropped > 0 {
		fmt.Fprintf(w, "… and %d steps more\n", r.Dropped)
	}
	security := "not secure"
	if r.AD {
		security = "secure"
	}
	fmt.Fprintf(w, "%s %s: %s, %s, %d queries, %s, on shard %d\n", r.Name, r.Type, r.Rcode, security, r.Queries, us(r.TookUs), r.Shard)
	for _, rr := range r.Answer {
		fmt.Fprintln(w, "  "+oneLine(rr))
	}
}
