// Command heimdall-bench measures DNS servers. It sends queries over UDP or TCP on
// a fixed schedule, checks the ID, question, RCODE and address of every reply, and
// compares several servers side by side. See heimdall-bench -help.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// The exit codes, which scripts rely on.
const (
	exitOK    = 0
	exitWrong = 1 // a reply was wrong, a server gave no good one, or the run broke off
	exitUsage = 2
)

// version is set by the linker.
var version = "unknown"

func main() {
	// A run allocates its memory at the start; the collector would only delay replies.
	debug.SetGCPercent(-1)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run carries out one command line and returns the exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	o, err := parseOptions(args, errOut)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return exitUsage
	}
	gen, err := newGenerator(o)
	if err != nil {
		fmt.Fprintf(errOut, "heimdall-bench: %v\n  to do: see heimdall-bench -help\n", err)
		return exitUsage
	}
	b := &bench{
		opt: o, gen: gen, best: map[string]float64{}, pause: 2 * time.Second,
		tell: func(format string, args ...any) { fmt.Fprintf(errOut, format+"\n", args...) },
	}
	report, err := b.run(ctx)
	if err != nil {
		fmt.Fprintf(errOut, "heimdall-bench: %v\n", err)
	}
	if report == nil {
		return exitWrong
	}
	if writeErr := write(report, o, out); writeErr != nil {
		fmt.Fprintf(errOut, "heimdall-bench: write report: %v\n", writeErr)
		return exitWrong
	}
	if err == nil {
		if err = report.verdict(); err != nil {
			fmt.Fprintf(errOut, "heimdall-bench: %v\n", err)
		}
	}
	if err != nil {
		return exitWrong
	}
	return exitOK
}

// write puts the report where the command line wants it.
func write(r *Report, o *options, out io.Writer) error {
	if o.json == "-" {
		return r.writeJSON(out)
	}
	r.writeTable(out, columns(o))
	if o.json == "" {
		return nil
	}
	f, err := os.Create(o.json)
	if err != nil {
		return err
	}
	return errors.Join(r.writeJSON(f), f.Close())
}

// run measures all servers in turn, round by round. The order turns around from
// one round to the next, so that a drift of the machine favours nobody. When it
// breaks off, the report has what there is until then.
func (b *bench) run(ctx context.Context) (*Report, error) {
	o := b.opt
	r := &Report{Version: version, Machine: thisMachine(time.Now()), Command: o.args, Workload: o.workload(b.gen.names), Watchful: o.watchful()}
	for _, t := range o.targets {
		r.Servers = append(r.Servers, Server{t.name, t.addr.String(), t.pids})
	}
	var broken error
	for number := 1; number <= o.rounds && broken == nil; number++ {
		for i := range o.targets {
			t := o.targets[i]
			if number%2 == 0 {
				t = o.targets[len(o.targets)-1-i]
			}
			round, err := b.round(ctx, t, number)
			if err != nil {
				broken = err
				break
			}
			r.Rounds = append(r.Rounds, round)
			b.tell("  round %d of %d, %s: %s", number, o.rounds, t.name, round.headline())
		}
	}
	if len(r.Rounds) == 0 {
		return nil, broken
	}
	r.Summary = summarize(o.targets, r.Rounds, columns(o))
	return r, broken
}

// headline is the round's most important figure.
func (r *Round) headline() string {
	text := "no figure"
	if v, ok := r.Values["best"]; ok {
		text = fmt.Sprintf("%.0f replies/s", v)
	} else if v, ok := r.Values["p99_ratio"]; ok {
		text = fmt.Sprintf("P99 %.0f us alone, %.2f times that beside", r.Values["p99@alone"], v)
	} else if v, ok := r.Values["resolved"]; ok {
		text = fmt.Sprintf("%.0f names resolved/s, %.2f%% failed", v, r.Values["loss"]*100)
	} else if v, ok := r.Values["good"]; ok {
		text = fmt.Sprintf("%.2f%% of the good queries answered", v*100)
	} else if v, ok := r.Values["replies"]; ok {
		text = fmt.Sprintf("%.0f replies/s, %.3f%% lost", v, r.Values["loss"]*100)
	}
	if r.Noisy {
		text += " (noisy)"
	}
	return text
}

// verdict is the gate: an error if a reply was wrong or a server gave no good
// one. Replies to a warm-up do not count, for those to queries that were given up
// come late.
func (r *Report) verdict() error {
	var errs []error
	for _, round := range r.Rounds {
		good := uint64(0)
		for _, m := range round.Measurements {
			if m.Name != warmUp {
				good += m.Queries.Good
			}
		}
		if wrong := round.Values["wrong"]; wrong > 0 {
			errs = append(errs, fmt.Errorf("%s, round %d: %.0f replies were wrong", round.Server, round.Round, wrong))
		}
		if good == 0 {
			errs = append(errs, fmt.Errorf("%s, round %d: no query had a good reply", round.Server, round.Round))
		}
	}
	return errors.Join(errs...)
}
