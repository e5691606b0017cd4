package supervisor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/shard/diskfile"
	"heimdall/shard/settings"
	"heimdall/shard/zones"
)

// maxConfig bounds a configuration file in bytes: all lists of clients may be full.
const maxConfig = 64 << 20

// LoadConfig reads and checks a configuration file. Relative names in it start at its folder. The error
// lists every problem, one a line, with file, line and key; warnings are returned beside the configuration.
func LoadConfig(path string) (*config.Config, config.Problems, error) {
	text, err := diskfile.Read(path, maxConfig)
	if err != nil {
		return nil, nil, fmt.Errorf("read the configuration: %w", err)
	}
	c, problems := config.Load(path, text)
	if err := problems.Err(); err != nil {
		return nil, nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, nil, fmt.Errorf("find the folder of %s: %w", path, err)
	}
	c.ResolvePaths(dir)
	return c, problems.Warnings(), nil
}

// Check finds what start-up would find beyond the text of the configuration: CPUs that are not there, too
// little memory for the shards that this machine gets, faults in zones, although these do not keep the others from
// being served. It opens nothing that a running daemon may have open.
func Check(ctx context.Context, c *config.Config) (warnings []string, err error) {
	m, cpus := affinity.Survey()
	if cpus == nil {
		_, cpus = settings.Plan(m, c)
	}
	_, hints := settings.Hints(c)
	_, anchors := settings.Anchors(c)
	warnings, loads := zones.Check(ctx, settings.Zones(c).Zones)
	return warnings, errors.Join(cpus, hints, anchors, loads)
}
