package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/miekg/dns"

	"heimdall/cmd/heimdall-lab/lab"
)

// describe tells what is in the lab and what to ask.
func describe(l *lab.Lab, o *options, w io.Writer) error {
	out := new(bytes.Buffer)
	fmt.Fprintf(out, "Zones:\n\n")
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, z := range lab.Zones() {
		fmt.Fprintf(t, "    %s\t%s\n", z.Name, z.Why)
	}
	t.Flush()
	fmt.Fprintf(out, "\nWhat to ask, and what comes of it when it is validated:\n\n")
	t = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, q := range lab.Questions() {
		line := command(l, "dig", "@127.0.0.1", "+dnssec", q.Name, dns.TypeToString[q.Type])
		fmt.Fprintf(t, "%s\t# %s\t%s\n", line, short(q.Wanted(true)), q.Why)
	}
	t.Flush()
	fmt.Fprintf(out, "\nRoot hints, trust anchor and the resolver's configuration: %s\n", l.Dir)
	if o.names != "" && o.resolvers != nil {
		fmt.Fprintf(out, "Measure cold resolution: %s\n", strings.Join(fromOutside(benchmark(l, o, o.names)), " "))
	}
	if slices.Contains(o.resolvers, "heimdalld") {
		fmt.Fprintf(out, "Look into it: heimdallctl -socket %s status\n", l.Socket())
	}
	if asUser() {
		fmt.Fprintln(out, "Without root there are kernel sockets only: what xdp.mode, xdp.steer = \"name\" and io.backend = \"xsk\" do takes root (sudo make lab)")
	}
	if o.resolvers == nil {
		fmt.Fprintf(out, "Start a resolver of your own: %s\n", command(l, "PROGRAM"))
	}
	fmt.Fprint(out, "The lab is up. Ctrl-C ends it. > ")
	_, err := w.Write(out.Bytes())
	return err
}

// check asks for all names at once and tells what came.
func check(ctx context.Context, l *lab.Lab, out io.Writer) error {
	questions := lab.Questions()
	got := l.AskAll(ctx, questions, false)
	if err := ctx.Err(); err != nil {
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	differs := 0
	for i, q := range questions {
		mark, want := "ok", q.Wanted(true)
		if !got[i].Meets(want) {
			differs++
			mark = "wanted: " + short(want)
		}
		fmt.Fprintf(t, "%s %s\t%s\t%s\t%s\n", q.Name, dns.TypeToString[q.Type], short(got[i]), mark, q.Why)
	}
	t.Flush()
	if _, err := fmt.Fprintf(out, "%d of %d as they should be\n", len(questions)-differs, len(questions)); err != nil {
		return err
	}
	if differs > 0 {
		return errDiffers
	}
	return nil
}

// short returns an outcome in so many characters that a line holds it.
func short(o lab.Outcome) string {
	const limit = 40
	s := o.String()
	if len(s) > limit {
		s = s[:limit] + "..."
	}
	return s
}
