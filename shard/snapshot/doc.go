// Package snapshot carries the caches of the shards elsewhere: to a file and back after a restart, to the process that takes
// over, and to other shards when their number changes.
//
// What is carried does not depend on how a cache keeps its entries. It goes in small steps, each a command to a shard, so that
// no batch of queries waits for it, and enters a cache by the way that all answers go, within its memory, and without anything
// else having to go for it. Nothing is taken over that a flush or another configuration has made worthless meanwhile.
package snapshot
