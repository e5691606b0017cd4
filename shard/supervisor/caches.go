package supervisor

import (
	"heimdall/affinity"
	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/shard/settings"
	"heimdall/shard/snapshot"
	"heimdall/shard/worker"
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

// moves gives the answers that a shard had to the move that is under way, with the memory that they are in. False: there is
// none, and they are lost.
func (s *Supervisor) moves(w *worker.Worker, left *cache.Answers, memory []byte) bool {
	m := s.move.Load()
	if m == nil || s.config().Cache.Engine != "segment" {
		return false
	}
	if _, records := settings.Split(s.config(), memory); len(records) > 0 {
		affinity.Discard(records) // what was learned on the way to answers does not move
	}
	return m.Add(snapshot.Left{Shard: w.ID(), Worker: w, Answers: left, Memory: memory})
}

// movesOf is moves for a worker that has ended and is not closed.
func (s *Supervisor) movesOf(w *worker.Worker) {
	sh := w.Current()
	if sh == nil || sh.Engine() == nil {
		return
	}
	if mem := w.TakeMemory(); mem != nil && !s.moves(w, sh.Engine().Answers(), mem) {
		affinity.Unmap(mem)
	}
}
