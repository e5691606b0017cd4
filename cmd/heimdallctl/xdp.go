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

func (t *tool) xdpCommand() *cobra.Command {
	var interval time.Duration
	c := &cobra.Command{
		Use:   "xdp",
		Short: "Show what is done in the kernel, and the limits of clients",
		Long: "Show where the XDP program is attached, what became of the packets that it has seen and why,\n" +
			"the hot answers that it holds, and the limits in force. Rates are those of the interval.",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if interval < 100*time.Millisecond {
				return &usageError{"-interval must be at least 100ms", cmd.CommandPath()}
			}
			return t.xdp(cmd.Context(), interval)
		},
	}
	c.Flags().DurationVar(&interval, "interval", time.Second, "time over which the rates are taken")
	return c
}

// xdpReport is tier 0 with its rates in packets a second.
type xdpReport struct {
	control.XDP
	Rates xdpRates `json:"rates"`
}

type xdpRates struct {
	Seconds  float64            `json:"interval_seconds"`
	Answered float64            `json:"answered"`
	Dropped  float64            `json:"dropped"`
	Passed   float64            `json:"passed"`
	Exits    map[string]float64 `json:"exits,omitempty"`
}

// newXDPRates compares two samples. Counters that began anew, or have no earlier value, count from zero.
func newXDPRates(prev, now *control.XDP, seconds float64) *xdpRates {
	if prev == nil || prev.Passed > now.Passed {
		prev = &control.XDP{}
	}
	per := func(a, b uint64) float64 { return float64(b-min(a, b)) / max(seconds, 1e-3) }
	r := &xdpRates{Seconds: seconds, Answered: per(prev.Answered, now.Answered), Dropped: per(prev.Dropped, now.Dropped), Passed: per(prev.Passed, now.Passed)}
	earlier := map[string]uint64{}
	for _, e := range prev.Exits {
		earlier[e.Name] = e.Packets
	}
	for _, e := range now.Exits {
		if n := per(earlier[e.Name], e.Packets); n > 0 {
			if r.Exits == nil {
				r.Exits = map[string]float64{}
			}
			r.Exits[e.Name] = n
		}
	}
	return r
}

func (t *tool) xdp(ctx context.Context, interval time.Duration) error {
	prev, err := fetch[control.XDP](ctx, t, control.CommandXDP)
	if err != nil {
		return err
	}
	seconds := 0.0
	now := prev
	if len(prev.Interfaces) > 0 {
		begin := time.Now()
		if wait(ctx, t.env.after(interval), nil, nil) {
			return nil
		}
		seconds = max(time.Since(begin), interval).Seconds()
		if now, err = fetch[control.XDP](ctx, t, control.CommandXDP); err != nil {
			return err
		}
	}
	r := &xdpReport{*now, *newXDPRates(prev, now, seconds)}
	if t.json {
		return t.printIndented(r)
	}
	return t.printText(func(w io.Writer) { showXDP(w, r) })
}

func showXDP(w io.Writer, r *xdpReport) {
	var tab table
	tab.row("interfaces", interfacesText(&r.XDP))
	if len(r.Interfaces) > 0 {
		hot := "off"
		if r.AnswersMax > 0 {
			hot = fmt.Sprintf("%s of %s, in a table of %s", count(r.Answers), count(r.AnswersMax), bytesText(r.TableBytes))
		}
		if r.Clients.Withheld {
			hot += "; withheld, since the table of clients lacks a change: heimdalld's log says why"
		}
		tab.row("hot answers", hot)
		known := count(r.Clients.Prefixes) + " prefixes"
		if r.Clients.Failures > 0 {
			known += fmt.Sprintf(", %s changes failed", count(r.Clients.Failures))
		}
		tab.row("clients", known)
	}
	for i, line := range limitText(&r.Limit) {
		tab.row([]string{"limit", ""}[min(i, 1)], line)
	}
	tab.write(w)
	if len(r.Interfaces) == 0 {
		return
	}
	fmt.Fprintln(w)
	var exits table
	exits.row("PACKETS", "TOTAL", "PER SECOND")
	exits.row("answered in the kernel", count(r.Answered), rate(r.Rates.Answered))
	exits.row("dropped in the kernel", count(r.Dropped), rate(r.Rates.Dropped))
	exits.row("passed on", count(r.Passed), rate(r.Rates.Passed))
	for _, e := range r.Exits {
		if e.Packets > 0 {
			exits.row("  "+e.Name, count(e.Packets), rate(r.Rates.Exits[e.Name]))
		}
	}
	exits.write(w)
}

// interfacesText says where the program is attached.
func interfacesText(x *control.XDP) string {
	var list []string
	for _, i := range x.Interfaces {
		if i.Detached {
			i.Mode = "taken off"
		}
		list = append(list, i.Name+": "+i.Mode)
	}
	switch {
	case len(list) > 0:
		return strings.Join(list, ", ")
	case x.Mode == "off":
		return `none: xdp.mode is "off"`
	}
	return "none: the program does not run; heimdallctl status says why"
}

// limitText says what limits are in force, a sentence a line.
func limitText(l *control.Limit) (lines []string) {
	where := "by the shards"
	if l.InKernel {
		where = "in the kernel"
	}
	if l.QueriesPerSecond == 0 {
		lines = append(lines, "none")
	} else {
		text := fmt.Sprintf("%s queries/s for each /%d and /%d (IPv6), %s at once, %s", count(l.QueriesPerSecond), l.IPv4Prefix, l.IPv6Prefix, count(l.Burst), where)
		if l.Slip > 0 {
			text += fmt.Sprintf("; one of %s above it gets TC", count(l.Slip))
		}
		lines = append(lines, text)
	}
	if l.Exempt > 0 {
		lines = append(lines, "exempt prefixes: "+count(l.Exempt))
	}
	if l.Deny > 0 {
		lines = append(lines, "denied prefixes: "+count(l.Deny))
	}
	return lines
}

// xdpText sums tier 0 up in a line.
func xdpText(x *control.XDP) string {
	text := interfacesText(x)
	if len(x.Interfaces) > 0 {
		text += fmt.Sprintf("; %s answered, %s dropped, %s passed; %s hot answers", count(x.Answered), count(x.Dropped), count(x.Passed), count(x.Answers))
	}
	return text
}
