package supervisor

import (
	"net/netip"
	"slices"

	"heimdall/core/dname"
	"heimdall/shard/admin"
	"heimdall/shard/settings"
)

func (s *Supervisor) adminOptions() admin.Options {
	return admin.Options{
		Version: s.version, Epoch: s.epoch, Workers: s.workers, Histories: &s.histories, Hot: s.hot, Anchors: s.anchors, Verifier: s.verifier,
		Sandbox: s.confined.String(), Zones: s.zones, Caches: s.caches, Tap: s.tap, Settings: s.settings, Warnings: s.listWarnings, Reload: s.Reload,
		Diff: s.Diff, Place: s.place, Owner: func(name dname.Name) int { return s.owner(name, len(s.workers())) },
		Upgrade: s.Upgrade, Refused: s.refused.Load, Log: s.log, Journal: s.journal,
		Health: s.health.Verdict, Glance: s.health.Glance, Anycast: s.anycast.Report,
		Network: s.reach.Warning, Clock: s.clock.Warning,
	}
}

func (s *Supervisor) listenAdmin() (*admin.Listener, error) {
	c := &s.config().Admin
	return admin.Listen(admin.Addresses{Socket: c.Socket, Metrics: c.Metrics, Web: c.Web}, s.inheritedListeners(), s.log)
}

// settings are the part of the configuration in force that operators are shown.
func (s *Supervisor) settings() admin.Settings {
	out := settings.Admin(s.config())
	out.Path = s.path
	return out
}

// place tells where what is in force stands in the configuration.
func (s *Supervisor) place(key string, p netip.Prefix) string {
	return settings.Place(s.config(), key, p)
}

func (s *Supervisor) listWarnings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.warnings)
}
