package supervisor

import (
	"slices"
	"strings"
	"testing"

	"heimdall/shard/shardtest"
)

// A CPU that goes after the shards got theirs is missed, however early it goes.
func TestCPUGoesAtTheStart(t *testing.T) {
	r := newRig(t)
	pinned := *r.config()
	pinned.CPU.Pin = true
	r.inForce.Store(&pinned)
	now := r.machine.Topology.Online()
	done := make(chan struct{})
	defer close(done)
	go r.watchCPUs(append(slices.Clone(now), 8191), func() ([]int, error) { return now, nil }, done)
	// The rig's shard has no CPU of its own.
	shardtest.Until(t, "the threads to be bound anew", func() bool { return strings.Contains(r.log.String(), "CPUs of shards are offline") })
}
