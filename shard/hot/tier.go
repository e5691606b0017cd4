// Package hot is tier 0 as the daemon runs it: the XDP program with its hot answers, the AF_XDP queues that get queries from
// it, and the steering of queries that come through kernel sockets. The program itself is in package ebpf.
package hot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"heimdall/core"
	"heimdall/core/zone"
	"heimdall/ebpf"
	"heimdall/shard/seed"
)

// Options say what is fixed while the program runs.
type Options struct {
	Epoch     time.Time        // zero of the shards' clocks
	Listen    []netip.AddrPort // of the shards; a wildcard stands for all addresses of this machine
	Reverse   ebpf.ReversePath
	Entries   int  // hot answers at most; 0: none are given
	MinHits   int  // how often a question is asked before its answer is published while there is little room; at least 1
	Recursion bool // the shards do recursion
	Rules     Rules
	Zones     *zone.Set // of the first shard, which does not run yet; nil: none
	Shards    Shards
	Log       *slog.Logger
	Warn      func(what string, err error) // tells operators what this machine cannot do; err may be nil
}

// Rules are what may change while the program runs.
type Rules struct {
	Payload  uint16 // octets of a response over UDP at most
	Clients  ebpf.Clients
	Limits   ebpf.Limits
	Prefetch uint32 // percentage of the TTL at which a shard wants to be asked again; 0: at its end
}

// Shards are those that answer what the program passes on. Their number may change at any time.
type Shards interface {
	// Count returns how many there are, at least one.
	Count() int
	// Visit calls f on the thread of a shard, from 0 on, and waits for its end. It fails if that shard does not take it, or
	// is not there any more.
	Visit(ctx context.Context, shard int, f func(*core.Engine)) error
}

// Tier is the XDP program with what belongs to it. Its methods are safe for concurrent use unless they say otherwise; a nil
// Tier is one without a program, and does nothing.
type Tier struct {
	o     Options
	rules atomic.Pointer[Rules] // in force
	cards []card                // that the program was attached to; fixed from Start on

	mu      sync.RWMutex  // held to change what follows, and by those who use program while it may be closed
	program *ebpf.Program // nil: closed
	lost    []int         // interfaces that others have taken the program off

	telling sync.Mutex // taken before mu; held to take a snapshot
	last    Snapshot   // that was taken

	released atomic.Bool // the AF_XDP queues are closed

	stop    context.CancelFunc // of the publisher and of watch; nil: they were not started
	stopped chan struct{}      // closed when the publisher has ended
	watched chan struct{}      // closed when watch has ended
	visitor visitor            // the publisher's
}

// card is a network interface with the program.
type card struct {
	net.Interface
	mode      ebpf.Mode
	inherited bool     // its program was another process's before
	receive   int      // receive queues in use
	queues    []*queue // one for each of them that has a transmit queue too; none: kernel sockets only
}

// Load loads the program and publishes answers out of the zones. It sees no packet before Attach.
func Load(o Options) (*Tier, error) {
	program, err := ebpf.Load(ebpf.Options{Epoch: o.Epoch, Seed: seed.Long(), Entries: o.Entries, Reverse: o.Reverse})
	if err != nil {
		return nil, err
	}
	t := &Tier{o: o, program: program, visitor: visitor{recurse: o.Recursion}}
	t.rules.Store(&o.Rules)
	err = errors.Join(
		program.SetPayload(o.Rules.Payload),
		program.SetClients(o.Rules.Clients),
		program.SetLimits(o.Rules.Limits),
		program.EnableAnswers(o.Entries > 0),
		t.setEndpoints(),
	)
	if err != nil {
		t.Close()
		return nil, err
	}
	t.prime()
	t.o.Zones = nil // from now on they are looked up on a shard, which has those that are served then
	return t, nil
}

// Attach attaches the program to the network interfaces that allow it, before Start. It fails if none does.
func (t *Tier) Attach(mode ebpf.Mode, interfaces []string) error {
	var failed error
	for _, name := range interfaces {
		if slices.ContainsFunc(t.cards, func(c card) bool { return c.Name == name }) {
			continue // inherited
		}
		nic, err := net.InterfaceByName(name)
		if err == nil {
			var got ebpf.Mode
			var refused error
			if got, refused, err = t.program.Attach(nic.Index, mode); err == nil {
				if refused != nil {
					t.o.Warn(name+": the XDP program runs in generic mode, at several times the cost", refused)
				}
				t.cards = append(t.cards, card{Interface: *nic, mode: got})
				continue
			}
		}
		if err = fmt.Errorf("%s: %w", name, err); failed != nil {
			err = fmt.Errorf("%w; %w", failed, err)
		}
		failed = err
	}
	if len(t.cards) == 0 {
		return failed
	}
	if failed != nil {
		t.o.Warn("the XDP program is not on all interfaces", failed)
	}
	if err := t.program.FollowInterfaces(); err != nil { // the publisher tries it again
		t.o.Warn("the XDP program does not follow the interfaces of this machine", err)
	}
	return nil
}

// Start gives queries to the AF_XDP queues and begins to publish. It is called once, when the shards run.
func (t *Tier) Start() {
	if t == nil {
		return
	}
	t.redirect()
	ctx, cancel := context.WithCancel(context.Background())
	t.stop, t.stopped, t.watched = cancel, make(chan struct{}), make(chan struct{})
	go t.publish(ctx)
	go t.watch(ctx)
}

// use calls f with the program, unless it is closed.
func (t *Tier) use(f func(*ebpf.Program) error) error {
	if t == nil {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.program == nil {
		return nil
	}
	return f(t.program)
}

// Flush makes all published answers invalid. It is called after the shards' caches were flushed or have got other
// zones: what the publisher has seen before is of the old generation.
func (t *Tier) Flush() {
	if err := t.use((*ebpf.Program).Flush); err != nil {
		t.o.Log.Error("the answers in the kernel are not flushed", "error", err)
	}
}

// Close detaches the program. The shards still run: they take over what the program has done, and go on reading their
// AF_XDP queues until these are closed.
func (t *Tier) Close() {
	if t == nil {
		return
	}
	if t.stop != nil {
		t.stop()
		<-t.stopped
		<-t.watched
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.program != nil {
		t.program.Close()
		t.program = nil
	}
}
