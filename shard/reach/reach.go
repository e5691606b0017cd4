// Package reach watches whether the kernel has routes to the servers that are asked first: a daemon may start before the
// network is up, and what has failed by then must not be held against the servers.
package reach

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// every is how often the routes are looked at. One look makes a socket for each server, and sends nothing.
const every = time.Second

// Options say what is watched. All fields are needed.
type Options struct {
	Servers func() []netip.AddrPort // asked at each look; some of each kind will do
	Found   func()                  // routes lead to servers to which none led at the look before
	Log     *slog.Logger
}

// Watch is the watcher. Its methods are safe for concurrent use.
type Watch struct {
	o      Options
	routed func(netip.AddrPort) bool
	before map[netip.AddrPort]bool // at the last look; Run's own
	cut    atomic.Bool             // no route led to any server
}

// New returns a Watch that has not looked yet.
func New(o Options) *Watch { return &Watch{o: o, routed: routed} }

// nowhere is what is logged, and shown, of a machine that is cut off.
const nowhere = "no route leads to any of the servers that are asked: connect this machine; names are resolved as soon as one does, without a restart"

// Warning is what an operator should know, and empty if there is nothing.
func (w *Watch) Warning() string {
	if w.cut.Load() {
		return nowhere
	}
	return ""
}

// Run looks until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	for tick := time.NewTicker(every); ; {
		w.look()
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

func (w *Watch) look() {
	now, found, any := map[netip.AddrPort]bool{}, 0, false
	for _, addr := range w.o.Servers() {
		ok := w.routed(addr)
		if was, known := w.before[addr]; known && ok && !was {
			found++
		}
		now[addr] = ok
		any = any || ok
	}
	w.before = now
	cut := len(now) > 0 && !any
	if w.cut.Swap(cut) != cut && cut {
		w.o.Log.Warn(nowhere)
	}
	if found > 0 {
		w.o.Found()
		w.o.Log.Info("routes lead to servers that could not be reached: what has failed so far is forgotten", "servers", found)
	}
}

// routed tells whether the kernel has a route to an address, and an address of our own to send from.
func routed(addr netip.AddrPort) bool {
	conn, err := net.Dial("udp", addr.String())
	if err == nil {
		conn.Close()
		return true
	}
	for _, no := range []error{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT} {
		if errors.Is(err, no) {
			return false
		}
	}
	return true // A limit of this process says nothing of routes.
}
