// Command heimdalld is the Heimdall DNS daemon.
//
//	heimdalld -config FILE           serve
//	heimdalld -check -config FILE    find what start-up would find, and exit
//	heimdalld -withdraw -config FILE take off the service addresses of a daemon that has died, and exit
//
// SIGHUP reloads the configuration; SIGTERM and SIGINT answer what is in flight and exit. Exit codes: 0 the
// daemon ended as it was told, or the configuration is good; 1 it could not start or failed; 2 wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"heimdall/core/config"
	"heimdall/shard/check"
	"heimdall/shard/handover"
	"heimdall/shard/journal"
	"heimdall/shard/sandbox"
	"heimdall/shard/settings"
	"heimdall/shard/supervisor"
)

// version is set by the linker.
var version string

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == handover.LauncherArg {
		return handover.Launch(args[1:])
	}
	flags := flag.NewFlagSet("heimdalld", flag.ContinueOnError)
	flags.SetOutput(stderr)
	path := flags.String("config", "config.toml", "configuration `file`")
	withdrawOnly := flags.Bool("withdraw", false, "take off the service addresses (anycast.addresses) of a daemon that has died, and exit")
	checkOnly := flags.Bool("check", false, "check the configuration and exit")
	level := flags.String("log", "", "least severe `level` that is logged, whatever log.level says: debug, info, warn, error")
	showVersion := flags.Bool("version", false, "print the version and exit")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "heimdalld: unexpected argument %q; it takes flags only\n", flags.Arg(0))
		return 2
	}
	if *showVersion {
		fmt.Fprintln(stdout, "heimdalld", config.Version(version))
		return 0
	}
	var least slog.Level
	if err := least.UnmarshalText([]byte(*level)); *level != "" && err != nil {
		fmt.Fprintf(stderr, "heimdalld: -log %s: use debug, info, warn or error\n", *level)
		return 2
	}
	var before *handover.Predecessor
	var given *handover.Given
	if !*checkOnly && !*withdrawOnly {
		var err error
		if before, given, err = handover.FromPredecessor(config.Version(version)); err != nil {
			fmt.Fprintln(stderr, "heimdalld:", err)
			return 1
		}
		if given == nil {
			given = handover.FromManager()
		}
	}
	cfg, warnings, err := settings.Load(*path)
	if err != nil {
		fmt.Fprintln(stderr, err)
		before.Failed(err)
		return 1
	}
	for _, w := range warnings {
		fmt.Fprintln(stderr, "warning:", w)
	}
	if *withdrawOnly {
		return withdraw(cfg, stdout, stderr)
	}
	if *checkOnly {
		notes, err := check.Config(context.Background(), cfg)
		more, machine := check.Machine(cfg)
		for _, n := range append(notes, more...) {
			fmt.Fprintln(stderr, "warning:", n)
		}
		if err := errors.Join(err, machine); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		fmt.Fprintf(stdout, "%s: good\n", *path)
		return 0
	}
	j := journal.New(stderr, journal.Socket, stderr == os.Stderr && journal.IsStream(os.Stderr), settings.Log(cfg))
	if *level != "" {
		j.FixLevel(least)
	}
	signal.Ignore(syscall.SIGPIPE) // or a reader of the log that ends would end the daemon
	defer j.Flush()
	log := j.Logger()
	slog.SetDefault(log) // what libraries log
	// Before all that takes the right to start processes from this one.
	launcher, err := handover.StartLauncher(args)
	if err != nil {
		log.Warn("there will be no upgrades, only restarts", "error", err)
	}
	defer launcher.Close()
	store, err := handover.OpenStore(given.Names())
	if err != nil {
		log.Warn("a restart will lose queries", "error", err)
	}
	if err := serve(cfg, *path, j, log, supervisor.Options{Given: given, Predecessor: before, Launcher: launcher, Store: store}); err != nil {
		log.Error("heimdalld ends", "error", err)
		before.Failed(err)
		return 1
	}
	return 0
}

// serve runs the daemon until a signal ends it, or another process takes its place. o has what it begins with.
func serve(cfg *config.Config, path string, j *journal.Journal, log *slog.Logger, o supervisor.Options) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	manager := manager{log}
	list := settings.Fitting(cfg).Server.Listen
	status := fmt.Sprint("serving on ", list[0])
	if more := len(list) - 1; more > 0 {
		status += fmt.Sprintf(" and %d more", more)
	}
	o.Config, o.Path, o.Version, o.Log, o.Journal, o.Pace = cfg, path, config.Version(version), log, j, os.Getenv("GOGC") == ""
	o.Reloading = func(now bool) {
		switch {
		case ctx.Err() != nil: // it drains, which has been told
		case now:
			manager.reloading()
		default:
			manager.ready(status)
		}
	}
	o.Confine = confinement(cfg)
	o.Replaced = manager.replaced
	s, err := supervisor.Start(ctx, o)
	if err != nil {
		return err
	}
	manager.ready(status)
	feeding, ending := context.WithCancel(ctx)
	defer ending()
	go manager.feed(feeding, s.Turning)
	go func() {
		for range hup {
			s.ReloadAndLog(ctx)
		}
	}()
	select {
	case <-ctx.Done():
	case <-s.Replaced():
		ending() // the manager listens to the other process
		log.Info("another process serves, this one ends when it has answered what it has")
		s.HandOver()
		return nil
	}
	stop() // a second signal ends at once
	log.Info("draining")
	manager.stopping()
	s.Stop()
	return nil
}

// confinement returns what shuts the process in, and nil if the configuration does not want that.
func confinement(cfg *config.Config) func(sandbox.Options) sandbox.Report {
	if cfg.Security.Sandbox == "off" {
		return nil
	}
	return sandbox.Enter
}
