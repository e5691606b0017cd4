package anycast

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"heimdall/core/control"
)

// Options say whose addresses are kept.
type Options struct {
	Look     func(context.Context) (*control.Health, error) // judges the daemon's health anew
	Settings func() Settings                                // in force
	Log      *slog.Logger
	Inherit  bool // the addresses that are there are those of a process whose place this one takes: they stay
}

// Settings say which addresses there are, and when.
type Settings struct {
	Addresses []netip.Addr
	Interface string
	UpAfter   time.Duration // of health
	DownAfter time.Duration // of its lack
	DrainWait time.Duration // that packets to an address are still taken after it was taken off
	Lease     time.Duration // after which the kernel takes an address off that was not renewed, in whole seconds
	Interval  time.Duration // between two looks at the daemon's health
	Timeout   time.Duration // of a look
}

// Keeper keeps the service addresses on their interface while the daemon is healthy. Its methods are safe for concurrent
// use; those of a nil Keeper do nothing.
type Keeper struct {
	o       Options
	kernel  kernel
	changed chan struct{} // holds a value when the settings have changed
	leave   chan struct{} // closed: run ends
	stay    bool          // the addresses then stay; written before leave is closed
	left    sync.Once     // leave is closed once, whoever ends first
	ended   chan struct{} // closed: it has

	// Of the goroutine of run.
	health *control.Health // the last verdict; nil: there is none yet
	began  time.Time       // of the look that is under way; zero: none is
	next   time.Time       // when to look again
	renew  time.Time       // when to renew the leases
	swings hysteresis
	places map[netip.Addr]*place
	shifts uint64 // how often the addresses came or went

	mu     sync.Mutex
	report *control.Anycast
}

// Start returns a Keeper that begins to work: it first takes off what an earlier process has left behind.
func Start(o Options) *Keeper { return start(o, netlinks{}) }

func start(o Options, in kernel) *Keeper {
	k := &Keeper{
		o: o, kernel: in, changed: make(chan struct{}, 1), leave: make(chan struct{}), ended: make(chan struct{}),
		places: map[netip.Addr]*place{},
	}
	go k.run()
	return k
}

// Changed says that the settings are others.
func (k *Keeper) Changed() {
	if k == nil {
		return
	}
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// Report tells operators about the addresses; nil: there are none.
func (k *Keeper) Report() *control.Anycast {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.report
}

// Withdraw takes the addresses off and ends the Keeper's work. If any was there, it returns only after the time that routers get
// to learn it. Packets that still come are taken until Close.
func (k *Keeper) Withdraw() {
	if k == nil {
		return
	}
	k.left.Do(func() { close(k.leave) })
	<-k.ended
	for _, p := range k.places {
		if !p.lingers.IsZero() {
			time.Sleep(time.Until(p.lingers))
		}
	}
}

// HandOver ends the Keeper's work and leaves the addresses to a process that takes this one's place.
func (k *Keeper) HandOver() {
	if k == nil {
		return
	}
	k.left.Do(func() {
		k.stay = true
		close(k.leave)
	})
	<-k.ended
}

// Close ends what Withdraw has left.
func (k *Keeper) Close() {
	if k == nil {
		return
	}
	for a, p := range k.places {
		k.forget(a, p)
	}
}

// leaseParts is how often a lease is renewed within its time.
const leaseParts = 3

// longestTick bounds the time between two looks at the clock.
const longestTick = 250 * time.Millisecond

func (k *Keeper) run() {
	defer close(k.ended)
	looked := make(chan *control.Health, 1)
	s := k.o.Settings()
	k.swings.up = k.o.Inherit && k.inherits(&s)
	k.settle(&s, time.Now())
	for {
		s = k.o.Settings()
		var tick <-chan time.Time // while there is nothing to keep, none
		if len(s.Addresses)+len(k.places) > 0 {
			tick = time.After(min(s.Interval, s.Lease/leaseParts, longestTick))
		}
		changed := false
		select {
		case <-tick:
		case <-k.changed:
			changed = true
		case k.health = <-looked:
			k.began = time.Time{}
		case <-k.leave:
			if !k.stay {
				k.end()
			}
			return
		}
		now := time.Now()
		s = k.o.Settings()
		if k.began.IsZero() && len(s.Addresses) > 0 && !now.Before(k.next) {
			k.began, k.next = now, now.Add(s.Interval)
			go func() { looked <- k.look() }()
		}
		if k.decide(&s, now) || changed || !now.Before(k.renew) {
			k.settle(&s, now)
		}
	}
}

// look judges the daemon's health.
func (k *Keeper) look() *control.Health {
	h, err := k.o.Look(context.Background())
	if err != nil {
		return &control.Health{Reasons: []string{err.Error()}}
	}
	return h
}

// decide tells whether the addresses are to come or to go.
func (k *Keeper) decide(s *Settings, now time.Time) bool {
	healthy, why := k.healthy(s, now)
	if len(s.Addresses) == 0 {
		k.swings = hysteresis{}
		return false
	}
	if !k.swings.step(now, healthy, s.UpAfter, s.DownAfter) {
		return false
	}
	k.shifts++
	if healthy {
		k.o.Log.Info("the service addresses come: this server is healthy", "addresses", s.Addresses, "interface", s.Interface, "for", s.UpAfter)
	} else {
		k.o.Log.Warn("the service addresses go: this server is not healthy", "addresses", s.Addresses, "interface", s.Interface, "for", s.DownAfter, "because", why)
	}
	return true
}

// healthy returns what the last verdict says, unless the next one is overdue.
func (k *Keeper) healthy(s *Settings, now time.Time) (healthy bool, why string) {
	switch {
	case !k.began.IsZero() && now.Sub(k.began) > overdue*s.Timeout:
		return false, "nobody can tell: a look takes too long"
	case k.health == nil:
		return false, "there is no verdict yet"
	}
	return k.health.Healthy, strings.Join(k.health.Reasons, "; ")
}

// overdue is after how many of its timeouts a look is not waited for: two may pass by design, where another one is under way.
const overdue = 4

// end takes all addresses off, because the daemon ends.
func (k *Keeper) end() {
	s := k.o.Settings()
	if k.swings.up {
		k.shifts++
		k.o.Log.Info("the service addresses go: the daemon ends", "addresses", s.Addresses, "interface", s.Interface, "drain_wait", s.DrainWait)
	}
	k.swings = hysteresis{}
	k.health = &control.Health{Reasons: []string{"the daemon ends"}}
	// Nobody tries again later: what stays would be announced without a daemon until its lease ends.
	for range endTries {
		if listed := k.settle(&s, time.Now()); !k.holds(listed) {
			return
		}
		time.Sleep(endPause)
	}
	k.o.Log.Error("the daemon ends with service addresses that it could not take off: they stay until their lease ends", "lease", s.Lease)
}

// endTries and endPause bound how long the end of the daemon waits for a kernel that does not take an address off.
const (
	endTries = 10
	endPause = 100 * time.Millisecond
)

// holds tells whether an address is still there that this process has put there, or may be: where they could not be listed.
func (k *Keeper) holds(listed bool) bool {
	for _, p := range k.places {
		if p.link != 0 || !listed {
			return true
		}
	}
	return false
}
