package servers

import (
	"encoding/binary"
	"net/netip"
	"time"

	"heimdall/core/dname"
	"heimdall/core/slots"
)

// idle is for how long the memory of a server that nobody asks is worth something, in nanoseconds.
const idle = int64(time.Hour)

// Rand is the source of what strangers must not guess: IDs, letter case, cookies and choices. It must be cryptographically
// strong, such as math/rand/v2.ChaCha8 with a secret seed: spoof resistance rests on it.
type Rand interface{ Uint64() uint64 }

// Table is all servers known, of fixed size, found by address. A server is named by its index. The index stays its own while
// a query to it is in flight or it is pinned; otherwise Get may give it to another server. Not safe for concurrent use.
type Table struct {
	list      []Server
	heads     []int32 // hash chains, -1 ends one
	used      int     // list[:used] has been in use
	scan      int     // where the search for an unused server goes on
	key       [2]uint64
	questions int // that may be in flight
	evicted   uint64
}

// NewTable makes a table of n servers for a resolver with so many questions in flight. key is random and secret.
func NewTable(n, questions int, key [2]uint64) Table {
	return Table{list: make([]Server, n), heads: slots.Heads(n), key: key, questions: questions}
}

// At returns server i.
func (t *Table) At(i int32) *Server { return &t.list[i] }

// Len is how many servers are known: the indexes below it are in use.
func (t *Table) Len() int { return t.used }

// Evicted is how many servers were forgotten to make room.
func (t *Table) Evicted() uint64 { return t.evicted }

// Reconnect forgets which servers have answered nothing or could not be reached: the network was another.
func (t *Table) Reconnect() {
	for i := range t.list[:t.used] {
		s := &t.list[i]
		s.backoff, s.timeouts, s.down, s.probeAt, s.probeWait, s.barredUntil = 0, 0, false, 0, 0, 0
	}
}

// bucket returns the head of the hash chain for an address. Both factors of each product hold a part of the key, so that
// nobody who does not know it can choose addresses that share a chain: delegations are full of addresses that strangers choose.
func (t *Table) bucket(addr netip.AddrPort) *int32 {
	a := addr.Addr().As16()
	h := dname.Fold(binary.BigEndian.Uint64(a[:])^t.key[0], binary.BigEndian.Uint64(a[8:])^t.key[1])
	h = dname.Fold(h^uint64(addr.Port())^t.key[1], t.key[0]^0x9e3779b97f4a7c15)
	return &t.heads[h&uint64(len(t.heads)-1)]
}

// Find returns the server with that address, -1 if it is not known.
func (t *Table) Find(addr netip.AddrPort) int32 {
	for i := *t.bucket(addr); i >= 0; i = t.list[i].next {
		if t.list[i].addr == addr {
			return i
		}
	}
	return -1
}

// Mismatched counts a message of server i, which may be -1, that is no response to a query.
func (t *Table) Mismatched(i int32) {
	if i >= 0 {
		t.list[i].count.Mismatches++
	}
}

// Get finds addr, or makes room for it: -1 if every server has queries in flight or is pinned.
func (t *Table) Get(addr netip.AddrPort, now int64) int32 {
	if i := t.Find(addr); i >= 0 {
		return i
	}
	head := t.bucket(addr)
	i := t.room(now)
	if i >= 0 {
		t.list[i] = Server{addr: addr, next: *head, used: now}
		*head = i
	}
	return i
}

// Pin finds addr as Get does, and keeps it until Unpin.
func (t *Table) Pin(addr netip.AddrPort, now int64) int32 {
	i := t.Get(addr, now)
	if i >= 0 {
		t.list[i].pinned = true
	}
	return i
}

// Unpin lets all servers go.
func (t *Table) Unpin() {
	for i := range t.list[:t.used] {
		t.list[i].pinned = false
	}
}

// room returns a free slot: a fresh one, or that of the longest unused of a few servers.
func (t *Table) room(now int64) int32 {
	if t.used < len(t.list) {
		t.used++
		return int32(t.used - 1)
	}
	best := int32(-1)
	for n := 0; n < 64 && n < len(t.list); n++ {
		t.scan = (t.scan + 1) % len(t.list)
		s := &t.list[t.scan]
		if s.pinned || s.pins > 0 || best >= 0 && t.list[best].used <= s.used {
			continue
		}
		if best = int32(t.scan); now-s.used > idle {
			break
		}
	}
	if best < 0 {
		return -1
	}
	t.evicted++
	for p := t.bucket(t.list[best].addr); ; p = &t.list[*p].next {
		if *p == best {
			*p = t.list[best].next
			break
		}
	}
	return best
}
