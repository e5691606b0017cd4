package supervisor

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	"heimdall/core/config"
)

// A collection costs what is in use, however little garbage it finds: some 5 ms of CPU time for the 14 MiB of a daemon that
// has just begun. Where a quarter of that is let lie, a twelfth of the time of resolving goes into collections. But the
// documented memory is not what is in use: it has a quarter of all that may be in use, and that may lie about as garbage.

const (
	// leastGarbage is what may lie about of what is in use in percent, however much that is.
	leastGarbage = 25
	// mostGarbage bounds it where little is in use: beyond, collections cost next to nothing.
	mostGarbage = 400
)

// garbagePace adapts the pace of the garbage collector to what is in use, after each collection.
type garbagePace struct {
	config  func() *config.Config // that is in force
	percent int                   // in force
	live    []metrics.Sample
}

// paceCollector has the process take no more memory than is documented for the configuration that is in force, and collect
// no more often than that needs. It is called once.
func paceCollector(inForce func() *config.Config) {
	p := &garbagePace{config: inForce, live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	p.adjust()
}

// garbageRoom is a quarter of what the process and one shard may use besides the cache: README, "Memory". More shards
// may have more.
func garbageRoom(c *config.Config) uint64 {
	question := 1 << 10
	switch {
	case c.Recursion.Enabled && c.Recursion.Validation:
		question = 6 << 10
	case c.Recursion.Enabled:
		question = 3 << 10
	}
	use := 16<<20 + c.Resolver.InFlight*5/4*question + c.Resolver.Waiting*512
	if c.Recursion.Validation {
		use += 8<<20 + 512<<10
	}
	return uint64(use) / 4
}

// sentinel is garbage from the moment on that it is made: the next collection finds it.
type sentinel struct{ _ *sentinel }

// adjust sets the pace by what the last collection found in use, and waits for the next one.
func (p *garbagePace) adjust() {
	metrics.Read(p.live)
	// It stops all threads for a moment: not for little.
	if want := p.want(p.live[0].Value.Uint64()); want > p.percent+p.percent/8 || want < p.percent-p.percent/8 {
		p.percent = want
		debug.SetGCPercent(want)
	}
	runtime.SetFinalizer(new(sentinel), func(*sentinel) { p.adjust() })
}

// want is how much garbage may lie about beside so many bytes in use, by the configuration that is in force.
func (p *garbagePace) want(live uint64) int { return garbagePercent(live, garbageRoom(p.config())) }

// garbagePercent is how much garbage may lie about beside so many bytes in use.
func garbagePercent(live, room uint64) int {
	if live == 0 {
		live = 1
	}
	return int(min(max(100*room/live, leastGarbage), mostGarbage))
}
