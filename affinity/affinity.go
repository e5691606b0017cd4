// Package affinity knows the machine's CPUs, SMT siblings and NUMA nodes, which of
// them the process may use, and where its shards should run. It pins threads and
// maps memory on a given node.
//
// The kernel keeps affinity for each thread, and the Go runtime starts threads
// whenever it likes; a new one inherits the mask of the thread that started it.
// What keeps housekeeping threads off the shard CPUs is therefore an order:
//
//  1. Survey, while the process still has the mask it was started with.
//  2. runtime.GOMAXPROCS with an explicit number. Otherwise the runtime follows
//     the mask and lowers it to the number of housekeeping CPUs after step 3.
//  3. HousekeepAll with the plan's housekeeping CPUs, before any shard runs.
//  4. In each shard: runtime.LockOSThread, then PinThread. The runtime never
//     clones a locked thread, so no other thread inherits a shard's CPU. A shard
//     must not unlock its thread: when its goroutine ends, the thread ends.
//
// Threads that the runtime starts later descend from those moved in step 3.
package affinity

import "errors"

// ErrNotSupported is wrapped by errors that mean this system cannot do it at all.
var ErrNotSupported = errors.New("not supported by this system")

const (
	// AnyCPU is the CPU of a shard that is not pinned.
	AnyCPU = -1
	// AnyNode is the NUMA node of a shard that is not pinned, and asks MapLocal
	// for memory of any node.
	AnyNode = -1
)
