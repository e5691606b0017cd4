package settings

import (
	"fmt"
	"path/filepath"

	"heimdall/core/config"
	"heimdall/shard/diskfile"
)

// maxConfig bounds a configuration file in bytes: all lists of clients may be full.
const maxConfig = 64 << 20

// Load reads and checks a configuration file. Relative names in it start at its folder. The error
// lists every problem, one a line, with file, line and key; warnings are returned beside the configuration.
func Load(path string) (*config.Config, config.Problems, error) {
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
