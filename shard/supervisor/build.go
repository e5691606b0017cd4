package supervisor

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"time"

	"heimdall/affinity"
	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/core/config"
	"heimdall/core/dname"
	"heimdall/core/local"
	"heimdall/core/policy"
	"heimdall/core/resolver"
	"heimdall/netio/outbound"
	"heimdall/netio/tcp"
	"heimdall/netio/udp"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// planCPUs decides where the shards and all other threads run.
func planCPUs(m *affinity.Machine, c *config.Config) (*affinity.Plan, error) {
	plan, err := m.Plan(c.CPU.Shards.Spec(), c.CPU.Pin, c.CPU.Housekeeping)
	if err != nil {
		return nil, c.Problem("cpu.shards", "%v", err)
	}
	if err := c.CheckShards(len(plan.Shards)); err != nil {
		return nil, err
	}
	if !c.CPU.Housekeeping.Auto() {
		if err := m.Refuse(c.CPU.Housekeeping); err != nil {
			return nil, c.Problem("cpu.housekeeping", "%v", err)
		}
		plan.Housekeeping = c.CPU.Housekeeping
	}
	return plan, nil
}

// makeWorkers opens the sockets of all shards. They are opened socket by socket in the order of the shards: where eBPF
// is not permitted, a steering program knows them by that order.
func (s *Supervisor) makeWorkers() error {
	c := s.config()
	var list []*worker.Worker
	defer func() { s.setWorkers(list) }() // Stop closes what an error has left open
	for id, to := range seatsOf(s.plan, c) {
		w, err := s.newWorker(id, to)
		if err != nil {
			return err
		}
		list = append(list, w)
	}
	return s.startSteering(list)
}

// seatsOf gives each shard of a plan an equal part of the memory for the cache.
func seatsOf(plan *affinity.Plan, c *config.Config) (list []worker.Seat) {
	for _, p := range plan.Shards {
		list = append(list, worker.Seat{Placement: p, Memory: int(c.Cache.Memory) / len(plan.Shards)})
	}
	return list
}

// newWorker makes a worker and opens its sockets.
func (s *Supervisor) newWorker(id int, to worker.Seat) (*worker.Worker, error) {
	c := s.config()
	var w *worker.Worker
	var given *update // what the Engine was made with; of the shard's thread
	w = worker.New(worker.Options{
		Epoch: s.epoch, History: s.histories.Of(id), Log: s.log,
		Map: func(node, size int) ([]byte, error) {
			return affinity.MapLocal(node, size, s.config().Memory.HugePages)
		},
		Fresh: func(sh *shard.Shard) {
			s.freshen(w, sh, given)
			given = nil
		},
		Shard: shard.Options{
			ID: id, Pin: c.CPU.Pin, Batch: c.IO.Batch, Spin: c.IO.Spin,
			Waiters:  c.Resolver.InFlight + c.Resolver.Waiting,
			DrainFor: min(c.Resolver.Timeout+time.Second, drainFor),
			TCP:      tcpOptions(c, s.starved.Tell),
			Outbound: outboundOptions(c),
			Verifier: s.verifier,
			NewEngine: func(p core.Performer) (*core.Engine, error) {
				given = s.newUpdate()
				return s.engine(w, given, p)
			},
		},
	}, to)
	var err error
	// There, for what the kernel has for a socket lies on the node of the CPU that opens it.
	affinity.On(to.CPU, func() {
		for _, addr := range c.Server.Listen {
			if err = s.listen(w, addr); err != nil {
				return
			}
		}
	})
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// drainFor is how long a shard that was told to end waits at most for what is in flight. Who then still waits is
// told SERVFAIL.
const drainFor = 10 * time.Second

// listen opens a worker's sockets of one address.
func (s *Supervisor) listen(w *worker.Worker, addr netip.AddrPort) error {
	c := s.config()
	if w.ID() == 0 {
		if err := alone(c, addr); err != nil {
			return err
		}
	}
	port, err := udp.Listen(udp.Options{
		Addr: addr, ReusePort: true, FreeBind: c.Server.FreeBind, RcvBuf: int(c.Server.RcvBuf), SndBuf: int(c.Server.SndBuf), Batch: c.IO.Batch,
	})
	if err != nil {
		return fmt.Errorf("listen on %v over UDP: %w", addr, advise(err, addr))
	}
	w.Shard.Ports = append(w.Shard.Ports, port)
	if w.ID() == 0 {
		for _, text := range port.Warnings() {
			s.warn(text, nil)
		}
	}
	l, err := listenTCP(c, addr)
	if err != nil {
		return err
	}
	w.Shard.Listeners = append(w.Shard.Listeners, l)
	return nil
}

func tcpOptions(c *config.Config, starved func()) tcp.Options {
	return tcp.Options{
		MaxConns: c.TCP.MaxConnections, MaxPerClient: c.TCP.MaxPerClient, Idle: c.TCP.IdleTimeout,
		MaxPipelined: c.TCP.MaxPipelined, MaxQueued: int(c.TCP.MaxQueued),
		Starved: starved, Unanswered: 2*c.Resolver.Timeout + 10*time.Second,
	}
}

func outboundOptions(c *config.Config) outbound.Options {
	return outbound.Options{Ports: c.Resolver.UpstreamPorts, Grace: c.Resolver.Timeout, RcvBuf: int(c.Server.RcvBuf), Rand: newRand(), NoIPv4: !c.Recursion.IPv4, NoIPv6: !c.Recursion.IPv6}
}

// newRand makes a generator that nobody can predict: ChaCha8 with a seed from the kernel.
func newRand() *mathrand.ChaCha8 {
	var seed [32]byte
	rand.Read(seed[:])
	return mathrand.NewChaCha8(seed)
}

func newSeed() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.NativeEndian.Uint64(b[:])
}

// engine makes the Engine of a shard, on the shard's thread.
func (s *Supervisor) engine(w *worker.Worker, u *update, p core.Performer) (*core.Engine, error) {
	c := u.config
	mem, err := w.Memory()
	if err != nil {
		return nil, err
	}
	forAnswers, forRecords := split(mem, c)
	answers, err := cache.NewAnswers(answersOptions(c, forAnswers))
	if err != nil {
		return nil, err
	}
	return core.New(core.Options{
		Rules:    u.rules,
		Zones:    s.zones.Set(w.Seat().Node),
		Answers:  answers,
		Resolver: resolver.New(s.resolverOptions(u, w.Shard.Waiters, forRecords, resolver.TrustMemory(len(mem))), newRand()),
		Queue: policy.NewFairQueue(policy.FairOptions{
			Seed: newSeed(), InFlight: c.Resolver.InFlight, Parked: c.Resolver.Waiting, Share: c.Resolver.PerClient,
			IPv4Bits: c.Resolver.ClientIPv4Prefix, IPv6Bits: c.Resolver.ClientIPv6Prefix,
		}),
		Performer: p,
		Waiters:   w.Shard.Waiters,
	}), nil
}

// split divides a shard's memory between whole answers and the records that resolution from the root has
// learned. A forwarder needs no records.
func split(mem []byte, c *config.Config) (answers, records []byte) {
	if !c.Recursion.Enabled {
		return mem, nil
	}
	at := len(mem) - len(mem)/4
	return mem[:at:at], mem[at:]
}

// giveMemory has the caches of an Engine start again in other memory.
func giveMemory(e *core.Engine, mem []byte, c *config.Config) error {
	answers, records := split(mem, c)
	if err := e.Answers().SetMemory(answers); err != nil {
		return err
	}
	e.Resolver().SetMemory(records, resolver.TrustMemory(len(mem)))
	return nil
}

func (s *Supervisor) resolverOptions(u *update, waiters int, records []byte, trust int) resolver.Options {
	c := u.config
	r := &c.Recursion
	return resolver.Options{
		MaxTasks: maxTasks(c.Resolver.InFlight), MaxWaiters: waiters, Timeout: c.Resolver.Timeout,
		UDPSize: uint16(c.Server.UDPPayload), PlainCase: !c.Resolver.CaseRandomisation, NoCookies: !c.Resolver.Cookies, Groups: groups(c),
		Recursion: r.Enabled, RootHints: s.hints, PlainNames: !r.QnameMinimisation, NoIPv4: !r.IPv4, NoIPv6: !r.IPv6,
		QueryLoopback: r.QueryLoopback, DoNotQuery: r.DoNotQuery, AnyGlue: !r.HardenGlue, Memory: records, TrustMemory: trust, Anchors: u.anchors,
		Notify: s.bare.Tell,
	}
}

// maxTasks is the size of the resolver's table for so many clients' queries in flight: it keeps an eighth for
// sub-tasks, and refreshes take some without having a client. Were it smaller than what the fair queue lets
// start, a flood that has its share of the queue would have the whole table.
func maxTasks(inFlight int) int { return inFlight + inFlight/4 + 8 }

func answersOptions(c *config.Config, mem []byte) cache.AnswersOptions {
	o := cache.AnswersOptions{
		Memory: mem, Seed: newSeed(), MaxEntry: int(c.Cache.MaxEntry),
		MinTTL: seconds(c.Cache.MinTTL), MaxTTL: seconds(c.Cache.MaxTTL), MaxNegativeTTL: seconds(c.Cache.MaxNegativeTTL),
		StaleTTL: seconds(c.Cache.Stale),
	}
	if c.Cache.Engine == "ristretto" {
		o.Engine = cache.EngineRistretto
	}
	return o
}

// rules are what a reload may change.
func rules(c *config.Config) core.Rules {
	r := core.Rules{
		ACL:              policy.NewACL(c.Recursion.Allow),
		Local:            local.NewTable(localOptions(c)),
		UDPPayload:       uint16(c.Server.UDPPayload),
		Recursion:        c.Recursion.Enabled,
		Prefetch:         uint32(c.Cache.Prefetch),
		PrefetchHits:     uint32(c.Cache.PrefetchMinHits),
		FailureTTL:       seconds(c.Cache.ServfailTTL),
		RefusalsPerRound: refusalsPerRound,
	}
	if c.Cache.Stale > 0 {
		r.StaleTTL = max(seconds(c.Cache.StaleAnswerTTL), 1)
		r.StaleAfter = int64(c.Cache.StaleClientTimeout)
	}
	return r
}

// refusalsPerRound is how many misses of one batch are told that there is no room for them. The rest of a
// flood is dropped: the sending of SERVFAIL would cost the time that hits need.
const refusalsPerRound = 16

func localOptions(c *config.Config) local.Options {
	o := local.Options{
		SpecialNames: c.Local.SpecialNames, MinimalANY: c.Server.MinimalANY,
		Version: c.Server.Version, Identity: c.Server.Identity, Hostname: c.Server.Hostname,
	}
	for _, u := range c.Forward {
		o.Zones = append(o.Zones, u.Zone)
	}
	for _, u := range c.Stub {
		o.Zones = append(o.Zones, u.Zone)
	}
	for _, z := range c.Zone {
		o.Zones = append(o.Zones, z.Name)
	}
	return o
}

func groups(c *config.Config) (list []resolver.Group) {
	add := func(kind resolver.GroupKind, from []config.Upstream) {
		for _, u := range from {
			list = append(list, resolver.Group{Zone: dname.Name(u.Zone), Kind: kind, Servers: u.Servers})
		}
	}
	add(resolver.Forward, c.Forward)
	add(resolver.Stub, c.Stub)
	return list
}

func seconds(d time.Duration) uint32 { return uint32(min(d/time.Second, 1<<31)) }
