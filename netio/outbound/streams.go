package outbound

import (
	"math"
	"net/netip"
	"syscall"

	"heimdall/netio"
	"heimdall/netio/tcp/framing"
)

// Stream sends a message over a connection to server, one that is open if it
// has room. The sink gets ref back exactly once, never within this call, unless
// Stream returns an error. deadline is in nanoseconds of the shard's clock; it
// bounds connecting, waiting and one move to a new connection together.
// msg is copied.
func (p *Pool) Stream(ref uint64, server netip.AddrPort, msg []byte, deadline int64) error {
	if len(msg) < 2 || len(msg) > framing.MaxMessage {
		return ErrMessage
	}
	server = netip.AddrPortFrom(server.Addr().Unmap(), server.Port())
	st, err := p.streamFor(server, messageID(msg), false)
	if err == nil {
		if st.answered > 0 {
			p.stats.Reused++
		}
		err = p.submit(st, ref, msg, deadline)
	}
	if err == ErrLimit {
		p.stats.Refused++
	}
	if err == nil {
		p.stats.Asked++
	}
	return err
}

// streamFor returns a stream to server that has room for a query with the given
// ID, an open one if possible. With fresh, it is one that has not answered yet.
func (p *Pool) streamFor(server netip.AddrPort, id uint16, fresh bool) (*stream, error) {
	count := 0
	for st := p.servers[server]; st != nil; st = st.sibling {
		count++
		if !st.closing && len(st.queries) < p.o.MaxInFlight && !(fresh && st.answered > 0) && st.find(id) < 0 {
			return st, nil
		}
	}
	if count >= p.o.MaxPerServer {
		return nil, ErrLimit
	}
	if p.open >= p.o.MaxStreams {
		if p.idle.First() == nil {
			return nil, ErrLimit
		}
		p.stats.Evicted++
		p.drop(p.idle.First())
	}
	return p.connect(server)
}

// connect begins a new stream.
func (p *Pool) connect(server netip.AddrPort) (*stream, error) {
	ipv6 := !server.Addr().Is4()
	f := p.family(ipv6)
	if !f.usable {
		return nil, syscall.EAFNOSUPPORT
	}
	if e := p.address(&p.to, server); e != 0 {
		return nil, e
	}
	fd, e := openStream(ipv6, f.bind)
	if e != 0 {
		return nil, e
	}
	e = connect(fd, &p.to)
	if e != 0 && e != syscall.EINPROGRESS {
		closeSocket(fd)
		return nil, e
	}
	st := p.slot()
	// Whether connecting is done or not, the socket reports writable when it is.
	if err := p.poller.Add(fd, netio.Writable, netio.Token(netio.KindOutTCP, st.index)); err != nil {
		closeSocket(fd)
		p.spare = append(p.spare, st)
		return nil, ErrLimit
	}
	p.stats.Connects++
	p.open++
	st.fd, st.server, st.watched = fd, server, netio.Writable
	st.sibling = p.servers[server]
	p.servers[server] = st
	return st, nil
}

// slot returns a stream that is not open.
func (p *Pool) slot() *stream {
	if last := len(p.spare) - 1; last >= 0 {
		st := p.spare[last]
		p.spare = p.spare[:last]
		return st
	}
	st := &stream{fd: -1, index: uint32(len(p.streams))}
	p.streams = append(p.streams, st)
	return st
}

// submit puts a query on a stream.
func (p *Pool) submit(st *stream, ref uint64, msg []byte, deadline int64) error {
	keep := p.buffers.Get(len(msg))
	if keep == nil || st.broken == nil && !st.out.Append(p.buffers, msg) {
		p.buffers.Put(keep)
		if len(st.queries) == 0 && !st.node.On(&p.idle) && !st.dispatching {
			p.drop(st) // it was opened for this query
		}
		return ErrLimit
	}
	st.node.Remove()
	st.queries = append(st.queries, query{ref: ref, id: messageID(msg), deadline: deadline, msg: append(keep, msg...)})
	p.stats.InFlight++
	p.nextFire = min(p.nextFire, deadline)
	if st.connected && st.broken == nil && !st.blocked && !st.dispatching {
		p.push(st)
		p.watch(st)
	}
	return nil
}

// expireQueries ends the queries whose deadline has passed. A stream that has
// let one wait that long takes no more: an answer that comes yet must not meet
// another query with the same ID, and a fresh connection may do better.
func (p *Pool) expireQueries() {
	p.nextFire = math.MaxInt64
	for i := 0; i < len(p.streams); i++ {
		st := p.streams[i]
		if st.fd < 0 {
			continue
		}
		if st.broken != nil {
			p.wake(st, 0)
			continue
		}
		for j := 0; j < len(st.queries); {
			if st.queries[j].deadline > p.now {
				p.nextFire = min(p.nextFire, st.queries[j].deadline)
				j++
				continue
			}
			st.closing = true
			q := st.take(j)
			p.finish(&q, nil, ErrTimeout)
		}
		if st.closing && len(st.queries) == 0 {
			p.drop(st)
		}
	}
}

// finish hands a query's end to the sink.
func (p *Pool) finish(q *query, msg []byte, err error) {
	p.stats.InFlight--
	switch err {
	case nil:
		p.stats.Answered++
	case ErrTimeout:
		p.stats.TimedOut++
	default:
		p.stats.Failed++
	}
	p.buffers.Put(q.msg)
	p.sink.UpstreamStream(q.ref, msg, err)
}

// fail ends a stream because of its error. If the server has closed a stream on
// which it had answered before, which it may do at any time (RFC 7766, section
// 6.2.4), the queries on it move to a new one; each move follows an answer, so
// that they end. Otherwise they fail.
func (p *Pool) fail(st *stream) {
	move := st.answered > 0 && closedByPeer(st.err)
	err := st.err
	p.detach(st)
	for i := range st.queries {
		q := &st.queries[i]
		if q.deadline <= p.now {
			p.finish(q, nil, ErrTimeout)
		} else if !move || !p.moved(st.server, q) {
			p.finish(q, nil, err)
		}
	}
	p.release(st)
}

// moved puts a query on a new stream to the same server.
func (p *Pool) moved(server netip.AddrPort, q *query) bool {
	st, err := p.streamFor(server, q.id, true)
	if err != nil || p.submit(st, q.ref, q.msg, q.deadline) != nil {
		return false
	}
	p.stats.InFlight-- // counted twice by submit
	p.stats.Retried++
	p.buffers.Put(q.msg)
	return true
}

func closedByPeer(err error) bool {
	switch err {
	case ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT:
		return true
	}
	return false
}

// drop ends a stream without queries, or all whose queries may be forgotten.
func (p *Pool) drop(st *stream) {
	for i := range st.queries {
		p.stats.InFlight--
		p.buffers.Put(st.queries[i].msg)
	}
	p.detach(st)
	p.release(st)
}

// detach closes a stream's socket and takes it out of every list. Its queries
// stay, and so does its slot.
func (p *Pool) detach(st *stream) {
	closeSocket(st.fd)
	st.fd = -1
	p.open--
	st.in.Reset(p.buffers)
	st.out.Reset(p.buffers)
	st.node.Remove()
	if first := p.servers[st.server]; first != st {
		for first.sibling != st {
			first = first.sibling
		}
		first.sibling = st.sibling
	} else if st.sibling != nil {
		p.servers[st.server] = st.sibling
	} else {
		delete(p.servers, st.server)
	}
}

// release frees a detached stream's slot.
func (p *Pool) release(st *stream) {
	clear(st.queries)
	*st = stream{fd: -1, index: st.index, queries: st.queries[:0]}
	p.spare = append(p.spare, st)
}
