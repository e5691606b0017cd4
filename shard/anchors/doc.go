// Package anchors keeps the trust anchors: where chains of trust begin, and where they end by the operator's word.
//
//	recursion.trust_anchors, negative_trust_anchors ── Load ── Configure ─┐
//	commands ── Add, Remove ───────────────────────────────────────────────> in force ── Set ──> a shard
//	the root's keys ── Ask ──> update (RFC 5011) <──> its state file ──────┘
//
// A Keeper knows no shard. What is in force it gives by Set, one set to each; when that has changed by a command or by
// the update, it calls Give, which has the shards fetch their sets.
package anchors
