package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// generator makes the traffic of one run.
type generator struct {
	opt   *options
	names names
	table *aliasTable // for drawZipf
	base  time.Time   // when the run's clock began
}

func newGenerator(o *options) (*generator, error) {
	n, err := o.names()
	if err != nil {
		return nil, err
	}
	g := &generator{opt: o, names: n, base: time.Now()}
	if o.scenario.law == drawZipf {
		g.table = newZipfTable(n.count(), o.zipf)
	}
	return g, nil
}

// clock returns the time since the run began in ns; never 0, which in a table of
// queries means none.
func (g *generator) clock() int64 { return int64(time.Since(g.base)) + 1 }

// flow is what one stream over all threads is to do.
type flow struct {
	attack attack // noAttack: the scenario's good queries
	rate   float64
	keys   onlyOnce // of coldNames
}

// run sends all flows to server for the given time and returns what became of
// each.
func (g *generator) run(ctx context.Context, server netip.AddrPort, duration time.Duration, flows ...flow) ([]*Result, error) {
	threads, err := g.threads(server, g.opt.threads, g.opt.timeout, flows...)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, t := range threads {
			t.close()
		}
	}()
	// The collector would stop the generator; what little a run allocates can wait.
	runtime.GC()
	start := g.clock() + int64(5*time.Millisecond)
	for _, t := range threads {
		for i, s := range t.streams {
			s.schedule = g.schedule(start, flows[i].rate/float64(len(threads)), duration)
			if g.opt.sharesCPU() {
				s.kernel = kernelTimes{clock: g.clock, epoch: time.Now().UnixNano() - g.clock()}
			}
		}
		if g.opt.sharesCPU() {
			t.rest = newRest(t.streams)
		}
	}
	if err := g.onThreads(threads, func(t *thread) { t.paced(ctx) }); err != nil {
		return nil, err
	}
	results := make([]*Result, len(flows))
	for i, f := range flows {
		sum := newTally(int64(g.opt.timeout))
		var kinds map[string]uint64
		for _, t := range threads {
			sum.merge(t.streams[i].tally)
			if m, ok := t.streams[i].load.(*malformed); ok {
				kinds = m.addKinds(kinds)
			}
		}
		if results[i], err = sum.result(duration.Seconds(), f.rate); err != nil {
			return nil, err
		}
		results[i].RepliesKind = kinds
	}
	return results, ctx.Err()
}

func (g *generator) schedule(start int64, rate float64, duration time.Duration) schedule {
	if g.opt.tcp {
		return newSchedule(start, rate, int64(duration), int64(g.opt.timeout), true)
	}
	return newSchedule(start, rate, int64(duration), lagUDP, false)
}

// warm asks for every name once; it returns what became of that and whether
// every name had a good reply.
func (g *generator) warm(ctx context.Context, server netip.AddrPort) (*Result, bool, error) {
	// A server that has to ask others may retry for longer than -timeout.
	patience := max(g.opt.timeout, 5*time.Second)
	threads, err := g.threads(server, 1, patience, flow{})
	if err != nil {
		return nil, false, err
	}
	t := threads[0]
	defer t.close()
	t.streams[0].draw = &once{end: g.cached()}
	began, complete := g.clock(), false
	err = g.onThreads(threads, func(t *thread) {
		complete = t.warm(ctx, g.cached(), g.opt.window, g.opt.warmLimit)
	})
	if err != nil {
		return nil, false, err
	}
	r, err := t.streams[0].result(float64(g.clock()-began)/1e9, 0)
	if err == nil {
		err = ctx.Err()
	}
	return r, complete, err
}

// onThreads runs do for each of threads on an OS thread of its own, pinned as the
// command line says.
func (g *generator) onThreads(threads []*thread, do func(*thread)) error {
	errs := make([]error, len(threads))
	var all sync.WaitGroup
	for i, t := range threads {
		all.Go(func() {
			// Never unlocked: the OS thread ends with the goroutine, and its pinning with it.
			runtime.LockOSThread()
			if errs[i] = g.pin(i); errs[i] == nil {
				do(t)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// threads makes n threads with one stream for each flow.
func (g *generator) threads(server netip.AddrPort, n int, timeout time.Duration, flows ...flow) ([]*thread, error) {
	threads := make([]*thread, n)
	for i := range threads {
		threads[i] = &thread{clock: g.clock}
		dial := dialTCP
		if !g.opt.tcp {
			dial = udpDialer(g.opt.sharesCPU())
		}
		for _, f := range flows {
			local := g.opt.local
			if f.attack.hostile() {
				local = g.opt.attackLocal
			}
			load, d := g.traffic(f)
			s, err := newStream(load, d, dial, local, server, g.lines(f.rate, n, timeout), int64(timeout))
			if err != nil {
				for _, t := range threads[:i+1] {
					t.close()
				}
				return nil, fmt.Errorf("reach %s: %w", server, err)
			}
			threads[i].streams = append(threads[i].streams, s)
		}
	}
	return threads, nil
}

// lines returns how many sockets a stream of a thread needs. A message ID must
// not come around on a socket while its last query may still be answered, or the
// late reply would pass for a wrong one.
func (g *generator) lines(rate float64, threads int, timeout time.Duration) int {
	needed := rate * timeout.Seconds() * 1.5 / (1 << 16)
	return (max(g.opt.sockets, int(needed)+1) + threads - 1) / threads
}

// traffic returns what a stream of one thread sends and how it chooses.
func (g *generator) traffic(f flow) (workload, draw) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	switch f.attack {
	case randomSubdomains:
		zone := g.opt.attackZone
		if zone == nil {
			zone = g.names.zone()
		}
		return &flood{zone: zone}, &fresh{key: rng.Uint64()}
	case malformedPackets:
		return &malformed{names: g.names}, &fresh{key: rng.Uint64()}
	case coldNames:
		return &lookups{names: g.names, edns: g.opt.edns}, &f.keys
	}
	load := &lookups{names: g.names, edns: g.opt.edns}
	if g.table != nil {
		return load, &zipf{table: g.table, rng: rng}
	}
	return load, &uniform{n: g.cached(), rng: rng}
}

// cached returns how many names the server has in its cache once it has been warmed up: the first ones.
func (g *generator) cached() uint64 {
	if g.opt.scenario.attack == coldNames {
		return min(g.opt.hot, g.names.count())
	}
	return g.names.count()
}
