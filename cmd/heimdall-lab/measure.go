package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"heimdall/affinity"
	"heimdall/cmd/heimdall-lab/lab"
)

// makeRoom moves this process, with the servers of the lab and the generator that it starts, to all CPUs but the
// first, which it returns for the resolvers. On a machine with one CPU all share it, and nil is returned.
func makeRoom() ([]int, error) {
	cpus, err := affinity.Allowed()
	if err != nil || len(cpus) < 2 {
		return nil, err
	}
	return cpus[:1], affinity.HousekeepAll(cpus[1:], nil)
}

// measure has heimdall-bench ask the resolvers for all names, in turn, and prints what it found.
func measure(ctx context.Context, l *lab.Lab, o *options, out io.Writer) error {
	names := o.names
	if names == "" {
		names = filepath.Join(l.Dir, "names")
		if err := writeNames(names, o.cold); err != nil {
			return err
		}
	}
	words := benchmark(l, o, names)
	words = append(words, "-rounds", strconv.Itoa(o.measure), "-pid", fmt.Sprintf("lab=%d", os.Getpid()))
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run heimdall-bench: %w", err)
	}
	return nil
}

// benchmark returns the words that measure the resolvers of the lab with the names of a file.
func benchmark(l *lab.Lab, o *options, names string) []string {
	words := []string{beside("heimdall-bench"), "-scenario", o.scenario, "-names", names}
	for i, pid := range l.PIDs() {
		name := o.resolvers[i]
		words = append(words, "-server", name+"="+addresses[i], "-pid", fmt.Sprintf("%s=%d", name, pid))
	}
	return l.Command(words[0], words[1:]...)
}

// writeNames writes a name in each of n zones.
func writeNames(file string, n int) error {
	if err := os.WriteFile(file, []byte(lab.ColdNames(n)), 0o644); err != nil {
		return fmt.Errorf("write the names: %w", err)
	}
	return nil
}
