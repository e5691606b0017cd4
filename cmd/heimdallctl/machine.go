package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/core/control"
	"heimdall/shard/diskfile"
	"heimdall/shard/preflight"
)

// machineFlags are those of the commands that look at the machine.
type machineFlags struct {
	config     string
	interfaces []string
}

func (f *machineFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.config, "config", "", "configuration `file`; else that of the running daemon")
	c.Flags().StringArrayVar(&f.interfaces, "interface", nil, "an interface `name` beside those of xdp.interfaces; may be repeated")
}

// options collects what there is to check: from the daemon, or from a file for a daemon that need not run.
func (f *machineFlags) options(ctx context.Context, t *tool) (o preflight.Options, err error) {
	o = preflight.Options{PID: "self", Interfaces: f.interfaces}
	path := f.config
	if path == "" {
		status, err := fetch[control.Status](ctx, t, control.CommandStatus)
		if err != nil {
			return o, &noConfigError{err}
		}
		path = status.Config
	}
	if o.Config, err = readConfig(path); err != nil {
		return o, err
	}
	if f.config != "" {
		t.socket = o.Config.Admin.Socket
	}
	if f.fromDaemon(ctx, t, &o, path) {
		return o, nil
	}
	machine, err := affinity.Survey()
	if err != nil {
		return o, fmt.Errorf("look at the CPUs: %w", err)
	}
	plan, err := machine.Plan(o.Config.CPU.Shards.Spec(), o.Config.CPU.Pin, o.Config.CPU.Housekeeping)
	if err != nil {
		return o, &control.Error{Code: control.CodeInvalidConfig, Message: fmt.Sprintf("cpu.shards: %v", err)}
	}
	for _, p := range plan.Shards {
		o.Shards = append(o.Shards, preflight.Shard(p))
	}
	return o, nil
}

// noConfigError is a daemon that cannot be asked for its configuration, when none was named.
type noConfigError struct{ error }

func (e *noConfigError) Unwrap() error { return e.error }

// fromDaemon fills in what the daemon of that configuration tells; false: it does not run.
func (f *machineFlags) fromDaemon(ctx context.Context, t *tool, o *preflight.Options, path string) bool {
	status, err := fetch[control.Status](ctx, t, control.CommandStatus)
	if abs, _ := filepath.Abs(path); err != nil || status.Config != path && status.Config != abs {
		return false
	}
	shards, err := fetch[control.Shards](ctx, t, control.CommandShards)
	if err != nil {
		return false
	}
	x, err := fetch[control.XDP](ctx, t, control.CommandXDP)
	if err != nil {
		return false
	}
	o.PID = strconv.Itoa(status.PID)
	o.Daemon = &preflight.Daemon{Network: status.Network, Clock: status.Clock}
	for i := range shards.Shards {
		o.Shards = append(o.Shards, preflight.Shard{CPU: shards.Shards[i].CPU, Node: shards.Shards[i].Node})
	}
	for _, i := range x.Interfaces {
		o.Attached = append(o.Attached, i.Name)
	}
	return true
}

// maxConfig bounds a configuration in bytes, with what it includes.
const maxConfig = 64 << 20

// readConfig reads a configuration as the daemon does.
func readConfig(path string) (*config.Config, error) {
	c, problems, err := config.LoadFile(path, &diskfile.Files{Left: maxConfig})
	if err != nil {
		return nil, &control.Error{Code: control.CodeInvalidConfig, Message: err.Error(), Hint: "name the configuration with -config"}
	}
	if err := problems.Err(); err != nil {
		return nil, &control.Error{Code: control.CodeInvalidConfig, Message: err.Error(), Hint: "correct it; `heimdalld -check -config " + path + "` tells more"}
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	c.ResolvePaths(dir)
	return c, nil
}
