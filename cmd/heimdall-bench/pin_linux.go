package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// pin binds the calling thread, number i of the generator, to its CPU, if the
// command line names CPUs.
func (g *generator) pin(i int) error {
	if len(g.opt.cpus) == 0 {
		return nil
	}
	cpu := g.opt.cpus[i%len(g.opt.cpus)]
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin the generator to CPU %d: %w", cpu, err)
	}
	return nil
}
