// Package settings says what each part of the daemon takes of the configuration: it translates config.Config into the
// Options of the other packages, which know no configuration.
//
//	                 ┌─ Plan, Seats ───────────────────────> CPUs, memory
//	                 ├─ Fitting, UDP, Shard ───────────────> the sockets and the loop of a shard
//	config.Config ───┼─ Rules, Answers, Queue, Resolver ───> the Engine of a shard
//	                 ├─ Zones, Anchors, Verify ────────────> what the shards read, and who checks signatures
//	                 └─ Hot, HotRules, Steering, Queues ───> tier 0
//
// Its functions keep nothing. What of it is fixed at the start and what a reload brings to the shards that run is the
// supervisor's: its function bring.
package settings
