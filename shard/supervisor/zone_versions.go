package supervisor

import (
	"slices"
	"time"
)

// versions tells when the version of each zone that is served was loaded, by the zone's name.
func (z *zoneStore) versions() map[string]time.Time {
	z.mu.Lock()
	defer z.mu.Unlock()
	at := make(map[string]time.Time, len(z.byName))
	for _, s := range z.byName {
		if s.version != nil {
			at[s.config.Name.String()] = s.loaded
		}
	}
	return at
}

// loadedSince lists the zones of which another version is served than that of before, in order of their names.
func (z *zoneStore) loadedSince(before map[string]time.Time) (names []string) {
	for name, at := range z.versions() {
		if old, served := before[name]; !served || !old.Equal(at) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
