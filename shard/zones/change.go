package zones

import (
	"context"
	"slices"
)

// Change is the zones of another configuration, loaded and not served yet. Either Apply or Discard ends it; until then
// no other versions are loaded.
type Change struct {
	store  *Store
	given  Given
	byName map[string]*served
	loaded []string  // names of zones
	fresh  []version // of them
	gone   []version // what nobody serves once the change is applied
}

// Prepare loads the zones of a configuration: new ones, those of which a file has changed and those that could not be loaded
// before. A zone that cannot be loaded keeps its old version, or is not ready: Failures tells, once the change is applied.
func (z *Store) Prepare(ctx context.Context, g Given) (*Change, error) {
	z.loads.Lock()
	if err := z.isSettled(); err != nil {
		z.loads.Unlock()
		return nil, err
	}
	c := &Change{store: z, given: g, byName: map[string]*served{}}
	for _, s := range c.compare() {
		before := z.load(ctx, s)
		if s.err == nil {
			c.loaded = append(c.loaded, s.zone.Name.String())
			c.fresh, c.gone = append(c.fresh, s.version), append(c.gone, before)
		}
	}
	slices.Sort(c.loaded)
	return c, nil
}

// compare makes the zones of the change out of those that are served, and returns which have to be loaded.
func (c *Change) compare() (load []*served) {
	z := c.store
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, want := range c.given.Zones {
		next := &served{zone: want}
		old := z.byName[string(want.Name)]
		switch {
		case old == nil:
			load = append(load, next)
		case old.zone.File != want.File || old.zone.IncludeFolder != want.IncludeFolder:
			next.version, next.loaded, next.took = old.version, old.loaded, old.took
			load = append(load, next)
		default:
			*next = *old
			next.zone = want // its lines may be others
			if next.changed() {
				load = append(load, next)
			}
		}
		c.byName[string(want.Name)] = next
	}
	z.coming = c.byName
	return load
}

// Loaded lists the names of the zones of which the change has another version than was served, in order.
func (c *Change) Loaded() []string { return c.loaded }

// Apply makes them the zones that shards are given from now on. Once none has others, settled may be called: it gives back
// the memory of what is not served any more.
func (c *Change) Apply() (settled func()) {
	z := c.store
	defer z.loads.Unlock()
	z.mu.Lock()
	defer z.mu.Unlock()
	for key, s := range z.byName {
		if c.byName[key] == nil {
			z.opt.Log.Info("a zone is not served any more", "zone", s.zone.Name.String())
			c.gone = append(c.gone, s.version)
		}
	}
	z.byName, z.coming, z.elsewhere = c.byName, nil, c.given.Elsewhere
	z.current = z.setsOf()
	return z.retire(c.gone)
}

// Discard leaves the zones as they are, and gives back the memory of what was loaded.
func (c *Change) Discard() {
	defer c.store.loads.Unlock()
	c.store.mu.Lock()
	c.store.coming = nil
	c.store.mu.Unlock()
	unmapAll(c.fresh)
}

// Configure makes the zones those of a configuration, and publishes them. An error says that they were not, or that shards
// are late.
func (z *Store) Configure(ctx context.Context, g Given) error {
	c, err := z.Prepare(ctx, g)
	if err != nil {
		return err
	}
	return z.opt.Publish(ctx, c.Apply())
}
