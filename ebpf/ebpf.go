// Package ebpf is tier 0: an XDP program that drops malformed queries, limits floods and answers the hottest
// names inside the kernel, and an SK_REUSEPORT program that gives each name one shard.
//
// The programs are written in C, under c/; their objects are committed. They are attached through links that
// end with the process. Where a kernel, a driver or a permission does not allow it, the error wraps
// ErrNotSupported and says why in one line.
package ebpf

import (
	"time"

	"github.com/cilium/ebpf"
)

// Options say what is fixed when the program is loaded.
type Options struct {
	Epoch   time.Time // zero of the clock whose seconds stand in each Answer
	Seed    Seed      // of the keys that answers are filed under
	Entries int       // hot answers at most; 0: none are given
	Reverse ReversePath

	barriers bool // between loads, as where CPUs reorder them; for tests elsewhere
}

// ReversePath says how the program checks the way back to a client, as rp_filter does: a query that fails is left to
// the kernel's own stack. The program finds no way while the loopback interface does not forward.
type ReversePath uint8

// The checks. FollowInterfaces has to be called for ReverseStrict, now and then.
const (
	ReverseOff    ReversePath = iota
	ReverseLoose              // there is a route to it
	ReverseStrict             // the route leads over the interface that the query has come on
)

// Feature is something that the programs need of the kernel.
type Feature struct {
	Name string
	Err  error // nil: it is there; wraps ErrNotSupported: it is not; else it could not be found out
}

// Mode is where in the kernel the program runs.
type Mode uint8

// The modes.
const (
	Auto    Mode = iota // native, or else generic
	Native              // in the driver, before the kernel has allocated anything for the packet
	Generic             // behind the driver, on any interface, at several times the cost
)

// String returns the mode as it stands in the configuration.
func (m Mode) String() string { return [...]string{"auto", "native", "generic"}[m] }

// ErrNotSupported is wrapped by what a kernel, a driver or a permission does not allow.
var ErrNotSupported = ebpf.ErrNotSupported

// Verdict is what the program has the kernel do with a packet.
type Verdict uint32

// The verdicts, as the kernel numbers them.
const (
	Drop Verdict = 1
	Pass Verdict = 2
	Send Verdict = 3
)
