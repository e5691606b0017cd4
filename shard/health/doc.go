// Package health decides whether the daemon should get queries: a strict verdict, which load balancers, operators and the
// keeper of the anycast addresses ask for.
//
//	loops          the loop of each shard turns
//	zone answers   each shard answers for the SOA of zones that it serves, some at each look, all in turn
//	local answers  each shard answers a local name
//	recursion      other servers answer each shard, as far as it knows; see recursion
//	zones          no zone is without a version
//	service        the daemon does not drain
//
// The questions enter a shard as those of operators do (core.Engine.Resolve): they leave no trace in its counters.
package health
