package policy

import (
	"math/bits"
	"net/netip"
)

// FairOptions are the bounds of a FairQueue.
type FairOptions struct {
	Seed     uint64 // secret; spreads clients over the hash table
	InFlight int    // queries that may be in flight at once, at least 1
	Parked   int    // queries that may wait for their turn at once, at least 1
	Share    int    // percent of either that a client may hold while others want it, 1 to 100
	IPv4Bits int    // leading address bits that make a client, 1 to 32
	IPv6Bits int    // likewise, 1 to 128
}

// FairQueue divides the miss path of a shard between clients. A query that needs another server is parked under
// a number of the caller's (Push) until its turn comes and it gets one of a fixed number of slots (Pop). Who has
// a slot gives it back (Release).
//
// The order is that of deficit round robin (Shreedhar and Varghese, 1996) with equal cost for each query:
// every client has a queue of its own, first in first out, and the queues are served in turn. A client's
// single miss therefore waits for one query of each other client, however many those have parked. In
// contrast to stochastic fair queueing (McKenney, 1990) clients never share a queue by the accident of a
// hash: a client is known only while it holds something, so that a table as large as the bounds suffices.
// From McKenney is the rule for a full table: the longest queue loses its newest query.
//
// Three rules bound a client, whatever it sends:
//
//   - It may park no more than its share.
//   - It may exceed its share of the slots only while no client below its share waits, and never take the
//     last eighth of them (the reserve), so that a newcomer need not wait for a slot to come back.
//   - Below its share it is served before all who have theirs.
//
// All memory is taken by NewFairQueue, 100 bytes for each parked or flying query, and touched when used. No
// method allocates; each takes constant time. Not safe for concurrent use; owned by one shard.
type FairQueue struct {
	seed     uint64
	grouping grouping
	slots    int // in flight at most
	share    int // slots of one client while others want them
	reserve  int // slots that only clients below their share may take
	maxQueue int // queries that one client may park

	chains []uint32 // hash table: first client of each chain; length is a power of two
	client []client // 1, 2, …
	turn   []link   // of clients with something parked, in one of the two rings
	rank   []link   // of clients with something parked, in the list of their queue's length
	free   uint32   // first unused client, linked by chain
	fresh  uint32   // the last client ever used

	parked    []parked // 1, 2, …
	fifo      []link   // of a client's queue; the next one on the free list
	arrival   []link   // of all parked queries
	freeQuery uint32
	freshUsed uint32

	below, above list   // rings of waiting clients: under their share of slots, and at it or over it
	oldest       list   // all parked queries in order of arrival
	length       []list // clients by length of queue
	longest      int    // length of the longest queue
	inFlight     int
	waiting      int // parked queries
	stats        FairStats
}

// client is one client that holds something.
type client struct {
	prefix   prefix
	queue    list // of parked
	waiting  int32
	inFlight int32
	chain    uint32 // next client with the same hash
	over     bool   // it waits in the ring above
}

type parked struct {
	at     int64 // when it was pushed, ns
	client uint32
	query  uint32 // the caller's number
}

// Client is the number of a client that has a slot. It is valid until its last slot is released.
type Client uint32

// NewFairQueue makes a queue. Bounds outside of their range are moved into it.
func NewFairQueue(o FairOptions) *FairQueue {
	slots, places := max(o.InFlight, 1), max(o.Parked, 1)
	percent := min(max(o.Share, 1), 100)
	clients := slots + places
	f := &FairQueue{
		seed:     o.Seed,
		grouping: newGrouping(min(max(o.IPv4Bits, 1), 32), min(max(o.IPv6Bits, 1), 128)),
		slots:    slots,
		share:    max(slots*percent/100, 1),
		reserve:  slots / 8,
		maxQueue: max(places*percent/100, 1),
		chains:   make([]uint32, 1<<bits.Len(uint(clients-1))),
		client:   make([]client, clients+1),
		turn:     make([]link, clients+1),
		rank:     make([]link, clients+1),
		parked:   make([]parked, places+1),
		fifo:     make([]link, places+1),
		arrival:  make([]link, places+1),
	}
	f.length = make([]list, f.maxQueue+1)
	return f
}

// Release gives back a slot of c.
func (f *FairQueue) Release(c Client) {
	f.client[c].inFlight--
	f.inFlight--
	f.settle(uint32(c))
}

// Address is the first address of c's prefix.
func (f *FairQueue) Address(c Client) netip.Addr { return f.client[c].prefix.first() }

// Pop takes a slot for the parked query whose turn it is. It says false when nothing may start now: call it
// again after Push and Release.
func (f *FairQueue) Pop() (query uint32, c Client, ok bool) {
	if f.inFlight == f.slots {
		return 0, 0, false
	}
	i := f.below.first
	if i == 0 {
		if i = f.above.first; i == 0 || f.slots-f.inFlight <= f.reserve {
			return 0, 0, false
		}
	}
	query = f.unpark(f.client[i].queue.first)
	f.take(i)
	f.requeue(i)
	return query, Client(i), true
}

// take counts a slot for client c.
func (f *FairQueue) take(c uint32) {
	f.client[c].inFlight++
	f.inFlight++
	f.settle(c)
}

// settle moves client c to the ring in which it belongs, after a change of its slots, and forgets it when it
// holds nothing.
func (f *FairQueue) settle(c uint32) {
	cl := &f.client[c]
	if over := int(cl.inFlight) >= f.share; cl.waiting > 0 && over != cl.over {
		f.ring(cl).remove(f.turn, c)
		cl.over = over
		f.ring(cl).push(f.turn, c)
	}
	if cl.waiting == 0 && cl.inFlight == 0 {
		f.forget(c)
	}
}

// requeue puts client c, which had its turn, behind the others in its ring.
func (f *FairQueue) requeue(c uint32) {
	if cl := &f.client[c]; cl.waiting > 0 {
		f.ring(cl).remove(f.turn, c)
		f.ring(cl).push(f.turn, c)
	}
}

// ring returns the ring in which a waiting client is.
func (f *FairQueue) ring(cl *client) *list {
	if cl.over {
		return &f.above
	}
	return &f.below
}

// find returns the client with prefix p, or 0.
func (f *FairQueue) find(p prefix) uint32 {
	c := f.chains[f.slot(p)]
	for c != 0 && f.client[c].prefix != p {
		c = f.client[c].chain
	}
	return c
}

func (f *FairQueue) slot(p prefix) uint64 { return p.hash(f.seed) & uint64(len(f.chains)-1) }

// add makes a client of prefix p. There is always a free one: whoever is known holds a slot or a place, and
// there are as many clients as slots and places.
func (f *FairQueue) add(p prefix) uint32 {
	c := f.free
	if c != 0 {
		f.free = f.client[c].chain
	} else {
		f.fresh++
		c = f.fresh
	}
	first := &f.chains[f.slot(p)]
	f.client[c] = client{prefix: p, chain: *first}
	*first = c
	f.stats.Clients++
	return c
}

// forget frees client c, which holds nothing.
func (f *FairQueue) forget(c uint32) {
	at := &f.chains[f.slot(f.client[c].prefix)]
	for *at != c {
		at = &f.client[*at].chain
	}
	*at = f.client[c].chain
	f.client[c].chain = f.free
	f.free = c
	f.stats.Clients--
}
