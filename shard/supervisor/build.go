package supervisor

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"heimdall/affinity"
	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/core/config"
	"heimdall/core/policy"
	"heimdall/core/resolver"
	"heimdall/netio/tcp"
	"heimdall/netio/udp"
	"heimdall/shard"
	"heimdall/shard/handover"
	"heimdall/shard/listen"
	"heimdall/shard/settings"
	"heimdall/shard/tap/ring"
	"heimdall/shard/worker"
)

// makeWorkers opens the sockets of all shards. They are opened socket by socket in the order of the shards: where eBPF
// is not permitted, a steering program knows them by that order.
func (s *Supervisor) makeWorkers() error {
	c := s.config()
	var list []*worker.Worker
	defer func() { s.setWorkers(list) }() // Stop closes what an error has left open
	for id, to := range settings.Seats(s.plan, c) {
		w, err := s.newWorker(id, to)
		if err != nil {
			return err
		}
		list = append(list, w)
	}
	if s.predecessor != nil {
		return nil // which steers as yet
	}
	return s.startSteering(list)
}

// newWorker makes a worker and opens its sockets.
func (s *Supervisor) newWorker(id int, to worker.Seat) (*worker.Worker, error) {
	c := s.config()
	var w *worker.Worker
	var given *update // what the Engine was made with; of the shard's thread
	o := settings.Shard(c)
	o.ID, o.Verifier, o.TCP.Starved = id, s.verifier, s.starved.Tell
	o.Tap = func() (*ring.Ring, ring.Selection) { return s.tap.Ring(id) }
	o.NewEngine = func(p core.Performer) (*core.Engine, error) {
		given = s.newUpdate()
		return s.engine(w, given, p)
	}
	w = worker.New(worker.Options{
		Epoch: s.epoch, History: s.histories.Of(id), Log: s.log,
		Map: func(node, size int) ([]byte, error) {
			return affinity.MapLocal(node, size, s.config().Memory.HugePages)
		},
		Fresh: func(sh *shard.Shard) {
			s.freshen(w, sh, given)
			given = nil
		},
		Shard: o,
	}, to)
	each := settings.UDP(c, netip.AddrPort{}).MemorySize() // whatever the address
	packets, err := w.MapPackets(len(c.Server.Listen)*each + shard.BufferSize(c.IO.Batch))
	if err != nil {
		return nil, err
	}
	// There, for what the kernel has for a socket lies on the node of the CPU that opens it.
	affinity.On(to.CPU, func() {
		for _, addr := range c.Server.Listen {
			if err = s.listen(w, addr, packets[:each:each]); err != nil {
				return
			}
			packets = packets[each:]
		}
	})
	w.Shard.Buffers = packets
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// listen opens a worker's sockets of one address, with memory for the datagrams that come.
func (s *Supervisor) listen(w *worker.Worker, addr netip.AddrPort, memory []byte) error {
	c := s.config()
	o := settings.UDP(c, addr)
	o.Memory = memory
	var port *udp.Port
	var err error
	fd, given := s.given.Socket(handover.UDP, w.ID(), addr)
	switch {
	case given:
		if port, err = udp.Adopt(fd, o); err != nil {
			unix.Close(fd)
			return err
		}
	case w.ID() == 0:
		if err := listen.Alone(addr, c.FreeBind(addr.Addr())); err != nil {
			return err
		}
		fallthrough
	default:
		if port, err = listen.UDP(o); err != nil {
			return err
		}
	}
	w.Shard.Ports = append(w.Shard.Ports, port)
	if w.ID() == 0 {
		for _, text := range port.Warnings() {
			s.warn(text, nil)
		}
	}
	var l *tcp.Listener
	if fd, given := s.given.Socket(handover.TCP, w.ID(), addr); !given {
		if l, err = listen.TCP(addr, c.FreeBind(addr.Addr())); err != nil {
			return err
		}
	} else if l, err = tcp.Adopt(fd, addr); err != nil {
		unix.Close(fd)
		return err
	}
	w.Shard.Listeners = append(w.Shard.Listeners, l)
	return nil
}

// engine makes the Engine of a shard, on the shard's thread.
func (s *Supervisor) engine(w *worker.Worker, u *update, p core.Performer) (*core.Engine, error) {
	c := u.config
	mem, err := w.Memory()
	if err != nil {
		return nil, err
	}
	forAnswers, forRecords := settings.Split(c, mem)
	answers, err := cache.NewAnswers(settings.Answers(c, forAnswers))
	if err != nil {
		return nil, err
	}
	r := settings.Resolver(c)
	r.Memory, r.TrustMemory = forRecords, resolver.TrustMemory(len(mem))
	r.RootHints, r.Anchors, r.Notify, r.Misdated = s.hints, u.anchors, s.bare.Tell, s.clock.Suspect
	return core.New(core.Options{
		Rules:     u.rules,
		Zones:     s.zones.Set(w.Seat().Node),
		Answers:   answers,
		Resolver:  resolver.New(r, settings.Random()),
		Queue:     policy.NewFairQueue(settings.Queue(c)),
		Performer: p,
		Waiters:   w.Shard.Waiters,
	}), nil
}

// giveMemory has the caches of an Engine start again in other memory. It returns what answers were in the memory before.
func giveMemory(e *core.Engine, mem []byte, c *config.Config) (left *cache.Answers, err error) {
	answers, records := settings.Split(c, mem)
	if left, err = e.Answers().Detach(answers); err != nil {
		return nil, err
	}
	e.Resolver().SetMemory(records, resolver.TrustMemory(len(mem)))
	return left, nil
}
