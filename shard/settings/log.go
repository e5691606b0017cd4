package settings

import (
	"log/slog"

	"heimdall/core/config"
	"heimdall/shard/journal"
)

// Log is how the daemon logs.
func Log(c *config.Config) journal.Options {
	return journal.Options{Level: Level(c.Log.Level), Format: c.Log.Format, Burst: c.Log.Burst}
}

// Level is the level of a name that the configuration has checked.
func Level(name string) slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(name)); err != nil {
		return slog.LevelInfo
	}
	return l
}
