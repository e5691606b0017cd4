// Heimdall-lab makes a small signed internet in network namespaces, starts a resolver in it, and tells what to ask
// it. Ctrl-C ends it and removes all that it made.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"heimdall/cmd/heimdall-lab/here"
	"heimdall/cmd/heimdall-lab/lab"
)

const usage = `usage: heimdall-lab [flags]

Makes two network namespaces, one with the servers of a small signed internet, the other with a resolver, and tells
what to ask it. Ordinary users get a user namespace besides. Ctrl-C ends it and removes all that it made.

`

type options struct {
	resolvers []string // nil: none
	heimdalld string
	check     bool
	validate  bool
	cold      int
	names     string
	measure   int // rounds; 0: not
	scenario  string
	anycast   bool
	here      string // configuration of a daemon outside of the lab
}

// errDiffers ends the program when a resolver did not do what it should.
var errDiffers = errors.New("not all names gave what they should")

func main() {
	var o options
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage); flag.PrintDefaults() }
	resolver := flag.String("resolver", "heimdalld", "what to start: none, for one of your own, or a `list` of heimdalld, unbound and kresd, to compare them")
	flag.StringVar(&o.heimdalld, "heimdalld", beside("heimdalld"), "path of the binary")
	flag.BoolVar(&o.check, "check", false, "ask for all names, print what came, and end: with exit code 1 if any was not as it should be")
	flag.BoolVar(&o.validate, "validate", true, "whether the resolvers check signatures")
	flag.IntVar(&o.cold, "cold", 0, fmt.Sprintf("add a top-level domain with so many small `zones`, every second one signed, for heimdall-bench -scenario cold; at most %d", lab.MaxCold))
	flag.StringVar(&o.names, "names", "", "`file` for a name in each of them, as heimdall-bench -names reads it")
	flag.IntVar(&o.measure, "measure", 0, "with -cold: measure the resolvers in turn with heimdall-bench, in so many `rounds`, and end; they get one CPU, the rest has the others")
	flag.StringVar(&o.scenario, "scenario", "cold", "with -measure: the `scenario` of heimdall-bench, cold or beside")
	flag.StringVar(&o.here, "here", "", "no lab: start heimdalld on this machine with a configuration `file`, and tell what it can do here")
	flag.BoolVar(&o.anycast, "anycast", false, "in place of all that: two servers of one address behind BIRD, and what a client loses when one is stopped, upgraded, killed")
	flag.Parse()
	if *resolver != "none" {
		o.resolvers = strings.Split(*resolver, ",")
	}
	if flag.NArg() > 0 || !o.sensible() {
		flag.Usage()
		os.Exit(2)
	}
	// The signals stay caught until the end, so that nothing interrupts the removal.
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE) // Writing says so, and the lab is removed.
	go func() {
		<-signals
		cancel(context.Canceled)
	}()
	if err := begin(ctx, &o, os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "heimdall-lab:", err)
		os.Exit(1)
	}
}

// sensible says whether the flags go together.
func (o *options) sensible() bool {
	switch {
	case len(o.resolvers) > len(addresses) || o.cold < 0 || o.cold > lab.MaxCold || o.names != "" && o.cold == 0:
		return false
	case o.check:
		return len(o.resolvers) == 1 && o.validate && o.measure == 0
	case o.measure != 0:
		return o.measure > 0 && o.cold > 0 && len(o.resolvers) > 0 && (o.scenario == "cold" || o.scenario == "beside")
	}
	return true
}

// begin starts what the flags ask for. It ends with ctx.
func begin(ctx context.Context, o *options, out io.Writer) error {
	if o.here == "" {
		if err := enterNamespaces(); err != nil {
			return err
		}
		if o.anycast {
			return fleet(ctx, o.heimdalld, out)
		}
		return run(ctx, o, out)
	}
	return here.Run(ctx, here.Options{Heimdalld: o.heimdalld, Heimdallctl: fromHere(beside("heimdallctl")), Config: o.here, Log: os.Stderr}, out)
}

// run is the life of a lab. It ends with ctx.
func run(ctx context.Context, o *options, out io.Writer) (err error) {
	var spare []int
	if o.measure > 0 {
		if spare, err = makeRoom(); err != nil {
			return err
		}
	}
	if o.names != "" {
		if err := writeNames(o.names, o.cold); err != nil {
			return err
		}
	}
	l, err := lab.Start(ctx, append(lab.Zones(), lab.Cold(o.cold)...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	l.CPUs = spare
	exited := make(<-chan struct{})
	for i, name := range o.resolvers {
		if err := o.start(ctx, l, name, addresses[i]); err != nil {
			return err
		}
		exited = l.Exited()
	}
	if o.check {
		return check(ctx, l, out)
	}
	if o.measure > 0 {
		return measure(ctx, l, o, out)
	}
	if err := describe(l, o, out); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(out)
		return nil
	case <-exited:
		return fmt.Errorf("%s has ended: %s", o.resolvers[0], l.Log())
	}
}

// addresses are where the resolvers listen, in the order of the command line.
var addresses = [...]string{lab.Resolver, lab.Second, lab.Third}

// start starts one resolver.
func (o *options) start(ctx context.Context, l *lab.Lab, name, addr string) error {
	switch name {
	case "heimdalld":
		more := ""
		if !o.validate {
			more = "validation = false"
		}
		return l.Heimdalld(ctx, o.heimdalld, addr, more)
	case "unbound":
		return l.Unbound(ctx, addr, o.validate)
	case "kresd":
		return l.Kresd(ctx, addr, o.validate)
	}
	return fmt.Errorf("start %q: no such resolver: heimdalld, unbound or kresd", name)
}

// beside returns the path of a binary in the folder of this one.
func beside(name string) string {
	exe, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(exe), name)
}

// fromHere returns the path of a file as it is seen from the present folder, where it is below it.
func fromHere(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

// command returns a line that runs a program in the resolver's namespace.
func command(l *lab.Lab, words ...string) string {
	return strings.Join(fromOutside(l.Command(words[0], words[1:]...)), " ")
}
