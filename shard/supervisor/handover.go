package supervisor

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/core/control"
	"heimdall/ebpf"
	"heimdall/netio/tcp"
	"heimdall/shard"
	"heimdall/shard/admin"
	"heimdall/shard/handover"
	"heimdall/shard/hot"
	"heimdall/shard/settings"
	"heimdall/shard/snapshot"
	"heimdall/shard/worker"
)

// Upgrade has a new process, of the binary that is at the place of this one's, take this one's place. Until it serves nothing
// changes. When it returns without an error, Replaced is closed, and HandOver is to be called.
func (s *Supervisor) Upgrade(ctx context.Context, within time.Duration) (*control.Upgrade, error) {
	if !s.reloading.TryLock() {
		return nil, &control.Error{Code: control.CodeUnavailable, Message: "a reload or an upgrade is under way", Hint: "wait for its end and try again"}
	}
	defer s.reloading.Unlock()
	s.upgrading.Store(true)
	defer s.upgrading.Store(false)
	s.resizing.Lock()
	defer s.resizing.Unlock()
	if s.stopped {
		return nil, control.Errorf(control.CodeUnavailable, "the daemon is ending")
	}
	began := time.Now()
	// Who asked for it may give up: what has begun goes on.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)()
	next, err := s.replace(ctx)
	if err != nil {
		return nil, &control.Error{
			Code: control.CodeUnavailable, Message: fmt.Sprintf("not upgraded, this process goes on serving: %v", err),
			Hint: "mend the cause and try again; `heimdalld -check -config " + s.path + "` looks at the configuration",
		}
	}
	return &control.Upgrade{PID: next.PID, Version: next.Version, Before: s.version, Shards: next.Shards, TookSeconds: time.Since(began).Seconds()}, nil
}

// replace starts the new process and brings it to serve.
func (s *Supervisor) replace(ctx context.Context) (*handover.Successor, error) {
	list := s.workers()
	// With programs, sockets that the new process opens besides get nothing before it serves. Without the right to load some it
	// goes without.
	_ = s.steering.Hold(socketsOf(list))
	next, err := s.launcher.Start()
	if err != nil {
		return nil, s.resume(list, err)
	}
	items, seed := s.offer(list)
	if err = next.Offer(ctx, items, seed, s.store, s.anchors.Runtime()); err == nil {
		err = next.Ready(ctx)
	}
	whole := func() bool { return true }
	if err == nil {
		whole, err = s.giveCaches(ctx, next)
	}
	var released bool
	if err == nil {
		released = s.releaseQueues(ctx, list)
		err = next.Serve(ctx)
	}
	if err != nil {
		whole()
		next.Abort()
		s.hot.TakeOver()
		if released {
			s.warn("AF_XDP is off since an upgrade that failed, all queries come through kernel sockets", nil)
		}
		return nil, s.resume(list, err)
	}
	s.stopped = true // nothing of it changes any more
	s.listener.Shut("another process serves from now on")
	s.successor = next
	s.tellReplaced(next.PID)
	next.Yours(!whole())
	close(s.replaced)
	return next, nil
}

// giveCaches gives the new process what the shards have in their caches. That it is not to be had is no reason not to go on.
func (s *Supervisor) giveCaches(ctx context.Context, next *handover.Successor) (whole func() bool, err error) {
	f, whole := s.tellCaches(ctx, snapshot.WriteOptions{})
	if f == nil {
		return func() bool { return true }, ctx.Err()
	}
	defer f.Close()
	return whole, next.Give(handover.Item{Kind: handover.Cache, FD: int(f.Fd())})
}

// resume steers as before an upgrade that has failed for err.
func (s *Supervisor) resume(list []*worker.Worker, err error) error {
	if e := s.steering.Resume(socketsOf(list)); e != nil {
		s.log.Warn("queries are not steered as before the upgrade", "error", e)
	}
	return err
}

// Replaced is closed when another process is the daemon.
func (s *Supervisor) Replaced() <-chan struct{} { return s.replaced }

// handedOver is isReplaced when an upgrade under way has ended.
func (s *Supervisor) handedOver() bool {
	s.resizing.Lock()
	defer s.resizing.Unlock()
	return s.isReplaced()
}

// isReplaced tells whether another process is the daemon.
func (s *Supervisor) isReplaced() bool {
	select {
	case <-s.replaced:
		return true
	default:
		return false
	}
}

// offer lists what another process takes over. The descriptors stay where they are.
func (s *Supervisor) offer(list []*worker.Worker) (items []handover.Item, seed []byte) {
	items = sockets(list)
	maps, listen := s.steering.Maps(), s.config().Server.Listen
	for i, fd := range maps.UDP {
		items = append(items, handover.Item{Kind: handover.SteeringUDP, Addr: listen[i].String(), FD: fd})
	}
	for i, fd := range maps.TCP {
		items = append(items, handover.Item{Kind: handover.SteeringTCP, Addr: listen[i].String(), FD: fd})
	}
	for _, l := range s.hot.Links() {
		items = append(items, handover.Item{Kind: handover.Link, Index: l.Ifindex, Mode: int(l.Mode), FD: l.FD})
	}
	socket, metrics := s.listener.FDs()
	items = append(items, handover.Item{Kind: handover.Admin, FD: socket})
	if metrics >= 0 {
		items = append(items, handover.Item{Kind: handover.Metrics, FD: metrics})
	}
	return items, maps.Seed[:]
}

// sockets lists those of shards.
func sockets(list []*worker.Worker) (items []handover.Item) {
	for i, of := range socketsOf(list) {
		for at := range of.UDP {
			items = append(items, handover.Item{Kind: handover.UDP, Shard: i, FD: of.UDP[at]}, handover.Item{Kind: handover.TCP, Shard: i, FD: of.TCP[at]})
		}
	}
	return items
}

// keepSockets has the service manager keep the sockets of all shards for the next process.
func (s *Supervisor) keepSockets() {
	if err := s.store.Keep(sockets(s.workers())); err != nil {
		s.log.Warn("a restart will lose queries", "error", err)
	}
}

// inheritedListeners are those of the process before.
func (s *Supervisor) inheritedListeners() admin.Inherited {
	from := admin.Nothing
	if fd, ok := s.given.Take(handover.Admin, handover.Any); ok {
		from.Socket = fd
	}
	if fd, ok := s.given.Take(handover.Metrics, handover.Any); ok {
		from.Metrics = fd
	}
	return from
}

// takeOverFrom takes the place of the process before, if there is one. The shards run.
func (s *Supervisor) takeOverFrom(list []*worker.Worker) error {
	if s.predecessor == nil {
		return nil
	}
	s.hearCaches(context.Background())
	for _, w := range list {
		if err := w.Listen(context.Background()); err != nil {
			return err
		}
	}
	if err := s.steerOn(list); err != nil {
		return err
	}
	s.hot.TakeOver()
	stale, err := s.predecessor.Serving(len(list))
	if err == nil && stale { // flushed meanwhile, there
		err = s.flushAll(context.Background(), list)
	}
	if err != nil {
		return err
	}
	go func() {
		s.predecessor.Streams(func(shard int, m tcp.Moved) {
			list := s.workers()
			list[uint(shard)%uint(len(list))].Adopt(m)
		})
		close(s.alone)
		// The sockets that it had besides are closed: the kernel may choose again.
		s.resizing.Lock()
		defer s.resizing.Unlock()
		if s.stopped {
			return
		}
		if err := s.steering.Rest(socketsOf(s.workers())); err != nil {
			s.log.Warn("queries are steered at a higher price than need be", "error", err)
		}
	}()
	return nil
}

// steerOn steers among the shards of list instead of the process before. It warns of what is not possible on this machine.
func (s *Supervisor) steerOn(list []*worker.Worker) error {
	by := settings.Steering(s.config())
	s.steering = hot.NewSteering(by)
	var m hot.Maps
	copy(m.Seed[:], s.given.Seed)
	for _, addr := range s.config().Server.Listen {
		at := func(it handover.Item) bool { return it.Addr == addr.String() }
		for kind, to := range map[handover.Kind]*[]int{handover.SteeringUDP: &m.UDP, handover.SteeringTCP: &m.TCP} {
			fd, ok := s.given.Take(kind, at)
			if *to = append(*to, fd); ok {
				defer unix.Close(fd)
			}
		}
	}
	err := s.steering.Adopt(socketsOf(list), m)
	if err != nil && by != ebpf.ByCPU {
		s.warn("steering by name is off, the kernel spreads queries by their addresses", err)
		return nil
	}
	return err
}

// releaseQueues gives up the AF_XDP queues, which one process alone can have. It tells whether there were any.
func (s *Supervisor) releaseQueues(ctx context.Context, list []*worker.Worker) bool {
	listen := len(s.config().Server.Listen)
	return s.hot.ReleaseQueues(func(q hot.Queue) {
		err := list[q.Shard].Do(ctx, func(sh *shard.Shard) { sh.Retire(listen + q.Port) })
		if err != nil {
			s.log.Warn("an AF_XDP queue is not given up", "interface", q.Interface, "queue", q.Number, "error", err)
		}
	})
}

// inheritLinks gets the program ready for the interfaces that have that of the process before.
func (s *Supervisor) inheritLinks(t *hot.Tier, mode ebpf.Mode) {
	s.given.Each(handover.Link, func(it handover.Item) {
		defer unix.Close(it.FD)
		nic, err := net.InterfaceByIndex(it.Index)
		if err != nil || !slices.Contains(s.config().XDP.Interfaces, nic.Name) {
			return // the program goes with the process before
		}
		is := ebpf.Mode(it.Mode)
		if mode != ebpf.Auto && mode != is {
			s.warn(fmt.Sprintf("%s: the XDP program stays in %v mode, another one takes a restart", nic.Name, is), nil)
		}
		if err := t.Inherit(hot.Link{FD: it.FD, Ifindex: it.Index, Mode: is}); err != nil {
			s.warn(nic.Name+": the XDP program cannot take the place of that of the process before", err)
		}
	})
}

// HandOver answers what the shards have, gives their streams to the process that has taken this one's place, and closes
// everything. It returns when they have ended.
func (s *Supervisor) HandOver() {
	s.caches.Leave()
	s.listener.HandOver()
	s.anycast.HandOver()
	s.leave(func(w *worker.Worker) {
		to := func(m tcp.Moved) { s.successor.Stream(w.ID(), m) }
		if w.ID() < s.successor.Shards { // nobody reads the sockets of others
			w.Deafen()
		}
		w.Leave(to)
	})
	s.successor.Close()
}
