package process

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
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
	room    func() uint64 // how many bytes of garbage may lie about
	percent int           // in force
	live    []metrics.Sample
}

// PaceCollector has the garbage collector let as many bytes of garbage lie about as room says, which is asked after each
// collection, and collect no more often than that needs. It is called once.
func PaceCollector(room func() uint64) {
	p := &garbagePace{room: room, live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	p.adjust()
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

// want is how much garbage may lie about beside so many bytes in use, in percent of them.
func (p *garbagePace) want(live uint64) int { return garbagePercent(live, p.room()) }

// garbagePercent is how much that is, with room for so many bytes of garbage.
func garbagePercent(live, room uint64) int {
	if live == 0 {
		live = 1
	}
	return int(min(max(100*room/live, leastGarbage), mostGarbage))
}
