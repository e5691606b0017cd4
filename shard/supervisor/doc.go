// Package supervisor is the life cycle of the daemon: it starts the parts, reloads, changes the number of shards, follows the
// CPUs, and drains.
//
//	start:   settings ──> zones, anchors, verify ──> workers with their sockets ──> admin ──> hot ──> the shards serve
//	reload:  settings.Load ──> newChange ──> prepare, which may fail ──> apply, which may not ──> bring, on each shard's thread
//	drain:   hot, anchors ──> the shards answer what they have ──> admin ──> sockets, verify
//
// The parts know neither each other's beginnings and ends nor the configuration, and none knows the supervisor: it gives each
// the few functions that it needs, such as the one that gives the shards their trust anchors. What a reload brings to a shard
// that runs is in one function, bring, which also brings a shard up to date that is started again.
package supervisor
