package supervisor

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"heimdall/core/resolver"
)

// bareForwarders logs which forwarders remove DNSSEC records: once for all shards, and again when that changes, but no more
// than once in warnEvery for each. It is called by the shards, on their threads.
type bareForwarders struct {
	log *slog.Logger

	mu    sync.Mutex // held for a look at the map only
	known map[netip.AddrPort]bareForwarder
}

// bareForwarder is what the log says last of one.
type bareForwarder struct {
	removes bool
	next    time.Time // when it may be logged again
}

// maxBareForwarders bounds the forwarders that are told apart; beyond it all are forgotten.
const maxBareForwarders = 1024

// tell is the Notify of the shards' resolvers.
func (b *bareForwarders) tell(n resolver.Notice) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.known[n.Server]; old.removes == n.Removes || now.Before(old.next) {
		return
	}
	if b.known == nil || len(b.known) >= maxBareForwarders {
		b.known = map[netip.AddrPort]bareForwarder{}
	}
	b.known[n.Server] = bareForwarder{n.Removes, now.Add(warnEvery)}
	go b.write(n)
}

// forget has the log tell again of what it told of before.
func (b *bareForwarders) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.known)
}

func (b *bareForwarders) write(n resolver.Notice) {
	if !n.Removes {
		b.log.Info("a forwarder passes DNSSEC records on again", "forwarder", n.Server)
		return
	}
	b.log.Warn("a forwarder removes DNSSEC records, and names in signed zones fail: use one that passes them on, or set "+
		"recursion.validation = false and reload", "forwarder", n.Server, "zone", n.Zone, "missing", n.Why)
}
