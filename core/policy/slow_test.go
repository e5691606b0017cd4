package policy

import (
	"net/netip"
	"slices"
)

// slowQueue is FairQueue told with maps and slices.
type slowQueue struct {
	o       FairOptions
	clients map[netip.Prefix]*slowClient
	below   []netip.Prefix // waiting, in turn
	above   []netip.Prefix
}

type slowClient struct {
	queue    []slowQuery
	inFlight int
}

type slowQuery struct {
	query uint32
	at    int64
}

func newSlowQueue(o FairOptions) *slowQueue {
	return &slowQueue{o: o, clients: map[netip.Prefix]*slowClient{}}
}

func (s *slowQueue) group(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap()
	bits := s.o.IPv6Bits
	if addr.Is4() {
		bits = s.o.IPv4Bits
	}
	p, _ := addr.WithZone("").Prefix(bits)
	return p
}

func (s *slowQueue) get(p netip.Prefix) *slowClient {
	if s.clients[p] == nil {
		return &slowClient{}
	}
	return s.clients[p]
}

func (s *slowQueue) share() int    { return max(s.o.InFlight*s.o.Share/100, 1) }
func (s *slowQueue) maxQueue() int { return max(s.o.Parked*s.o.Share/100, 1) }

func (s *slowQueue) totals() (inFlight, parked, longest int) {
	for _, c := range s.clients {
		inFlight += c.inFlight
		parked += len(c.queue)
		longest = max(longest, len(c.queue))
	}
	return
}

// update stores the state of a client and keeps it in the ring where it belongs, at the end when it moves.
func (s *slowQueue) update(p netip.Prefix, c *slowClient) {
	s.clients[p] = c
	if len(c.queue) == 0 && c.inFlight == 0 {
		delete(s.clients, p)
	}
	is := func(q netip.Prefix) bool { return q == p }
	below, above := &s.below, &s.above
	if c.inFlight >= s.share() {
		below, above = above, below
	}
	*above = slices.DeleteFunc(*above, is)
	if len(c.queue) == 0 {
		*below = slices.DeleteFunc(*below, is)
	} else if !slices.Contains(*below, p) {
		*below = append(*below, p)
	}
}

func (s *slowQueue) release(p netip.Prefix) {
	c := s.clients[p]
	c.inFlight--
	s.update(p, c)
}

func (s *slowQueue) pop() (query uint32, p netip.Prefix, ok bool) {
	inFlight, _, _ := s.totals()
	free := s.o.InFlight - inFlight
	switch {
	case free == 0:
		return
	case len(s.below) > 0:
		p, s.below = s.below[0], s.below[1:]
	case len(s.above) > 0 && free > s.o.InFlight/8:
		p, s.above = s.above[0], s.above[1:]
	default:
		return
	}
	c := s.clients[p]
	query = c.queue[0].query
	c.queue = c.queue[1:]
	c.inFlight++
	s.update(p, c)
	return query, p, true
}

// push parks a query. With full, the caller says which query gives way (it may be any client's with the
// longest queue), and gone is whether that was a right choice.
func (s *slowQueue) push(addr netip.Addr, query uint32, at int64, evicted uint32) (v Verdict, gone bool) {
	p := s.group(addr)
	have := len(s.get(p).queue)
	_, parked, longest := s.totals()
	if have >= s.maxQueue() {
		return RefusedShare, false
	}
	if parked == s.o.Parked {
		if longest < have+2 {
			return RefusedFull, false
		}
		for victim, c := range s.clients {
			if n := len(c.queue); n == longest && c.queue[n-1].query == evicted {
				c.queue = c.queue[:n-1]
				s.update(victim, c)
				gone = true
				break
			}
		}
		v = ParkedEvicting
	}
	c := s.get(p)
	c.queue = append(c.queue, slowQuery{query, at})
	s.update(p, c)
	return v, gone
}

func (s *slowQueue) expire(before int64) (query uint32, ok bool) {
	var oldest netip.Prefix
	for p, c := range s.clients {
		if len(c.queue) > 0 && (!oldest.IsValid() || c.queue[0].at < s.clients[oldest].queue[0].at) {
			oldest = p
		}
	}
	if !oldest.IsValid() || s.clients[oldest].queue[0].at > before {
		return 0, false
	}
	c := s.clients[oldest]
	query = c.queue[0].query
	c.queue = c.queue[1:]
	s.update(oldest, c)
	return query, true
}
