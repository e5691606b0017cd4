package settings

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"heimdall/core/config"
	"heimdall/shard/snapshot"
)

// harmless are sections and keys of a configuration that decide nothing about answers in a cache.
var harmless = []string{
	"server.", "tcp.", "cpu.", "io.", "memory.", "xdp.", "limit.", "cache.", "resolver.", "admin.", "log.", "query_log", "dnstap", "security.", "anycast.",
	"health.", "recursion.allow", "recursion.trust_anchor_state",
}

// Decides returns a hash of what decides about answers: all of a configuration that is not known to be harmless, and the trust
// anchors in force, given as a hash. A cache of another hash is worthless.
func Decides(c *config.Config, anchors [32]byte) [32]byte {
	h := sha256.New()
	h.Write(anchors[:])
	for _, d := range config.Diff(new(config.Config), c) {
		if !beginsWithOne(d.Key, harmless) {
			fmt.Fprintf(h, "%s = %s\n", d.Key, d.New)
		}
	}
	return [32]byte(h.Sum(nil))
}

func beginsWithOne(key string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

// Snapshot is what the file with the caches takes.
func Snapshot(c *config.Config) snapshot.Settings {
	s := snapshot.Settings{
		File: c.Cache.File, Interval: c.Cache.SaveInterval, Rate: int64(c.Cache.SaveRate),
		// As much as a cache can tell, and twice that for one that had more memory.
		Limit: 2*int64(c.Cache.Memory) + 64<<20,
	}
	if c.Cache.Engine != "segment" {
		s.File = ""
	}
	return s
}
