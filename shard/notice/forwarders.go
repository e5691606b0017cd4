package notice

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"heimdall/core/resolver"
)

// BareForwarders logs which forwarders remove DNSSEC records: once for all shards, and again when that changes, but no more
// than once in every for each. It is called by the shards, on their threads.
type BareForwarders struct {
	log *slog.Logger

	mu    sync.Mutex // held for a look at the map only
	known map[netip.AddrPort]bareForwarder
}

// NewBareForwarders returns one that knows of no forwarder.
func NewBareForwarders(log *slog.Logger) *BareForwarders { return &BareForwarders{log: log} }

// bareForwarder is what the log says last of one.
type bareForwarder struct {
	removes bool
	next    time.Time // when it may be logged again
}

// maxBareForwarders bounds the forwarders that are told apart; beyond it all are forgotten.
const maxBareForwarders = 1024

// Tell is the Notify of the shards' resolvers.
func (b *BareForwarders) Tell(n resolver.Notice) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.known[n.Server]; old.removes == n.Removes || now.Before(old.next) {
		return
	}
	if b.known == nil || len(b.known) >= maxBareForwarders {
		b.known = map[netip.AddrPort]bareForwarder{}
	}
	b.known[n.Server] = bareForwarder{n.Removes, now.Add(every)}
	go b.write(n)
}

// Forget makes the log report again what it has reported before.
func (b *BareForwarders) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.known)
}

func (b *BareForwarders) write(n resolver.Notice) {
	if !n.Removes {
		b.log.Info("a forwarder passes DNSSEC records on again", "forwarder", n.Server)
		return
	}
	b.log.Warn("a forwarder removes DNSSEC records, and names in signed zones fail: use one that passes them on, or set "+
		"recursion.validation = false and reload", "forwarder", n.Server, "zone", n.Zone, "missing", n.Why)
}
