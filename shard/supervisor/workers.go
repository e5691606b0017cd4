package supervisor

import (
	"context"

	"heimdall/shard"
	"heimdall/shard/worker"
)

// workers returns the workers of all shards, those that come and those that go included, in the order of their
// IDs. The list is never written to: a change of the number of shards puts another one in its place. Who calls
// it twice may get two lists.
func (s *Supervisor) workers() []*worker.Worker {
	if list := s.list.Load(); list != nil {
		return *list
	}
	return nil
}

// setWorkers puts a list in the place of what workers returns.
func (s *Supervisor) setWorkers(list []*worker.Worker) { s.list.Store(&list) }

// Turning returns nil when the loops of all shards that serve turn: each has carried out a command before ctx ended. A
// shard that is being started again is no fault.
func (s *Supervisor) Turning(ctx context.Context) error {
	return worker.EachServing(ctx, s.workers(), func(int, *worker.Worker, *shard.Shard) {})
}
