// Package verify checks the signatures that the shards meet, on threads of its own: a signature takes as long as a
// hundred hits, and a shard waits for nothing.
//
//	shard ── Verify ──> queue ── the client whose turn it is ──> thread, thread, ...
//	  ^                                                            │         │
//	  │                                                            └─> memo <┘  which signatures are good
//	  └──────────────── done, and a wake for several jobs ─────────────┘
//
// A Pool is what a shard knows as its Verifier. Its queue is fair to clients, however many jobs one of them causes; its
// memo remembers outcomes for all threads, those most dearly that took the longest.
package verify
