package supervisor

import (
	"context"

	"heimdall/core/dname"
)

// zoneChange is the zones of another configuration, loaded and not served yet. Either apply or discard ends it; until then
// no other versions are loaded.
type zoneChange struct {
	store     *zoneStore
	byName    map[string]*servedZone
	elsewhere []dname.Name
	fresh     []zoneCopies // what was loaded for it
	gone      []zoneCopies // what nobody serves once it is applied
}

// prepare loads the zones of a configuration: new ones, those of which a file has changed and those that could not be loaded
// before. Names at and below those of elsewhere are not served, unless a zone begins there. A zone that cannot be loaded
// keeps its old version, or is not ready: failures tells, once the change is applied.
func (z *zoneStore) prepare(ctx context.Context, list []zoneConfig, elsewhere ...dname.Name) (*zoneChange, error) {
	z.loads.Lock()
	if err := z.isSettled(); err != nil {
		z.loads.Unlock()
		return nil, err
	}
	c := &zoneChange{store: z, byName: map[string]*servedZone{}, elsewhere: elsewhere}
	var load []*servedZone
	z.mu.Lock()
	for _, want := range list {
		next := &servedZone{config: want}
		old := z.byName[string(want.Name)]
		switch {
		case old == nil:
			load = append(load, next)
		case old.config.File != want.File || old.config.IncludeFolder != want.IncludeFolder:
			next.version, next.loaded, next.took = old.version, old.loaded, old.took
			load = append(load, next)
		default:
			*next = *old
			next.config = want // its lines may be others
			if next.changed() {
				load = append(load, next)
			}
		}
		c.byName[string(want.Name)] = next
	}
	z.coming = c.byName
	z.mu.Unlock()
	for _, s := range load {
		before := z.load(ctx, s)
		if s.err == nil {
			c.fresh, c.gone = append(c.fresh, s.version), append(c.gone, before)
		}
	}
	return c, nil
}

// apply makes them the zones that shards are given from now on. Once none has others, settled may be called: it gives back
// the memory of what is not served any more.
func (c *zoneChange) apply() (settled func()) {
	z := c.store
	defer z.loads.Unlock()
	z.mu.Lock()
	defer z.mu.Unlock()
	for key, s := range z.byName {
		if c.byName[key] == nil {
			c.gone = append(c.gone, s.version)
		}
	}
	z.byName, z.coming, z.elsewhere = c.byName, nil, c.elsewhere
	z.current = z.setsOf()
	return z.retire(c.gone)
}

// discard leaves the zones as they are, and gives back the memory of what was loaded.
func (c *zoneChange) discard() {
	defer c.store.loads.Unlock()
	c.store.mu.Lock()
	c.store.coming = nil
	c.store.mu.Unlock()
	unmapAll(c.fresh)
}

// configure makes the zones those of a configuration. An error means that shards still have the sets of before.
func (z *zoneStore) configure(ctx context.Context, list []zoneConfig, elsewhere ...dname.Name) error {
	c, err := z.prepare(ctx, list, elsewhere...)
	if err != nil {
		return err
	}
	return z.swap(ctx, c.apply())
}
