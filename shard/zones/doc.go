// Package zones keeps the zones that are served: it loads them from their master files, gives the shards of each NUMA node
// a copy of their own, and takes old versions away when no shard uses them any more.
//
//	[[zone]] ── Configure, Prepare + Apply ─┐        ┌─ copy for node 0 ─┐
//	                                        ├─ read ─┤                   ├─ Set(node) ──> Publish ──> shards
//	commands ── Reload ─────────────────────┘        └─ copy for node 1 ─┘                   │
//	                        master files, $INCLUDE     a version of a zone    settled: the version before is unmapped
//
// A Store knows no shard. Its Publish has all shards fetch the set of their node, and says when none uses another; until
// then nothing else is loaded, so that there are two versions of a zone at most.
package zones
