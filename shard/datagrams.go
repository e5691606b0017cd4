package shard

import (
	"heimdall/core"
	"heimdall/netio"
	"heimdall/netio/tcp"
)

// wayBack is where the response to a parked query goes. Entries run parallel to the Engine's waiters.
type wayBack struct {
	peer netio.Endpoint
	conn tcp.ConnID
	port int16 // index of the port that the query came through; -1: a stream
}

// responseCap is the room for one response over UDP, in octets: the most that server.udp_payload may be.
const responseCap = 4096

// responseStride sets the buffers of responses an odd number of cache lines apart: with a power of two their
// first lines would fight for the same set of the CPU's cache.
const responseStride = responseCap + 64

func (s *Shard) makeBuffers() {
	n := s.opt.Batch
	s.events = make([]netio.Event, 128)
	s.in = make([]netio.Datagram, n)
	s.tx = make([]netio.Datagram, 0, n)
	s.reqs = make([]core.Request, n)
	s.bufs = make([]byte, n*responseStride)
	s.query = make([]byte, 0, 512)
	s.stream[0].Buf = make([]byte, 0, responseCap)
	s.ways = make([]wayBack, s.opt.Waiters)
	s.late = newLate(len(s.opt.Ports), n)
}

// handle answers a batch of datagrams that came through port number i.
func (s *Shard) handle(i int, p netio.Port, in []netio.Datagram) {
	reqs := s.reqs[:0]
	for k := range in {
		d := &in[k]
		if d.Age > s.shedAfter/2 {
			s.backlog.aged = true
			if d.Age > s.shedAfter {
				s.stats.Shed++
				continue
			}
		}
		reqs = reqs[:len(reqs)+1]
		r := &reqs[len(reqs)-1]
		at := k * responseStride
		r.Msg = d.Data
		r.Client = d.Peer.Addr
		r.Tag = uint32(k)
		r.Buf = s.bufs[at : at : at+responseCap]
	}
	s.engine.Handle(s.now, reqs)
	tx := s.tx[:0]
	for k := range reqs {
		switch r := &reqs[k]; r.Outcome {
		case core.Send:
			tx = append(tx, netio.Datagram{Data: r.Response, Peer: in[r.Tag].Peer})
		case core.Wait:
			s.ways[r.Waiter] = wayBack{peer: in[r.Tag].Peer, port: int16(i)}
		}
	}
	if len(tx) > 0 {
		p.Send(tx)
	}
	s.stats.batch(len(in))
	s.service.RecordN(s.clock()-s.now, uint64(len(in)))
}

// late collects the responses to queries that have waited, so that one system call sends many.
type late struct {
	port [][]netio.Datagram
	buf  []byte // one slot of responseCap octets for each entry, over all ports
	used int
	max  int
}

func newLate(ports, batch int) late {
	l := late{port: make([][]netio.Datagram, ports), buf: make([]byte, batch*responseStride), max: batch}
	for i := range l.port {
		l.port[i] = make([]netio.Datagram, 0, batch)
	}
	return l
}

// Reply implements core.Performer.
func (s *Shard) Reply(waiter uint32, msg []byte) {
	w := &s.ways[waiter]
	if w.port < 0 {
		s.tcp.Reply(w.conn, msg)
		return
	}
	l := &s.late
	if l.used == l.max {
		s.flushLate()
	}
	at := l.used * responseStride
	l.used++
	buf := append(l.buf[at:at:at+responseCap], msg...)
	l.port[w.port] = append(l.port[w.port], netio.Datagram{Data: buf, Peer: w.peer})
}

// Forget implements core.Performer.
func (s *Shard) Forget(waiter uint32) {
	if w := &s.ways[waiter]; w.port < 0 {
		s.tcp.Done(w.conn)
	}
}

// flushLate sends what Reply has collected.
func (s *Shard) flushLate() {
	l := &s.late
	if l.used == 0 {
		return
	}
	for i, out := range l.port {
		if len(out) > 0 {
			s.opt.Ports[i].Send(out)
			l.port[i] = out[:0]
		}
	}
	l.used = 0
}
