package settings

import "heimdall/core/config"

// GarbageRoom is a quarter of what the process and one shard may use besides the cache: README, "Memory". More shards
// may have more.
func GarbageRoom(c *config.Config) uint64 {
	question := 1 << 10
	switch {
	case c.Recursion.Enabled && c.Recursion.Validation:
		question = 6 << 10
	case c.Recursion.Enabled:
		question = 3 << 10
	}
	use := 16<<20 + c.Resolver.InFlight*5/4*question + c.Resolver.Waiting*512
	if c.Recursion.Validation {
		use += 8<<20 + 512<<10
	}
	return uint64(use) / 4
}
