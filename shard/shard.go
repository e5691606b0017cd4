// Package shard is the loop on one CPU: receive, handle, send, expire.
//
// A shard is one goroutine locked to one thread, which it pins to its CPU. It owns its sockets, its Engine
// with the cache, its timers; nothing of it is shared, and others reach it through its mailbox alone.
package shard

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"heimdall/affinity"
	"heimdall/core"
	"heimdall/netio"
	"heimdall/netio/outbound"
	"heimdall/netio/tcp"
	"heimdall/shard/mailbox"
	"heimdall/shard/tap/ring"
	"heimdall/shard/timer"
)

// Options describe a shard. Ports and Listeners stay open when the shard ends: their owner may give them to
// the next one.
type Options struct {
	ID  int
	CPU int  // to run on
	Pin bool // bind the thread to CPU
	// Unpinned is told why the thread cannot be bound when the shard starts, which then runs where it may. Nil: it ends.
	Unpinned  func(error)
	Ports     []netio.Port
	Addrs     []netip.AddrPort // listen addresses of the first of Ports, in their order; those of the others are among them
	Listeners []*tcp.Listener
	TCP       tcp.Options
	Outbound  outbound.Options
	Batch     int           // datagrams received and sent in one system call
	Buffers   []byte        // for responses over UDP, BufferSize(Batch) bytes; nil: the Go heap has them
	Spin      time.Duration // how long to look for work before sleeping
	ShedAfter time.Duration // drop what waited longer in a receive queue; 0: never
	Waiters   int           // clients that wait for other servers, at most: the size of the Engine's table
	Wait      bool          // leave alone what comes to Ports and Listeners until Listen is called
	DrainFor  time.Duration // how long a stopping shard waits for queries in flight and for streams
	Verifier  Verifier      // runs jobs of validation; nil: nobody does
	// NewEngine is called on the shard's own thread, after it was pinned, so that what the Engine allocates
	// and touches is near.
	NewEngine func(core.Performer) (*core.Engine, error)
	// Tap says what is recorded from the start on, and where, as SetTap does. It is called after NewEngine. Nil: nothing is.
	Tap func() (*ring.Ring, ring.Selection)
}

// Shard is one such loop. What may be called from any goroutine says so; all else belongs
// to the shard's own thread.
type Shard struct {
	opt    Options
	engine *core.Engine
	poller *netio.Poller
	tcp    *tcp.Server
	out    *outbound.Pool
	wheel  *timer.Wheel
	box    *mailbox.Mailbox
	epoch  time.Time

	now       int64 // ns since epoch, of this round
	sweepAt   int64 // when streams are looked at for idleness again
	events    []netio.Event
	in, tx    []netio.Datagram
	reqs      []core.Request
	bufs      []byte // one response buffer for each datagram of a batch
	targets   targets
	port      int16          // number of the port whose batch, in s.in, is being handled
	conn      tcp.ConnID     // whose message is being handled, in s.stream
	peer      netio.Endpoint // of conn
	receivers [inquiries]Receiver
	watches   []watch         // of Options.Ports
	listening bool            // Listen has been called
	verifying int             // jobs of validation under way
	wakeUp    func()          // box.Wake, made once
	late      late            // responses of this round to clients that have waited
	query     []byte          // a query to another server
	stream    [1]core.Request // the message of a stream that is being handled

	backlog   backlog
	shedAfter int64 // ns; what waited longer in a receive queue is dropped
	stats     Stats
	latency   Latency
	cpu       cpuTime
	recorder  recorder
	samples   *samples // nil: nobody wants them

	drainBy  int64                           // ns; when a stopping shard gives up waiting
	leaveTo  atomic.Pointer[func(tcp.Moved)] // takes its streams; written before stopping is
	deaf     atomic.Bool                     // another process reads its sockets; likewise
	stopping atomic.Bool
	released atomic.Bool
	state    atomic.Int32
	thread   atomic.Int32  // the kernel's number of its thread; 0: it has none yet
	ended    chan struct{} // closed when it is Stopped
}

// State of a shard.
type State int32

const (
	Starting State = iota
	Running
	Draining
	Drained // it owes nothing, and serves until Release
	Stopped
)

func (s State) String() string {
	return [...]string{"starting", "running", "draining", "drained", "stopped"}[s]
}

// New makes a shard that does nothing yet. epoch is the zero of all times that its Engine sees.
func New(o Options, epoch time.Time) (*Shard, error) {
	poller, err := netio.NewPoller()
	if err != nil {
		return nil, fmt.Errorf("start shard %d: %w", o.ID, err)
	}
	s := &Shard{opt: o, poller: poller, epoch: epoch, ended: make(chan struct{})}
	s.SetShedAfter(o.ShedAfter)
	s.box = mailbox.New(mailboxLen, poller.Wake)
	s.wakeUp = s.box.Wake
	return s, nil
}

// slice is how long a shard's thread runs at a time where others want its CPU: the least that the kernel takes.
const slice = 100 * time.Microsecond

// mailboxLen bounds the commands that wait for a shard: the ends of jobs of validation, and what comes from the
// admin socket and from reloads, a handful a second.
const mailboxLen = 256 + verifying

// Post hands the shard a command to call on its thread; false: the mailbox is full.
func (s *Shard) Post(command func()) bool { return s.box.Post(command) }

// State tells what the shard is doing.
func (s *Shard) State() State { return State(s.state.Load()) }

// Ended returns a channel that is closed when the shard is Stopped: commands that wait in its mailbox are lost.
func (s *Shard) Ended() <-chan struct{} { return s.ended }

// Engine returns the Engine. Only for commands that run on the shard's thread.
func (s *Shard) Engine() *core.Engine { return s.engine }

// Reconnect has the Engine forget what failed for want of a network. It is called on the shard's thread.
func (s *Shard) Reconnect() { s.engine.Reconnect(s.now) }

// Run pins the calling goroutine's thread and serves until Stop and Release were called and what was in flight
// has ended, or fails at the start. It closes what it has opened, not the ports and listeners of its Options. The
// goroutine should end afterwards: its thread stays locked and pinned, and ends with it.
func (s *Shard) Run() error {
	runtime.LockOSThread()
	defer s.close()
	// Where its CPU has other threads as well, the shard comes before them when a packet wakes it. Kernels that cannot
	// do that let it wait for the end of their turn, some milliseconds.
	_ = affinity.ShortSlice(slice)
	s.thread.Store(int32(affinity.ThreadID()))
	s.cpu.start()
	if err := s.Move(s.opt.CPU); err != nil {
		if s.opt.Unpinned == nil {
			return err
		}
		s.opt.Unpinned(err)
	}
	if err := s.open(); err != nil {
		return fmt.Errorf("start shard %d: %w", s.opt.ID, err)
	}
	s.state.Store(int32(Running))
	s.loop()
	return nil
}

// Move binds the shard's thread to another CPU, if Options.Pin says that it is bound at all. Only for commands.
func (s *Shard) Move(cpu int) error {
	if !s.opt.Pin {
		return nil
	}
	if err := affinity.PinThread(cpu); err != nil {
		return fmt.Errorf("pin shard %d: %w", s.opt.ID, err)
	}
	return nil
}

// ThreadID is the kernel's number of the shard's thread; 0 before it runs. Safe for concurrent use.
func (s *Shard) ThreadID() int { return int(s.thread.Load()) }

func (s *Shard) open() (err error) {
	if s.out, err = outbound.Open(s.poller, s.opt.Outbound, s); err != nil {
		return err
	}
	if s.engine, err = s.opt.NewEngine(s); err != nil {
		return err
	}
	if s.opt.Tap != nil {
		s.SetTap(s.opt.Tap())
	}
	s.wheel = timer.New(s.clock(), s.engine.Timers())
	s.makeBuffers()
	s.measureAge(false) // an earlier shard may have left it on
	s.tcp = tcp.New(s.poller, s.opt.TCP, s)
	s.watches = make([]watch, len(s.opt.Ports))
	if s.opt.Wait {
		return nil
	}
	return s.Listen()
}

// Listen begins to look at what comes to the shard. Only for commands, and only with Options.Wait; once is enough.
func (s *Shard) Listen() error {
	if s.listening {
		return nil
	}
	s.listening = true
	for i := range s.opt.Ports {
		if s.opt.Ports[i].FD() < 0 {
			continue // retired
		}
		s.watches[i].ready = true // what came before cannot be known
		if err := s.watchPort(i); err != nil {
			return err
		}
	}
	for _, l := range s.opt.Listeners {
		if err := s.tcp.AddListener(l); err != nil {
			return err
		}
	}
	return nil
}

// close releases what the shard has opened itself.
func (s *Shard) close() {
	s.cpu.read()
	s.state.Store(int32(Stopped))
	close(s.ended)
	if s.tcp != nil {
		s.tcp.Close()
	}
	if s.out != nil {
		s.out.Close()
	}
	s.poller.Close()
}

// clock reads the time since the epoch in nanoseconds, which is never 0.
func (s *Shard) clock() int64 { return int64(time.Since(s.epoch)) + 1 }
