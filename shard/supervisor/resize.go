package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/affinity"
	"heimdall/netio/tcp"
	"heimdall/shard"
	"heimdall/shard/settings"
	"heimdall/shard/worker"
)

// fixedShards says why the number of shards cannot change while the daemon runs; nil: it can, as far as is known
// without a try.
func (s *Supervisor) fixedShards() error {
	if len(s.hot.Queues()) > 0 {
		return errors.New("AF_XDP sockets belong to the receive queues of the interfaces")
	}
	return nil
}

// errFixed is wrapped by what a restart can do only.
var errFixed = errors.New("the number of shards is not changed while the daemon runs")

// passing tells whether what the kernel has refused for err may be had later.
func passing(err error) bool {
	return slices.ContainsFunc([]error{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.EAGAIN}, func(e error) bool { return errors.Is(err, e) })
}

// resize puts another plan into force: it starts and ends shards until there are as many as the plan has, and moves
// those that stay. No query is lost: a new shard gets queries when it serves, one that goes gets no more, answers what
// it has and hands its streams over. The same memory is divided among others: answers move to the shards that get their
// queries now, in the background; at no time have caches more memory together than cache.memory. On an error the old plan is in force again, as far as the machine lets it.
func (s *Supervisor) resize(ctx context.Context, plan *affinity.Plan) error {
	s.resizing.Lock()
	defer s.resizing.Unlock()
	if s.stopped {
		return worker.ErrStopped
	}
	if slices.Equal(plan.Shards, s.plan.Shards) && len(s.workers()) == len(plan.Shards) {
		if !slices.Equal(plan.Housekeeping, s.plan.Housekeeping) {
			s.plan = plan
			s.keepHouse(plan)
		}
		return nil
	}
	if err := s.fixedShards(); err != nil {
		return fmt.Errorf("%w: %w", errFixed, err)
	}
	old := s.workers()
	if err := s.steering.Hold(socketsOf(old)); passing(err) {
		return fmt.Errorf("change the number of shards: %w", err)
	} else if err != nil {
		return fmt.Errorf("%w: %w", errFixed, err)
	}
	began := time.Now()
	move := s.caches.Move(len(old), int64(s.config().Cache.Memory))
	s.move.Store(move)
	defer func() {
		s.move.Store(nil)
		move.Go()
	}()
	seats := settings.Seats(plan, s.config())
	var err error
	if len(seats) >= len(old) {
		err = s.grow(ctx, old, seats, plan)
	} else {
		err = s.shrink(ctx, old, seats)
	}
	s.keepSockets() // before the kernel chooses again among all that are open
	err = errors.Join(err, s.steering.Rest(socketsOf(s.workers())))
	if err == nil {
		s.plan = plan
		s.log.Info("the number of shards has changed", "shards", len(seats), "cpus", s.cpus(), "took", time.Since(began).Round(time.Millisecond))
	}
	s.keepHouse(s.plan)
	return err
}

func (s *Supervisor) planInForce() *affinity.Plan {
	s.resizing.Lock()
	defer s.resizing.Unlock()
	return s.plan
}

// grow moves the shards that there are and starts those that are missing.
func (s *Supervisor) grow(ctx context.Context, old []*worker.Worker, seats []worker.Seat, plan *affinity.Plan) (err error) {
	list := slices.Clone(old)
	before := make([]worker.Seat, len(old))
	for i, w := range old {
		before[i] = w.Seat()
	}
	defer func() {
		if err == nil {
			return
		}
		// Those that stay had made room. The new ones have got nothing yet.
		for _, w := range list[len(old):] {
			w.Stop()
			w.Release()
			w.Wait()
			w.Close()
		}
		s.setWorkers(old)
		err = errors.Join(err, s.steering.Turn(socketsOf(old)), s.seat(context.WithoutCancel(ctx), old, before))
	}()
	for id := len(old); id < len(seats); id++ {
		w, err := s.newWorker(id, seats[id])
		if err != nil {
			return err
		}
		list = append(list, w)
	}
	s.keepHouse(plan)
	if err := s.seat(ctx, old, seats); err != nil {
		return err
	}
	s.setWorkers(list)
	limit, cancel := context.WithTimeout(ctx, worker.CommandTime)
	defer cancel()
	if err := s.begin(limit, list[len(old):]); err != nil {
		return err
	}
	return s.steering.Turn(socketsOf(list))
}

// begin starts the shards of new workers, and returns when all of them serve, or ctx ends.
func (s *Supervisor) begin(ctx context.Context, list []*worker.Worker) error {
	started := make(chan error, len(list))
	for _, w := range list {
		w.Start(started)
	}
	var errs []error
	for range list {
		select {
		case err := <-started:
			errs = append(errs, err)
		case <-ctx.Done():
			return fmt.Errorf("start the shards: %w", ctx.Err())
		}
	}
	return errors.Join(errs...)
}

// leaveFor bounds the wait for shards that go: each gives up on what is in flight after settings.DrainFor.
const leaveFor = 2 * settings.DrainFor

// shrink ends the shards that are too many, and moves the others.
func (s *Supervisor) shrink(ctx context.Context, old []*worker.Worker, seats []worker.Seat) error {
	stay, leave := old[:len(seats)], old[len(seats):]
	if err := s.steering.Turn(socketsOf(stay)); err != nil {
		return errors.Join(err, s.steering.Turn(socketsOf(old)))
	}
	next := 0
	var mu sync.Mutex
	to := func(m tcp.Moved) {
		mu.Lock()
		defer mu.Unlock()
		stay[next%len(stay)].Adopt(m)
		next++
	}
	for _, w := range leave {
		w.Leave(to)
	}
	for end := time.Now().Add(leaveFor); !drained(leave) && time.Now().Before(end); {
		time.Sleep(drainPoll)
	}
	for _, w := range leave {
		w.Release()
	}
	// From the last one on: a classic program and the kernel's own hash know sockets by their places.
	for _, w := range slices.Backward(leave) {
		w.Wait()
		s.movesOf(w)
		w.Close()
	}
	s.setWorkers(stay)
	ctx = context.WithoutCancel(ctx)
	if err := s.seat(ctx, stay, seats); err != nil {
		return errors.Join(err, s.grow(ctx, stay, settings.Seats(s.plan, s.config()), s.plan))
	}
	return nil
}

// seat has each shard take its seat. One that is being started again does so by itself.
func (s *Supervisor) seat(ctx context.Context, list []*worker.Worker, seats []worker.Seat) error {
	for i, w := range list {
		w.Assign(seats[i])
	}
	ctx, cancel := context.WithTimeout(ctx, worker.CommandTime)
	defer cancel()
	errs := make([]error, len(list))
	err := worker.EachServing(ctx, list, func(i int, w *worker.Worker, sh *shard.Shard) {
		if errs[i] = s.settle(w, sh); errs[i] == nil {
			sh.Engine().SetZones(s.zones.Set(w.Seat().Node))
		}
	})
	return errors.Join(append(errs, err)...)
}
