package supervisor

import (
	"heimdall/shard/anycast"
	"heimdall/shard/health"
	"heimdall/shard/settings"
)

func (s *Supervisor) newChecker() *health.Checker {
	return health.New(health.Options{
		Workers: s.workers, Zones: s.zones.Standing, Settings: func() health.Settings { return settings.Health(s.config()) },
	})
}

// startAnycast begins to keep the service addresses, when the shards serve. Those of a process whose place this one takes stay.
func (s *Supervisor) startAnycast() *anycast.Keeper {
	return anycast.Start(anycast.Options{
		Look: s.health.Look, Settings: func() anycast.Settings { return settings.Anycast(s.config()) }, Log: s.log, Inherit: s.predecessor != nil,
	})
}
