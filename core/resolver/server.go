package resolver

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"
)

// Timing of one server, in nanoseconds. RFC 6298 with the constants that resolvers use: DNS round trips
// are single datagrams, so a lost one has to be noticed in less than TCP's second.
const (
	initialRTO  = int64(400 * time.Millisecond)  // before the first measurement; Unbound takes 376 ms
	minRTO      = int64(100 * time.Millisecond)  // what a busy machine may take; a forwarder that has to ask others shows in the variation
	maxRTO      = int64(3000 * time.Millisecond) // one attempt never takes most of a task's time
	unknownCost = int64(20 * time.Millisecond)   // what an unmeasured server is taken for: low, so that it is soon measured

	maxTimeouts = 4                             // windows without any response until a server is down
	firstProbe  = int64(500 * time.Millisecond) // until a server that went down is tried again
	maxProbe    = int64(5 * time.Second)        // the interval doubles up to this
	ednsMemory  = int64(15 * time.Minute)       // how long "does without EDNS" is believed
	caseMemory  = int64(60 * time.Minute)       // how long "does not keep letter case" is believed
	granularity = int64(10 * time.Millisecond)  // RFC 6298's G: the caller's timer resolution
	serverIdle  = int64(3600 * time.Second)     // what an unused server's memory is worth
)

// capability is what has been learned of an optional feature of a server.
type capability uint8

const (
	unknown capability = iota
	works
	broken // until the expiry beside it
)

func (c capability) String() string { return [...]string{"unknown", "yes", "no"}[c] }

// Failure is why a query to a server brought nothing.
type Failure uint8

const (
	FailServFail  Failure = iota // answered SERVFAIL
	FailRefused                  // answered REFUSED
	FailFormErr                  // answered FORMERR or NOTIMP, without EDNS too
	FailRcode                    // answered another unexpected rcode
	FailLame                     // not authoritative, or no recursion
	FailMalformed                // a message that cannot be read
	FailTruncated                // truncated over TCP
	FailNetwork                  // could not be sent, or the stream broke
	FailCookie                   // does not take the cookie that it gave
	FailCase                     // letter case not kept and the answer not confirmed
	FailBogus                    // what it answered does not validate
	failures
)

var failureNames = [failures]string{"servfail", "refused", "formerr", "rcode", "lame", "malformed", "truncated", "network", "cookie", "case", "bogus"}

func (f Failure) String() string { return failureNames[f] }

// server is what is known of one address and port, shared by all groups and delegations that name it.
type server struct {
	addr netip.AddrPort

	srtt, rttvar int64 // smoothed round-trip time and its variation; 0: not measured
	backoff      uint8 // doublings of the RTO since the last response
	timeouts     uint8 // windows in a row without a response
	down         bool
	pinned       bool  // named by a group: never evicted
	pins         int32 // exchanges in flight
	overdue      int32 // of these past their time-out
	lossAt       int64 // when the last window without response ended
	probeAt      int64 // when a server that is down may be tried
	probeWait    int64
	barredUntil  int64 // nothing could be sent to it

	edns, letterCase     capability
	ednsUntil, caseUntil int64
	ednsDrops, caseDrops uint8 // times that queries with EDNS, or in mixed case, seemed to be dropped
	cookieDrops          uint8 // likewise with a cookie

	cookies      capability // RFC 7873
	cookiesUntil int64
	ours         [8]byte  // client cookie, made when first needed
	theirs       [32]byte // server cookie
	theirsLen    uint8

	used int64 // last time asked
	next int32 // in its hash chain

	sent, answered, timedOut uint64
	mismatches, truncated    uint64 // as in UpstreamInfo
	failed                   [failures]uint64
}

// rto is how long to wait for a response.
func (s *server) rto() int64 { return min(s.measuredRTO()<<min(s.backoff, 6), maxRTO) }

// measuredRTO is what the round trips alone give.
func (s *server) measuredRTO() int64 {
	d := initialRTO
	if s.srtt != 0 {
		d = s.srtt + max(granularity, 4*s.rttvar)
	}
	return min(max(d, minRTO), maxRTO)
}

// measured takes a round-trip time. RFC 6298, section 2.
func (s *server) measured(rtt int64) {
	rtt = max(rtt, 1)
	if s.srtt == 0 {
		s.srtt, s.rttvar = rtt, rtt/2
	} else {
		diff := s.srtt - rtt
		if diff < 0 {
			diff = -diff
		}
		s.rttvar += (diff - s.rttvar) / 4
		s.srtt = max(s.srtt+(rtt-s.srtt)/8, 1)
	}
	s.backoff, s.timeouts, s.down, s.probeWait = 0, 0, false, 0
}

// lost takes a time-out of a query sent at sent. Queries that were in flight together count once, as for
// TCP's congestion window: one gap in the network must not mark a busy server down.
func (s *server) lost(now, sent int64) {
	s.timedOut++
	if sent < s.lossAt {
		return
	}
	s.lossAt = now
	s.backoff = min(s.backoff+1, 6)
	s.timeouts = min(s.timeouts+1, 200)
	if s.timeouts >= maxTimeouts {
		s.down = true
		s.probeWait = min(max(2*s.probeWait, firstProbe), maxProbe)
		s.probeAt = now + s.probeWait
	}
}

// cost orders servers by the time that asking them is expected to take.
func (s *server) cost() int64 {
	c := s.srtt
	if c == 0 {
		c = unknownCost
	}
	if s.backoff > 0 { // However fast it was: it may be dead, and one that is not known to be is to be preferred.
		c = max(c, initialRTO)
	}
	return c << s.backoff
}

// withoutEDNS remembers that a server does without EDNS: it said so, or answered only when asked without, which may have
// been loss. Without EDNS nothing validates, so that what may have been loss is first believed for as long as failures
// are, in seconds, and twice as long each time.
func (s *server) withoutEDNS(said bool, now int64, seconds uint32) {
	memory := ednsMemory
	if !said {
		memory = min(memory, int64(seconds)*1e9<<s.ednsDrops)
		s.ednsDrops = min(s.ednsDrops+1, 10)
	}
	s.edns, s.ednsUntil = broken, now+memory
}

// withoutCase remembers that a server does not take mixed letter case: it showed so, or answered only when asked in lower
// case, which may have been loss. That is believed like the lack of EDNS.
func (s *server) withoutCase(shown bool, now int64, seconds uint32) {
	memory := caseMemory
	if !shown {
		memory = min(memory, int64(seconds)*1e9<<s.caseDrops)
		s.caseDrops = min(s.caseDrops+1, 10)
	}
	s.letterCase, s.caseUntil = broken, now+memory
}

func (s *server) useEDNS(now int64) bool {
	if s.edns == broken && now >= s.ednsUntil {
		s.edns = unknown
	}
	return s.edns != broken
}

func (s *server) useCase(now int64) bool {
	if s.letterCase == broken && now >= s.caseUntil {
		s.letterCase = unknown
	}
	return s.letterCase != broken
}

// servers is the table of all servers known, of fixed size, found by address.
type servers struct {
	list    []server
	heads   []int32 // hash chains, -1 ends one
	used    int     // list[:used] has been in use
	scan    int     // where the search for an unused server goes on
	key     [2]uint64
	evicted uint64
}

func newServers(n int, key [2]uint64) servers {
	t := servers{list: make([]server, n), heads: make([]int32, pow2(n)), key: key}
	for i := range t.heads {
		t.heads[i] = -1
	}
	return t
}

// bucket returns the head of the hash chain for an address. Both factors of each product hold a part of the key, so that
// nobody who does not know it can choose addresses that share a chain: delegations are full of addresses that strangers choose.
func (t *servers) bucket(addr netip.AddrPort) *int32 {
	a := addr.Addr().As16()
	h := fold(binary.BigEndian.Uint64(a[:])^t.key[0], binary.BigEndian.Uint64(a[8:])^t.key[1])
	h = fold(h^uint64(addr.Port())^t.key[1], t.key[0]^0x9e3779b97f4a7c15)
	return &t.heads[h&uint64(len(t.heads)-1)]
}

// fold multiplies to 128 bits and folds the halves together.
func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}

// find returns the server with that address, -1 if it is not known.
func (t *servers) find(addr netip.AddrPort) int32 {
	for i := *t.bucket(addr); i >= 0; i = t.list[i].next {
		if t.list[i].addr == addr {
			return i
		}
	}
	return -1
}

// mismatched counts a response of server i, which may be -1, that is none to a query.
func (t *servers) mismatched(i int32) {
	if i >= 0 {
		t.list[i].mismatches++
	}
}

// get finds addr, or makes room for it: -1 if every server has queries in flight or is pinned.
func (t *servers) get(addr netip.AddrPort, now int64) int32 {
	if i := t.find(addr); i >= 0 {
		return i
	}
	head := t.bucket(addr)
	i := t.room(now)
	if i >= 0 {
		t.list[i] = server{addr: addr, next: *head, used: now}
		*head = i
	}
	return i
}

// room returns a free slot: a fresh one, or that of the longest unused of a few servers.
func (t *servers) room(now int64) int32 {
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
		if best = int32(t.scan); now-s.used > serverIdle {
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

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// pow2 is the smallest power of two that is at least n.
func pow2(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}
