package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"heimdall/affinity"
	"heimdall/affinity/cpulist"
	"heimdall/core/config"
	"heimdall/core/resolver"
	"heimdall/ebpf"
	"heimdall/shard/admin"
	"heimdall/shard/anchors"
	"heimdall/shard/anycast"
	"heimdall/shard/clock"
	"heimdall/shard/handover"
	"heimdall/shard/health"
	"heimdall/shard/hot"
	"heimdall/shard/journal"
	"heimdall/shard/notice"
	"heimdall/shard/process"
	"heimdall/shard/reach"
	"heimdall/shard/sandbox"
	"heimdall/shard/settings"
	"heimdall/shard/snapshot"
	"heimdall/shard/tap"
	"heimdall/shard/verify"
	"heimdall/shard/worker"
	"heimdall/shard/zones"
)

// Options say what to run.
type Options struct {
	Config  *config.Config
	Path    string // of the configuration file, for reloads
	Version string
	Log     *slog.Logger
	Journal *journal.Journal // that Log writes to, for reloads; nil: they do not change it
	Pace    bool             // the garbage collector, which is the whole process's
	// Reloading is told that a reload begins, and that it has ended, whatever came of it. Nil: nobody is told.
	Reloading func(now bool)
	// Given are the descriptors that the daemon begins with; Start takes what it has a use for, and closes the others.
	Given *handover.Given
	// Predecessor is the process that Given is from, and that serves until this one does. Nil: there is none.
	Predecessor *handover.Predecessor
	// Store keeps the sockets for the next process. Nil: there is none.
	Store *handover.Store
	// Launcher starts the process that takes this one's place. Nil: there are no upgrades.
	Launcher *handover.Launcher
	// Replaced is told the process that is the daemon from now on. Nil: nobody is told.
	Replaced func(pid int)
	// Confine shuts the process in once all is open and before the first query. Nil: nobody does.
	Confine func(sandbox.Options) sandbox.Report
}

// Supervisor is the running appliance. Its methods are safe for concurrent use.
type Supervisor struct {
	path      string
	version   string
	log       *slog.Logger
	journal   *journal.Journal
	epoch     time.Time // zero of the shards' clocks
	machine   *affinity.Machine
	plan      *affinity.Plan                   // in force; resizing guards it
	hotplug   chan struct{}                    // closed: watchCPUs ends
	list      atomic.Pointer[[]*worker.Worker] // what workers returns
	listener  *admin.Listener
	hints     []resolver.Hint
	anchors   *anchors.Keeper
	verifier  *verify.Pool
	zones     *zones.Store
	tap       *tap.Tap
	hot       *hot.Tier // nil: without XDP program; set before the shards run
	steering  *hot.Steering
	owners    atomic.Pointer[ebpf.Owners]
	caches    *snapshot.Keeper
	move      atomic.Pointer[snapshot.Move] // while the number of shards changes
	histories worker.Histories
	health    *health.Checker
	anycast   *anycast.Keeper // nil: the shards have not served yet

	reach   *reach.Watch
	clock   *clock.Watch
	starved *notice.Starved
	bare    *notice.BareForwarders
	unwatch func() // ends what logs changes; nil: it does not run

	tellReloading func(now bool)
	tellReplaced  func(pid int)
	confine       func(sandbox.Options) sandbox.Report // nil: nobody does
	confined      sandbox.Report

	given       *handover.Given
	predecessor *handover.Predecessor
	alone       chan struct{}   // closed when predecessor has ended; nil: there is none
	store       *handover.Store // guarded by resizing
	launcher    *handover.Launcher
	successor   *handover.Successor // set before replaced is closed
	replaced    chan struct{}
	upgrading   atomic.Bool
	ending      context.Context // ends when Stop is called
	end         context.CancelFunc

	reloading sync.Mutex  // held by a reload, which is one at a time
	refused   atomic.Bool // the last reload was
	anchoring sync.Mutex  // held while the shards are given trust anchors: the last ones given are those in force
	resizing  sync.Mutex  // held while the number of shards changes, and by Stop
	stopped   bool        // guarded by resizing

	inForce atomic.Pointer[config.Config] // what config returns

	mu       sync.Mutex
	warnings []string
}

// Start opens the sockets, starts the shards, and returns when all of them serve. On an error, and when ctx ends
// before, nothing is left running.
func Start(ctx context.Context, o Options) (*Supervisor, error) {
	machine, err := affinity.Survey()
	if err != nil {
		return nil, err
	}
	plan, err := settings.Plan(machine, o.Config)
	if err != nil {
		return nil, err
	}
	hints, err := settings.Hints(o.Config)
	if err != nil {
		return nil, err
	}
	trust, err := settings.Anchors(o.Config)
	if err != nil {
		return nil, err
	}
	given := o.Config.Server.Listen
	o.Config = settings.Fitting(o.Config)
	for _, a := range given {
		if !slices.Contains(o.Config.Server.Listen, a) {
			o.Log.Info("this machine has no IPv6: one address less is served", "address", a)
		}
	}
	checking := settings.Verify(o.Config)
	checking.Log = o.Log
	s := &Supervisor{
		path: o.Path, version: o.Version, log: o.Log, journal: o.Journal, epoch: time.Now(), machine: machine, plan: plan, hints: hints,
		starved: notice.NewStarved(o.Log), bare: notice.NewBareForwarders(o.Log), verifier: verify.New(checking),
		tellReloading: o.Reloading, tellReplaced: o.Replaced, confine: o.Confine,
		given: o.Given, predecessor: o.Predecessor, store: o.Store, launcher: o.Launcher, replaced: make(chan struct{}),
	}
	s.ending, s.end = context.WithCancel(context.Background())
	defer s.given.Close()
	if s.tellReloading == nil {
		s.tellReloading = func(bool) {}
	}
	if s.tellReplaced == nil {
		s.tellReplaced = func(int) {}
	}
	if s.predecessor != nil {
		s.alone = make(chan struct{})
	}
	s.inForce.Store(o.Config)
	s.reach, s.clock = s.newReach(), s.newClock()
	if o.Pace {
		process.PaceCollector(func() uint64 { return settings.GarbageRoom(s.config()) })
	}
	s.keepHouse(plan)
	s.raiseDescriptors()
	s.zones = zones.New(s.zonesOptions())
	// What cannot be loaded is logged, and answered SERVFAIL: one bad file is no reason to serve nothing.
	if err := s.zones.Configure(ctx, settings.Zones(o.Config)); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("load the zones: %w", err)
	}
	s.anchors = anchors.New(s.anchorsOptions())
	s.caches = s.newCaches()
	if err := s.start(trust); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Supervisor) start(trust anchors.Given) error {
	if trust.Anchors != nil {
		if err := s.startVerifying(); err != nil {
			return err
		}
	}
	s.anchors.Configure(trust)
	s.anchors.Inherit(s.given.Untrusted())
	s.decide()
	if err := s.makeWorkers(); err != nil {
		return err
	}
	var err error
	if s.listener, err = s.listenAdmin(); err != nil {
		return err
	}
	s.hot = s.loadHot()
	list := s.workers()
	if err := s.predecessor.Ready(); err != nil {
		return err
	}
	s.openQueues()
	s.startTap()
	s.enterSandbox()
	if s.predecessor != nil {
		for _, w := range list {
			w.Hold()
		}
	}
	if err := s.begin(context.Background(), list); err != nil {
		return err
	}
	if err := s.takeOverFrom(list); err != nil {
		return err
	}
	s.keepSockets()
	s.startHot()
	s.setOwners()
	s.hearCaches(context.Background()) // those of before a restart; clients are answered meanwhile
	s.caches.Start()
	s.health = s.newChecker()
	s.anycast = s.startAnycast()
	server := admin.New(s.adminOptions())
	s.listener.Serve(server)
	s.anchors.Run()
	s.hotplug = make(chan struct{})
	go s.watchCPUs(s.machine.Topology.Online(), affinity.Online, s.hotplug)
	watching, stop := context.WithCancel(context.Background())
	s.unwatch = stop
	go notice.Watch(watching, server, s.log)
	go s.reach.Run(watching)
	go s.clock.Run(watching)
	s.log.Info("serving", "listen", s.config().Server.Listen, "shards", len(list), "cpus", s.cpus(), "version", s.version)
	return nil
}

// config returns the configuration that is in force: of keys that wait for a restart it has the values of the start. It is
// never written to; a reload puts another one in its place.
func (s *Supervisor) config() *config.Config { return s.inForce.Load() }

// keepHouse keeps all threads but the shards' on the CPUs that a plan has for them, and lets so many run at once.
func (s *Supervisor) keepHouse(plan *affinity.Plan) {
	// Shards keep their threads busy: the rest of the process needs threads of its own to run on.
	runtime.GOMAXPROCS(len(plan.Shards) + max(2, len(plan.Housekeeping)))
	if !s.config().CPU.Pin {
		return
	}
	var skip []int
	for _, w := range s.workers() {
		if sh := w.Current(); sh != nil {
			skip = append(skip, sh.ThreadID())
		}
	}
	if err := affinity.HousekeepAll(plan.Housekeeping, skip); err != nil {
		s.warn("threads are not kept off the shards' CPUs", err)
	}
}

// cpus lists the CPUs of the shards.
func (s *Supervisor) cpus() string {
	var list []int
	for _, p := range s.plan.Shards {
		if p.CPU == affinity.AnyCPU {
			return "any"
		}
		list = append(list, p.CPU)
	}
	return cpulist.Format(list)
}

// warn logs what keeps the appliance from its best, and keeps it for `heimdallctl status`.
func (s *Supervisor) warn(what string, err error) {
	if err != nil {
		what = fmt.Sprintf("%s: %v", what, err)
	}
	if errors.As(err, new(*ebpf.Rejection)) {
		what += "; `heimdallctl doctor -v` shows the verifier's whole log"
	}
	s.log.Warn(what)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.warnings, what) {
		s.warnings = append(s.warnings, what)
	}
}

// Stop withdraws the service addresses, keeps the caches, drains the shards and closes everything. It returns when they have
// ended.
func (s *Supervisor) Stop() {
	s.end()             // of an upgrade under way
	if s.handedOver() { // it has just succeeded
		s.HandOver()
		return
	}
	if s.health != nil {
		s.health.Drain()
	}
	s.anycast.Withdraw()
	s.listener.Shut("the daemon is ending")
	if s.health != nil { // it has served
		s.storeCaches() // while the shards still answer everybody
	}
	s.caches.Close()
	s.leave(func(w *worker.Worker) {
		if s.store.Keeps() { // the sockets for the next process, with what is in their queues
			w.Deafen()
		}
		w.Stop()
	})
}

// leave drains the shards, with what each worker is told, and closes everything.
func (s *Supervisor) leave(tell func(*worker.Worker)) {
	s.end() // of an upgrade under way
	s.resizing.Lock()
	defer s.resizing.Unlock()
	s.stopped = true
	if s.hotplug != nil {
		close(s.hotplug)
		s.hotplug = nil
	}
	if s.unwatch != nil {
		s.unwatch()
	}
	s.hot.Close()
	s.anchors.Close()
	list := s.workers()
	for _, w := range list {
		tell(w)
	}
	// Each shard's sockets get their part of the queries until all are closed: nobody ends before the last.
	for !drained(list) {
		time.Sleep(drainPoll)
	}
	for _, w := range list {
		w.Release()
	}
	for _, w := range list {
		w.Wait()
	}
	s.anycast.Close()
	s.listener.Close()
	for _, w := range list {
		w.Close()
	}
	s.steering.Close()
	s.verifier.Close()
	s.tap.Close()
}

// drainPoll is how often Stop looks whether the shards owe anything.
const drainPoll = 2 * time.Millisecond

func drained(list []*worker.Worker) bool {
	for _, w := range list {
		if !w.Drained() {
			return false
		}
	}
	return true
}
