package supervisor

import (
	"heimdall/core/dname"
	"heimdall/shard/settings"
	"heimdall/shard/snapshot"
)

func (s *Supervisor) newCaches() *snapshot.Keeper {
	k := snapshot.New(snapshot.Options{Workers: s.workers, Owner: s.owner, Log: s.log})
	k.Configure(settings.Snapshot(s.config()))
	return k
}

// owner returns which of so many shards gets the queries for a name, below 0 if any may.
func (s *Supervisor) owner(name dname.Name, shards int) int {
	if o := s.owners.Load(); o != nil {
		return o.Of(name, shards)
	}
	return -1
}

// setOwners notes who owns the names. The steering has begun.
func (s *Supervisor) setOwners() {
	if len(s.hot.Queues()) == 0 {
		s.owners.Store(s.steering.Owners(len(s.workers())))
	}
}

// decide says what decides about answers from now on: answers that are on their way to a shard under what did before do not
// arrive. Call it before the shards are told.
func (s *Supervisor) decide() {
	s.caches.Guard().Decides(settings.Decides(s.config(), s.anchors.Digest()))
}
