package control

import "context"

// fakeServer answers with what a test put into it and remembers the arguments.
type fakeServer struct {
	err     error
	status  Status
	shards  Shards
	lookup  CacheLookup
	lookups []CacheLookupArgs
	flushes []CacheFlushArgs
	reloads []ZoneReloadArgs
	zones   []ZoneLookupArgs

	profile  Profile
	profiles []ProfileArgs
}

func (f *fakeServer) Status(context.Context) (*Status, error) { return &f.status, f.err }
func (f *fakeServer) Shards(context.Context) (*Shards, error) { return &f.shards, f.err }

func (f *fakeServer) CacheLookup(_ context.Context, a CacheLookupArgs) (*CacheLookup, error) {
	f.lookups = append(f.lookups, a)
	return &f.lookup, f.err
}

func (f *fakeServer) CacheFlush(_ context.Context, a CacheFlushArgs) (*CacheFlush, error) {
	f.flushes = append(f.flushes, a)
	return &CacheFlush{Name: a.Name, Subtree: a.Subtree, Removed: 3}, f.err
}

func (f *fakeServer) CacheStats(context.Context) (*CacheStats, error) { return &CacheStats{}, f.err }
func (f *fakeServer) Upstreams(context.Context) (*Upstreams, error)   { return &Upstreams{}, f.err }
func (f *fakeServer) Reload(context.Context) (*Reload, error)         { return &Reload{}, f.err }

func (f *fakeServer) XDP(context.Context) (*XDP, error)       { return &XDP{}, f.err }
func (f *fakeServer) Health(context.Context) (*Health, error) { return &Health{}, f.err }

func (f *fakeServer) Zones(context.Context) (*ZoneList, error) { return &ZoneList{}, f.err }

func (f *fakeServer) ZoneReload(_ context.Context, a ZoneReloadArgs) (*ZoneList, error) {
	f.reloads = append(f.reloads, a)
	return &ZoneList{Zones: []ZoneInfo{{Name: a.Name, State: ZoneServing}}}, f.err
}

func (f *fakeServer) ZoneLookup(_ context.Context, a ZoneLookupArgs) (*ZoneLookup, error) {
	f.zones = append(f.zones, a)
	return &ZoneLookup{Name: a.Name, Type: a.Type, Rcode: "NOERROR"}, f.err
}

func (f *fakeServer) Upgrade(_ context.Context, a UpgradeArgs) (*Upgrade, error) {
	return &Upgrade{PID: 1 + a.Within}, f.err
}

func (f *fakeServer) Profile(_ context.Context, a ProfileArgs) (*Profile, error) {
	f.profiles = append(f.profiles, a)
	return &f.profile, f.err
}

func (f *fakeServer) Diff(context.Context) (*ConfigDiff, error) { return &ConfigDiff{}, f.err }

func (f *fakeServer) Explain(_ context.Context, a ExplainArgs) (*Explanation, error) {
	return &Explanation{Name: a.Name, Type: a.Type}, f.err
}

func (f *fakeServer) Tuned(context.Context, TunedArgs) (*Tuned, error) { return &Tuned{}, f.err }
