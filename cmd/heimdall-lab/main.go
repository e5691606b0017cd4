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

	"heimdall/cmd/heimdall-lab/lab"
)

const usage = `usage: heimdall-lab [flags]

Makes two network namespaces, one with the servers of a small signed internet, the other with a resolver, and tells
what to ask it. Takes root. Ctrl-C ends it and removes all that it made.

`

type options struct {
	resolver  string
	heimdalld string
	check     bool
	validate  bool
	cold      int
	names     string
}

// errDiffers ends the program when a resolver did not do what it should.
var errDiffers = errors.New("not all names gave what they should")

func main() {
	var o options
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage); flag.PrintDefaults() }
	flag.StringVar(&o.resolver, "resolver", "heimdalld", "what to start: heimdalld, unbound, both, to compare them, or none, for one of your own")
	flag.StringVar(&o.heimdalld, "heimdalld", beside("heimdalld"), "path of the binary")
	flag.BoolVar(&o.check, "check", false, "ask for all names, print what came, and end: with exit code 1 if any was not as it should be")
	flag.BoolVar(&o.validate, "validate", true, "whether the resolvers check signatures")
	flag.IntVar(&o.cold, "cold", 0, fmt.Sprintf("add a top-level domain with so many small `zones`, every second one signed, for heimdall-bench -scenario cold; at most %d", lab.MaxCold))
	flag.StringVar(&o.names, "names", "", "`file` for a name in each of them, as heimdall-bench -names reads it")
	flag.Parse()
	if flag.NArg() > 0 || o.check && (o.resolver == "none" || !o.validate) || o.cold < 0 || o.cold > lab.MaxCold || o.names != "" && o.cold == 0 {
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
	if err := run(ctx, &o, os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "heimdall-lab:", err)
		os.Exit(1)
	}
}

// run is the life of a lab. It ends with ctx.
func run(ctx context.Context, o *options, out io.Writer) (err error) {
	if o.names != "" {
		if err := os.WriteFile(o.names, []byte(lab.ColdNames(o.cold)), 0o644); err != nil {
			return fmt.Errorf("write the names: %w", err)
		}
	}
	l, err := lab.Start(ctx, append(lab.Zones(), lab.Cold(o.cold)...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	exited := make(<-chan struct{})
	if err := startResolvers(ctx, l, o); err != nil {
		return err
	}
	if o.resolver != "none" {
		exited = l.Exited()
	}
	if o.check {
		return check(ctx, l, out)
	}
	if err := describe(l, o, out); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(out)
		return nil
	case <-exited:
		return fmt.Errorf("%s has ended: %s", o.resolver, l.Log())
	}
}

// startResolvers starts what the command line says.
func startResolvers(ctx context.Context, l *lab.Lab, o *options) error {
	more := ""
	if !o.validate {
		more = "validation = false"
	}
	switch o.resolver {
	case "heimdalld":
		return l.Heimdalld(ctx, o.heimdalld, more)
	case "unbound":
		return l.Unbound(ctx, lab.Resolver, o.validate)
	case "both":
		if err := l.Heimdalld(ctx, o.heimdalld, more); err != nil {
			return err
		}
		return l.Unbound(ctx, lab.Second, o.validate)
	case "none":
		return nil
	}
	return fmt.Errorf("start %q: no such resolver: heimdalld, unbound, both or none", o.resolver)
}

// beside returns the path of a binary in the folder of this one.
func beside(name string) string {
	exe, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(exe), name)
}

// command returns a line that runs a program in the resolver's namespace.
func command(l *lab.Lab, words ...string) string {
	return strings.Join(l.Command(words[0], words[1:]...), " ")
}
