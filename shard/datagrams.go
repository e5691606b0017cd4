package shard

import (
	"heimdall/core"
	"heimdall/netio"
)

// responseCap is the room for one response over UDP, in octets: the most that server.udp_payload may be.
const responseCap = 4096

// responseStride sets the buffers of responses an odd number of cache lines apart: with a power of two their
// first lines would fight for the same set of the CPU's cache.
const responseStride = responseCap + 64

// BufferSize is how many bytes the responses of a batch take, and those to queries that have waited, of which as many are
// sent at once.
func BufferSize(batch int) int { return 2 * batch * responseStride }

func (s *Shard) makeBuffers() {
	n := s.opt.Batch
	s.events = make([]netio.Event, 128)
	s.in = make([]netio.Datagram, n)
	s.tx = make([]netio.Datagram, 0, n)
	s.reqs = make([]core.Request, n)
	buffers := s.opt.Buffers
	if len(buffers) < BufferSize(n) {
		buffers = make([]byte, BufferSize(n))
	}
	s.bufs = buffers[:n*responseStride]
	s.query = make([]byte, 0, 512)
	s.stream[0] = core.Request{Stream: true, Tag: streamTag, Buf: make([]byte, 0, responseCap)}
	s.targets = newTargets(s.opt.Waiters + inquiries)
	s.late = newLate(len(s.opt.Ports), n, buffers[n*responseStride:])
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
	s.port = int16(i)
	s.engine.Handle(s.now, reqs)
	if s.samples != nil {
		s.samples.note(s.now, reqs)
	}
	tx := s.tx[:0]
	for k := range reqs {
		if r := &reqs[k]; r.Outcome == core.Send {
			tx = append(tx, netio.Datagram{Data: r.Response, Peer: in[r.Tag].Peer})
		}
	}
	if len(tx) > 0 {
		p.Send(tx)
	}
	s.stats.batch(len(in))
	end := s.clock()
	s.latency[AtOnceUDP].RecordN(end-s.now, uint64(len(tx)))
	s.recorder.publish(end)
}

// late collects the responses to queries that have waited, so that one system call sends many.
type late struct {
	port [][]netio.Datagram
	buf  []byte // one slot of responseCap octets for each entry, over all ports
	used int
	max  int
}

func newLate(ports, batch int, buf []byte) late {
	l := late{port: make([][]netio.Datagram, ports), buf: buf, max: batch}
	for i := range l.port {
		l.port[i] = make([]netio.Datagram, 0, batch)
	}
	return l
}

// add copies a response to a datagram.
func (l *late) add(s *Shard, t *target, msg []byte) {
	if l.used == l.max {
		s.flushLate()
	}
	at := l.used * responseStride
	l.used++
	buf := append(l.buf[at:at:at+responseCap], msg...)
	l.port[t.port] = append(l.port[t.port], netio.Datagram{Data: buf, Peer: t.peer})
}

// flushLate sends what late has collected.
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
