package settings

import (
	"fmt"
	"os"

	"heimdall/core/config"
	"heimdall/shard/diskfile"
)

// maxConfig bounds a configuration in bytes, with the files that it includes: all lists of clients may be full.
const maxConfig = 64 << 20

// Load reads and checks a configuration file and those that it includes. Relative names start at the folder of their file. The error
// lists every problem, one a line, with file, line and key; warnings are returned beside the configuration.
func Load(path string) (*config.Config, config.Problems, error) {
	c, problems, err := config.LoadFile(path, &diskfile.Files{Left: maxConfig})
	if err != nil {
		return nil, nil, fmt.Errorf("read the configuration: %w", err)
	}
	if err := problems.Err(); err != nil {
		return nil, nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, nil, fmt.Errorf("find the folder of %s: %w", path, err)
	}
	c.ResolvePaths(dir)
	return c, problems.Warnings(), nil
}
