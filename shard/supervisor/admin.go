package supervisor

import (
	"slices"

	"heimdall/core/control"
	"heimdall/shard/admin"
)

func (s *Supervisor) adminOptions() admin.Options {
	return admin.Options{
		Version: s.version, Epoch: s.epoch, Workers: s.workers, Histories: &s.histories, Hot: s.hot, Anchors: s.anchors, Verifier: s.verifier,
		Zones: s.zones, Settings: s.settings, Warnings: s.listWarnings, Reload: s.Reload, Log: s.log,
	}
}

// settings are what operators are told of the configuration in force.
func (s *Supervisor) settings() admin.Settings {
	c := s.config()
	l := &c.Limit
	out := admin.Settings{
		Path: s.path, Listen: c.Server.Listen, CacheEngine: c.Cache.Engine, XDPMode: c.XDP.Mode, ResolveTime: c.Resolver.Timeout,
		Limit: control.Limit{
			QueriesPerSecond: l.QueriesPerSecond, Burst: l.Burst, Slip: l.Slip, IPv4Prefix: l.IPv4Prefix, IPv6Prefix: l.IPv6Prefix,
			Exempt: len(l.Exempt), Deny: len(l.Deny),
		},
	}
	if c.XDP.AnswerCache {
		out.HotAnswers = c.XDP.AnswerEntries
	}
	return out
}

func (s *Supervisor) listWarnings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.warnings)
}
