package settings

import (
	"heimdall/core/config"
	"heimdall/shard/anycast"
	"heimdall/shard/health"
)

// Health is what the verdict of health is about.
func Health(c *config.Config) health.Settings {
	return health.Settings{
		Timeout: c.Health.Timeout, Local: c.Recursion.Enabled && c.Local.SpecialNames, Recursion: c.Recursion.Enabled && c.Health.Recursion,
		Probe: c.Health.ProbeName,
	}
}

// Anycast is which service addresses there are, and when.
func Anycast(c *config.Config) anycast.Settings {
	a := &c.Anycast
	return anycast.Settings{
		Addresses: a.Addresses, Interface: a.Interface, UpAfter: a.UpAfter, DownAfter: a.DownAfter, DrainWait: a.DrainWait, Lease: a.Lease,
		Interval: c.Health.Interval, Timeout: c.Health.Timeout,
	}
}
