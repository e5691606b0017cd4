package handover

import (
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"heimdall/core/dname"
	"heimdall/netio"
	"heimdall/netio/tcp"
)

// Item is a descriptor that is handed over, and what it is for.
type Item struct {
	Kind  Kind   `json:"kind"`
	Shard int    `json:"shard,omitempty"` // that has the socket
	Addr  string `json:"addr,omitempty"`  // listen address, where the descriptor does not tell
	Index int    `json:"index,omitempty"` // of a network interface
	Mode  int    `json:"mode,omitempty"`  // of the XDP program there
	FD    int    `json:"-"`
}

// Kind is what a descriptor is for.
type Kind string

// The kinds of descriptors.
const (
	UDP         Kind = "udp"          // a shard's socket at a listen address
	TCP         Kind = "tcp"          // likewise a listener
	SteeringUDP Kind = "steering-udp" // the map of the sockets of a listen address
	SteeringTCP Kind = "steering-tcp" // likewise of the listeners
	Link        Kind = "link"         // what attaches the XDP program to an interface
	Admin       Kind = "admin"        // the listener of the admin socket
	Metrics     Kind = "metrics"      // the listener for metrics
	Cache       Kind = "cache"        // what the shards had in their caches, as package snapshot has it
)

// Stream is a client's connection on its way, beside its descriptor.
type Stream struct {
	Shard int            `json:"shard"`
	Peer  netio.Endpoint `json:"peer"`
	Held  []byte         `json:"held,omitempty"` // received, and not yet handled
}

// moved puts the connection together.
func (s *Stream) moved(fd int) tcp.Moved { return tcp.NewMoved(fd, s.Peer, s.Held) }

// Given are the descriptors that this process has been given. What nobody takes is closed by Close. A nil Given has none.
// Safe for concurrent use.
type Given struct {
	Seed   []byte   // of the steering; nil: unknown
	Stored []string // what the service manager's store has, by name

	negative []dname.Name // trust anchors that operators have added

	mu    sync.Mutex
	items []Item
}

// maxNegative bounds the negative trust anchors that a process takes over.
const maxNegative = 4096

// Untrusted lists the zones of the negative trust anchors that operators have added to the process before.
func (g *Given) Untrusted() []dname.Name {
	if g == nil {
		return nil
	}
	return g.negative
}

// Names lists what the service manager's store has.
func (g *Given) Names() []string {
	if g == nil {
		return nil
	}
	return g.Stored
}

// Take returns a descriptor of a kind that fits, and makes it the caller's.
func (g *Given) Take(kind Kind, fits func(Item) bool) (fd int, ok bool) {
	if g == nil {
		return -1, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, it := range g.items {
		if it.Kind == kind && fits(it) {
			g.items = append(g.items[:i], g.items[i+1:]...)
			return it.FD, true
		}
	}
	return -1, false
}

// Has tells whether there is a descriptor of a kind.
func (g *Given) Has(kind Kind) bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.items, func(it Item) bool { return it.Kind == kind })
}

// Each takes all descriptors of a kind. Those that f does not want it closes.
func (g *Given) Each(kind Kind, f func(Item)) {
	for {
		var it Item
		if _, ok := g.Take(kind, func(i Item) bool { it = i; return true }); !ok {
			return
		}
		f(it)
	}
}

// Any fits each item.
func Any(Item) bool { return true }

// Socket takes a shard's socket of a kind that is bound to an address.
func (g *Given) Socket(kind Kind, shard int, addr netip.AddrPort) (fd int, ok bool) {
	return g.Take(kind, func(it Item) bool {
		is, err := netio.LookAt(it.FD)
		return err == nil && it.Shard == shard && is.Addr == netio.Bound(addr)
	})
}

// add takes a descriptor over.
func (g *Given) add(it Item, fd int) {
	it.FD = fd
	g.mu.Lock()
	defer g.mu.Unlock()
	g.items = append(g.items, it)
}

// Close closes what nobody has taken.
func (g *Given) Close() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, it := range g.items {
		unix.Close(it.FD)
	}
	g.items = nil
}
