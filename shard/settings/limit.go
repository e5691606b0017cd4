package settings

import (
	"heimdall/core/config"
	"heimdall/core/policy"
	"heimdall/ebpf"
	"heimdall/shard/seed"
)

// kernelLimits are those that the XDP program applies, for all shards together.
func kernelLimits(c *config.Config) ebpf.Limits {
	l := &c.Limit
	return ebpf.Limits{
		PerSecond: uint32(l.QueriesPerSecond), Burst: uint32(l.Burst), Slip: uint32(l.Slip),
		IPv4Bits: uint8(l.IPv4Prefix), IPv6Bits: uint8(l.IPv6Prefix),
	}
}

// limiter makes the Limiter of one shard. A client whose flows are spread over the shards may have its rate at
// each: a part of the rate would be too little for one that has a single flow.
//
// Behind the XDP program, where filtered is set, the shards must not strike what it has let pass, which may come in clumps
// out of a receive queue: they take twice the rate, and what comes of it in a part of a second at once. That bounds what
// goes around the program: fragments, IP options and extension headers, other interfaces.
func limiter(c *config.Config, filtered bool) *policy.Limiter {
	l := &c.Limit
	o := policy.LimitOptions{
		PerSecond: uint32(l.QueriesPerSecond), Burst: uint32(l.Burst), Slip: uint32(l.Slip),
		IPv4Bits: l.IPv4Prefix, IPv6Bits: l.IPv6Prefix, Exempt: l.Exempt, Deny: l.Deny, Seed: seed.Uint64(),
	}
	if filtered {
		o.PerSecond *= 2
		o.Burst = o.Burst*2 + o.PerSecond/backlogPart
	}
	return policy.NewLimiter(o)
}

// backlogPart of a second is how long a receive queue may hold back what then comes at once; io.shed_after is less.
const backlogPart = 4
