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
	// leastGarbage is the least garbage that the pace allows, in percent of what is in use.
	leastGarbage = 25
	// mostGarbage is the most: beyond it collections cost next to nothing.
	mostGarbage = 400
)

// garbagePace adapts the pace of the garbage collector to what is in use, after each collection.
type garbagePace struct {
	room    func() uint64 // how many bytes of garbage may lie about
	percent int           // in force
	live    []metrics.Sample
}

// PaceCollector lets garbage grow to as many bytes as room returns, so that collections are no more frequent than needed.
// It asks room after each collection. Call it once.
func PaceCollector(room func() uint64) {
	p := &garbagePace{room: room, live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	p.adjust()
}

// sentinel is garbage as soon as it is made, so the next collection finds it.
type sentinel struct{ _ *sentinel }

// adjust sets the pace by what the last collection found in use, and waits for the next one.
func (p *garbagePace) adjust() {
	metrics.Read(p.live)
	// A new pace stops all threads for a moment, so a small difference is not worth it.
	if want := p.want(p.live[0].Value.Uint64()); want > p.percent+p.percent/8 || want < p.percent-p.percent/8 {
		p.percent = want
		debug.SetGCPercent(want)
	}
	runtime.SetFinalizer(new(sentinel), func(*sentinel) { p.adjust() })
}

// want returns how much garbage is allowed beside live bytes in use, in percent of them.
func (p *garbagePace) want(live uint64) int {
	return int(min(max(100*p.room()/max(live, 1), leastGarbage), mostGarbage))
}
