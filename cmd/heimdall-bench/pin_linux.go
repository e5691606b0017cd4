package main

import (
	"fmt"

	"heimdall/affinity"
)

// pin binds the calling thread, number i of the generator, to its CPU, if the
// command line names CPUs.
func (g *generator) pin(i int) error {
	if len(g.opt.cpus) == 0 {
		return nil
	}
	cpu := g.opt.cpus[i%len(g.opt.cpus)]
	if err := affinity.PinThread(cpu); err != nil {
		return fmt.Errorf("pin the generator to CPU %d: %w", cpu, err)
	}
	return nil
}
