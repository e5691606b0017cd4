package check

import (
	"context"
	"errors"

	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/shard/settings"
	"heimdall/shard/zones"
)

// Config finds what start-up would find beyond the text of the configuration: CPUs that are not there, too
// little memory for the shards that this machine gets, faults in zones, although these do not keep the others from
// being served. It opens nothing that a running daemon may have open.
func Config(ctx context.Context, c *config.Config) (warnings []string, err error) {
	m, cpus := affinity.Survey()
	if cpus == nil {
		_, cpus = settings.Plan(m, c)
	}
	_, hints := settings.Hints(c)
	_, trust := settings.Anchors(c)
	warnings, loads := zones.Check(ctx, settings.Zones(c).Zones)
	return warnings, errors.Join(cpus, hints, trust, loads)
}
