package settings

import (
	"heimdall/core/config"
	"heimdall/core/control"
	"heimdall/shard/admin"
)

// Admin is the part of a configuration that operators are shown, without its path.
func Admin(c *config.Config) admin.Settings {
	l := &c.Limit
	out := admin.Settings{
		Files: c.Files(), Listen: c.Server.Listen, CacheEngine: c.Cache.Engine, XDPMode: c.XDP.Mode, ResolveTime: c.Resolver.Timeout,
		MetricsUpstreams: c.Admin.MetricsUpstreams, WebTop: c.Admin.WebTop,
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
