package outbound

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"time"

	"heimdall/netio"
	"heimdall/netio/list"
	"heimdall/netio/tcp/framing"
)

const (
	// scratchLen is how much one receive from a stream fetches, in bytes.
	scratchLen = 16 << 10

	// maxReceives bounds the receives for one stream in one turn.
	maxReceives = 4

	// streamBytes is how much one stream may hold on average, in bytes: enough for
	// the longest response while it comes in, and for the longest query twice, in
	// its copy and in the send queue.
	streamBytes = 256 << 10

	// sweepNanos is the least time between two looks at the age of all sockets.
	sweepNanos = int64(100 * time.Millisecond)
)

// Pool is one shard's way to other servers. Not safe for concurrent use; owned
// by one shard.
//
// The shard passes events to Ready, and calls Expire in every turn.
type Pool struct {
	poller *netio.Poller
	sink   Sink
	o      Options
	now    int64
	stats  Stats

	// UDP.
	owns        owns
	families    [2]family // the shared sockets of IPv4 and IPv6
	kernelPorts [2]uint16 // the first and last that the kernel chooses among
	sockets     []socket  // these by number
	free        []uint16  // numbers not in use, longest unused first
	sweepAt     int64     // when one of them is next too old
	batch       batch
	to          rawAddr // the address being sent to
	at          rawAddr // of a socket that is asked for it
	zones       []zone

	// TCP.
	servers  map[netip.AddrPort]*stream // the first of each server's streams
	streams  []*stream                  // by index; those not open are in spare
	spare    []*stream
	open     int
	idle     list.List[*stream] // streams without queries
	nextFire int64              // no query on a stream has an earlier deadline
	buffers  *framing.Pool
	scratch  []byte
}

// Open returns a pool that watches its sockets with p and hands what comes to
// sink. A family the system does not have is left unused; it is an error when
// none is left, or when a source address cannot be bound.
func Open(p *netio.Poller, o Options, sink Sink) (*Pool, error) {
	if o.Rand == nil {
		return nil, errors.New("open outbound sockets: no source of random numbers")
	}
	o = o.withDefaults()
	if o.MinPort > o.MaxPort {
		return nil, fmt.Errorf("open outbound sockets: ports %d to %d", o.MinPort, o.MaxPort)
	}
	pool := &Pool{
		poller:   p,
		sink:     sink,
		o:        o,
		sweepAt:  math.MaxInt64,
		servers:  map[netip.AddrPort]*stream{},
		nextFire: math.MaxInt64,
		buffers:  framing.NewPool(o.MaxStreams * streamBytes),
		scratch:  make([]byte, scratchLen),
	}
	pool.batch.init()
	if err := pool.openFamilies(); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open outbound sockets: %w", err)
	}
	return pool, nil
}

// Ready handles an event of KindOutUDP or KindOutTCP. now is in nanoseconds of
// the shard's clock.
func (p *Pool) Ready(kind netio.Kind, index uint32, events uint32, now int64) {
	p.now = now
	switch kind {
	case netio.KindOutUDP:
		if index >= noSocket {
			return
		}
		if i, ok := p.owns.index(uint16(index)); ok {
			p.receiveOwn(i)
		} else if int(index) >= p.owns.first {
			p.dropIdle(uint16(int(index) - p.owns.first))
		} else if int(index) < len(p.sockets) && p.sockets[index].fd >= 0 {
			p.receive(uint16(index))
		}
	case netio.KindOutTCP:
		if int(index) < len(p.streams) && p.streams[index].fd >= 0 {
			p.wake(p.streams[index], events)
		}
	}
}

// Expire ends queries whose deadline has passed, and closes sockets and streams
// that are no longer needed.
func (p *Pool) Expire(now int64) {
	p.now = now
	if now >= p.sweepAt {
		p.sweepSockets()
	}
	if now >= p.owns.sweepAt {
		p.sweepOwn()
	}
	if now >= p.nextFire {
		p.expireQueries()
	}
	for st := p.idle.First(); st != nil && now-st.since >= int64(p.o.IdleStream); st = p.idle.First() {
		p.drop(st)
	}
}

// Stats returns a copy of the counters.
func (p *Pool) Stats() Stats {
	st := p.stats
	for i := range p.families {
		st.Retired += len(p.families[i].retired)
		st.Sockets += p.families[i].open
	}
	st.Ports = p.owns.open
	st.Streams = p.open
	st.Buffered = p.buffers.Lent()
	return st
}

// Close closes all sockets and streams. Queries in flight are forgotten: the
// sink is not called.
func (p *Pool) Close() {
	for i := range p.sockets {
		if fd := p.sockets[i].fd; fd >= 0 {
			closeSocket(fd)
			p.sockets[i].fd = -1
		}
	}
	for i := range p.owns.used {
		if p.owns.list[i].state.busy() {
			p.shutOwn(uint16(i))
		}
	}
	for p.families[0].idles+p.families[1].idles > 0 {
		p.closeIdle()
	}
	for _, st := range p.streams {
		if st.fd >= 0 {
			p.drop(st)
		}
	}
}

// random returns a number below n, which is positive and far below 2^64, so that
// the bias of the multiplication does not matter.
func (p *Pool) random(n int) int {
	hi, _ := bits.Mul64(p.o.Rand.Uint64(), uint64(n))
	return int(hi)
}
