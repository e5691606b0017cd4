package supervisor

import (
	"context"
	"os"
	"time"

	"heimdall/core/dname"
	"heimdall/ebpf"
	"heimdall/shard"
	"heimdall/shard/handover"
	"heimdall/shard/settings"
	"heimdall/shard/snapshot"
	"heimdall/shard/worker"
)

const (
	// tellFor bounds how long the shards tell what they have in their caches: what is worth most comes first.
	tellFor = 20 * time.Second
	// hearFor bounds how long a new process waits for its caches before it serves without the rest.
	hearFor = 20 * time.Second
)

// tellCaches writes what the shards have in their caches to memory, sealed; nil: it cannot, and another process starts cold. whole
// is that of snapshot.Keeper.Tell.
func (s *Supervisor) tellCaches(ctx context.Context, o snapshot.WriteOptions) (f *os.File, whole func() bool) {
	f, err := handover.Memory()
	if err == nil {
		o.Within = tellFor
		var sum snapshot.Summary
		if sum, whole, err = s.caches.Tell(ctx, f, o); err == nil {
			if err = handover.Seal(f); err == nil {
				s.log.Info("the caches are handed over", "entries", sum.Entries, "bytes", sum.Bytes, "took", sum.Took.Round(time.Millisecond))
				return f, whole
			}
			whole()
		}
		f.Close()
	}
	s.log.Warn("the caches are not handed over", "error", err)
	return nil, nil
}

// hearCaches has the shards, which run, take over what was in the caches of the process before.
func (s *Supervisor) hearCaches(ctx context.Context) {
	fd, ok := s.given.Take(handover.Cache, handover.Any)
	if !ok {
		return
	}
	// Names have the owners that they had.
	if settings.Steering(s.config()) == ebpf.ByName && s.given.Has(handover.SteeringUDP) && len(s.given.Seed) == len(ebpf.Seed{}) {
		s.owners.Store(ebpf.NewOwners(ebpf.Seed(s.given.Seed)))
	}
	f, size, err := handover.Sealed(fd)
	var sum snapshot.Summary
	if err == nil {
		defer f.Close()
		ctx, cancel := context.WithTimeout(ctx, hearFor)
		defer cancel()
		sum, err = s.caches.Hear(ctx, f, size)
	}
	if err != nil {
		s.log.Warn("not all of the caches of the process before is taken over", "entries", sum.Entries, "error", err)
		return
	}
	s.log.Info("the caches are as they were", "entries", sum.Entries, "took", sum.Took.Round(time.Millisecond))
}

// flushAll empties the caches of all shards.
func (s *Supervisor) flushAll(ctx context.Context, list []*worker.Worker) error {
	ctx, cancel := context.WithTimeout(ctx, worker.CommandTime)
	defer cancel()
	s.caches.Guard().Flushed(dname.Root(), true)
	return worker.EachServing(ctx, list, func(_ int, _ *worker.Worker, sh *shard.Shard) {
		sh.Engine().Answers().FlushAll()
		sh.Engine().Resolver().Flush(dname.Root(), true)
	})
}

// storeCaches leaves the caches with the service manager for the next process.
func (s *Supervisor) storeCaches() {
	if !s.store.Keeps() {
		return
	}
	f, whole := s.tellCaches(context.Background(), snapshot.WriteOptions{Hurry: true})
	if f == nil {
		return
	}
	defer f.Close()
	if !whole() {
		return
	}
	s.resizing.Lock()
	defer s.resizing.Unlock()
	if err := s.store.Add(handover.Item{Kind: handover.Cache, FD: int(f.Fd())}); err != nil {
		s.log.Warn("the caches are not kept over a restart", "error", err)
	}
}
