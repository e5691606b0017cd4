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
}

// errDiffers ends the program when a resolver did not do what it should.
var errDiffers = errors.New("not all names gave what they should")

func main() {
	var o options
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage); flag.PrintDefaults() }
	flag.StringVar(&o.resolver, "resolver", "heimdalld", "what to start: heimdalld, unbound, or none, for one of your own")
	flag.StringVar(&o.heimdalld, "heimdalld", beside("heimdalld"), "path of the binary")
	flag.BoolVar(&o.check, "check", false, "ask for all names, print what came, and end: with exit code 1 if any was not as it should be")
	flag.Parse()
	if flag.NArg() > 0 || o.check && o.resolver == "none" {
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
	l, err := lab.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	exited := make(<-chan struct{})
	switch o.resolver {
	case "heimdalld":
		err = l.Heimdalld(ctx, o.heimdalld, "")
	case "unbound":
		err = l.Unbound(ctx)
	case "none":
	default:
		err = fmt.Errorf("start %q: no such resolver: heimdalld, unbound or none", o.resolver)
	}
	if err != nil {
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
