package outbound

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"heimdall/netio"
	"heimdall/netio/list"
	"heimdall/netio/tcp/framing"
)

// maxUnsolicited is how many messages that nobody asked for a stream may carry
// before it is given up. A few are answers that came too late.
const maxUnsolicited = 64

// query is a message in flight on a stream.
type query struct {
	ref      uint64
	deadline int64
	msg      []byte // a copy, from the pool's buffers, in case it must move
	id       uint16
}

// stream is a connection to another server, or a slot for one.
type stream struct {
	fd      int // -1: not open
	index   uint32
	server  netip.AddrPort
	sibling *stream // another stream to the same server

	in      framing.Reader
	out     framing.Queue
	queries []query // in flight, their IDs all different
	watched uint32  // what the poller watches for

	node  list.Node[*stream] // on Pool.idle, or on none
	since int64              // when it became idle

	answered    int
	unsolicited int
	connected   bool
	closing     bool  // takes no more queries
	blocked     bool  // the kernel takes no more octets; what is queued waits for it
	dispatching bool  // the sink is looking at one of its messages
	broken      error // why nothing more can be sent; what has come is still to be read
	err         error // why it has ended; its queries are still to be told
}

func messageID(msg []byte) uint16 { return binary.BigEndian.Uint16(msg) }

// find returns the place of the query with the given ID, or -1.
func (st *stream) find(id uint16) int {
	for i := range st.queries {
		if st.queries[i].id == id {
			return i
		}
	}
	return -1
}

// take removes the query at place i.
func (st *stream) take(i int) query {
	q := st.queries[i]
	last := len(st.queries) - 1
	st.queries[i] = st.queries[last]
	st.queries[last] = query{}
	st.queries = st.queries[:last]
	return q
}

// wake handles what the poller reported. An event may be stale and mean the
// slot's former tenant, so none is believed without asking the socket.
func (p *Pool) wake(st *stream, events uint32) {
	if !st.connected {
		if e := p.address(&p.to, st.server); e != 0 {
			st.err = e
		} else {
			switch e := connect(st.fd, &p.to); e {
			case 0, syscall.EISCONN:
				st.connected = true
				p.push(st)
			case syscall.EALREADY, syscall.EINPROGRESS:
				return
			default:
				st.err = e
			}
		}
		p.settle(st)
		return
	}
	if events&netio.Writable != 0 && st.blocked {
		p.push(st)
	}
	p.read(st)
	if st.err == nil {
		st.err = st.broken // what came before the end has been read
	}
	p.settle(st)
}

// read receives what the server sent and hands its messages to the sink.
func (p *Pool) read(st *stream) {
	for range maxReceives {
		space := st.in.Space(p.buffers, p.scratch)
		if space == nil {
			st.err = ErrLimit
			return
		}
		n, e := framing.Recv(st.fd, space)
		switch {
		case e == syscall.EAGAIN:
			n = 0
		case e != 0:
			st.err, n = e, 0
		case n == 0:
			st.err = ErrClosed
		}
		st.in.Advance(n)
		p.dispatch(st)
		if st.err != nil || n < len(space) {
			return
		}
	}
}

// dispatch hands the answers that are whole to the sink.
func (p *Pool) dispatch(st *stream) {
	st.dispatching = true
	for st.err == nil {
		msg, status := st.in.Next()
		if status == framing.Incomplete {
			break
		}
		if status == framing.Malformed || len(msg) < 2 {
			st.err = ErrMalformed
			break
		}
		i := st.find(messageID(msg))
		if i < 0 {
			p.stats.Unsolicited++
			if st.unsolicited++; st.unsolicited > maxUnsolicited {
				st.err = ErrMalformed
			}
			continue
		}
		st.answered++
		q := st.take(i)
		p.finish(&q, msg, nil)
	}
	st.dispatching = false
	if !st.in.Settle(p.buffers) && st.err == nil {
		st.err = ErrLimit
	}
}

// push sends what is queued, as far as the kernel takes it. If it finds that the
// stream has ended, the next event or Expire reports that to the stream's queries:
// push may run inside a call of the sink.
func (p *Pool) push(st *stream) {
	e := st.out.Send(p.buffers, st.fd)
	switch e {
	case 0:
		st.blocked = false
	case syscall.EAGAIN, syscall.ENOBUFS, syscall.ENOMEM:
		st.blocked = true
	default:
		// With an answer behind it, it may take more queries: they will all move.
		st.broken, st.closing = e, st.answered == 0
		st.out.Reset(p.buffers)
		p.nextFire = min(p.nextFire, p.now)
	}
}

// settle ends a stream's turn: it sends what the sink has asked meanwhile, and
// then ends the stream, puts it on the idle list or has it watched.
func (p *Pool) settle(st *stream) {
	if st.err == nil && st.connected && st.out.Len() > 0 && !st.blocked {
		p.push(st)
	}
	if st.err != nil {
		p.fail(st)
		return
	}
	if len(st.queries) == 0 {
		if st.closing {
			p.drop(st)
			return
		}
		if !st.node.On(&p.idle) {
			st.since = p.now
			p.idle.Push(&st.node, st)
		}
	}
	p.watch(st)
}

// watch has the poller watch a connected stream for what it needs.
func (p *Pool) watch(st *stream) {
	want := netio.Readable
	if st.blocked {
		want |= netio.Writable
	}
	if want == st.watched {
		return
	}
	if err := p.poller.Mod(st.fd, want, netio.Token(netio.KindOutTCP, st.index)); err == nil {
		st.watched = want
	}
}
