package policy

import "net/netip"

// Verdict says what Push did.
type Verdict uint8

const (
	Parked         Verdict = iota // the query waits for its turn
	ParkedEvicting                // likewise, but another query lost its place to it
	RefusedShare                  // not parked: its client holds its share of the places
	RefusedFull                   // not parked: no place, and no client holds more than this one
)

// String returns a word for logs and metrics.
func (v Verdict) String() string {
	switch v {
	case Parked:
		return "parked"
	case ParkedEvicting:
		return "parked-evicting"
	case RefusedShare:
		return "refused-share"
	case RefusedFull:
		return "refused-full"
	}
	return "unknown"
}

// FairStats are the counters of a FairQueue. The first three are gauges.
type FairStats struct {
	Clients      int    // that hold something
	InFlight     int    // slots taken
	Parked       int    // queries that wait
	Refused      uint64 // pushes with RefusedFull
	RefusedShare uint64 // pushes with RefusedShare
	Evicted      uint64 // parked queries that lost their place
	Expired      uint64 // parked queries taken by Expire
}

// Stats returns a copy of the counters.
func (f *FairQueue) Stats() FairStats {
	s := f.stats
	s.InFlight, s.Parked = f.inFlight, f.waiting
	return s
}

// Push parks a query of addr under the caller's number at time now in nanoseconds, which must not go back.
// With ParkedEvicting, evicted is the number of a query that waits no longer; it is the newest one of the
// client with the most parked.
func (f *FairQueue) Push(addr netip.Addr, query uint32, now int64) (v Verdict, evicted uint32) {
	p := f.grouping.of(addr)
	c := f.find(p)
	have := 0
	if c != 0 {
		have = int(f.client[c].waiting)
	}
	if have >= f.maxQueue {
		f.stats.RefusedShare++
		return RefusedShare, 0
	}
	if f.waiting == len(f.parked)-1 {
		// A place moves only where that makes the queues more equal; else two floods would trade it to and
		// fro.
		if f.longest < have+2 {
			f.stats.Refused++
			return RefusedFull, 0
		}
		victim := f.length[f.longest].first
		evicted = f.unpark(f.client[victim].queue.last)
		f.settle(victim)
		f.stats.Evicted++
		v = ParkedEvicting
	}
	if c == 0 {
		c = f.add(p)
	}
	f.park(c, query, now)
	return v, evicted
}

// Expire takes a query that was parked at time before or earlier, the oldest one first. It says false when
// there is none.
func (f *FairQueue) Expire(before int64) (query uint32, ok bool) {
	i := f.oldest.first
	if i == 0 || f.parked[i].at > before {
		return 0, false
	}
	c := f.parked[i].client
	query = f.unpark(i)
	f.settle(c)
	f.stats.Expired++
	return query, true
}

// park appends a query to the queue of client c. There must be a place.
func (f *FairQueue) park(c, query uint32, now int64) {
	i := f.freeQuery
	if i != 0 {
		f.freeQuery = f.fifo[i].next
	} else {
		f.freshUsed++
		i = f.freshUsed
	}
	f.parked[i] = parked{at: now, client: c, query: query}
	cl := &f.client[c]
	cl.queue.push(f.fifo, i)
	f.oldest.push(f.arrival, i)
	f.waiting++
	if cl.waiting == 0 {
		cl.over = int(cl.inFlight) >= f.share
		f.ring(cl).push(f.turn, c)
	}
	f.resize(c, +1)
}

// unpark takes place i out of all lists and returns the number that was parked there. The caller settles
// the client.
func (f *FairQueue) unpark(i uint32) (query uint32) {
	c := f.parked[i].client
	cl := &f.client[c]
	cl.queue.remove(f.fifo, i)
	f.oldest.remove(f.arrival, i)
	f.waiting--
	f.resize(c, -1)
	if cl.waiting == 0 {
		f.ring(cl).remove(f.turn, c)
	}
	f.fifo[i].next = f.freeQuery
	f.freeQuery = i
	return f.parked[i].query
}

// resize changes the length of client c's queue by one, and keeps the lists of queues by length.
func (f *FairQueue) resize(c uint32, by int32) {
	cl := &f.client[c]
	if cl.waiting > 0 {
		f.length[cl.waiting].remove(f.rank, c)
	}
	cl.waiting += by
	if cl.waiting > 0 {
		f.length[cl.waiting].push(f.rank, c)
	}
	if int(cl.waiting) > f.longest {
		f.longest = int(cl.waiting)
	}
	// Lengths change by one: where the longest queue shrank, another of its old length or it itself follows.
	if f.longest > 0 && f.length[f.longest].first == 0 {
		f.longest--
	}
}
