package xsk

import (
	"heimdall/netio"

	"golang.org/x/sys/unix"
)

// Recv fills in with waiting queries. What it lends are the frames themselves: only the next Recv gives them back to
// the kernel. Frames that are no query to a listen address are counted and skipped.
func (p *Port) Recv(in []netio.Datagram) int {
	p.giveBack()
	if p.tx.pending() > 0 {
		p.kick() // the kernel was not able to send all
	}
	n := min(p.rx.available(len(in)), len(in))
	if p.fill.needWakeup() || n == 0 && p.busy {
		kickReceive(p.fd)
		n = min(p.rx.available(len(in)), len(in))
	}
	got := 0
	for range n {
		d := p.rx.take()
		p.lent = append(p.lent, d.addr)
		if p.read(&d, &in[got]) {
			got++
		} else {
			p.stats.Malformed++
		}
	}
	if n > 0 {
		p.rx.release()
	}
	p.stats.Received += uint64(got)
	return got
}

// giveBack lends the kernel again what the last Recv has lent to the caller. The fill ring has room for all frames.
func (p *Port) giveBack() {
	if len(p.lent) == 0 {
		return
	}
	for _, addr := range p.lent {
		p.fill.put(addr &^ (frameSize - 1))
	}
	p.lent = p.lent[:0]
	p.fill.publish()
}

// read makes a datagram of a frame.
func (p *Port) read(frame *descriptor, to *netio.Datagram) bool {
	b := p.mem[frame.addr : frame.addr+uint64(frame.size)]
	var d datagram
	if !parse(b, &to.Peer, &d) {
		return false
	}
	way := p.ways.find(&to.Peer, d.port)
	if way < 0 {
		return false
	}
	var l link
	l.answering(b, d.ethernet)
	index, generation := p.links.number(&l)
	to.Peer.Scope = makeScope(index, way, generation)
	to.Data = d.payload
	to.Age = 0
	return true
}

// Send sends out: through the ring, or what that cannot carry through the kernel socket of the listen address.
func (p *Port) Send(out []netio.Datagram) int {
	p.reclaim()
	sent, mtu := 0, int(p.mtu.Load())
	for i := range out {
		d := &out[i]
		index, way, generation := splitScope(d.Peer.Scope)
		if way >= len(p.ways.list) {
			p.stats.SendDrops++ // not what this port has received
			continue
		}
		l := p.links.get(index, generation)
		if l == nil || len(d.Data) > mtu-overhead(&d.Peer) || int(l.size)+overhead(&d.Peer)+len(d.Data) > frameSize {
			sent += p.detour(d, way, l)
			continue
		}
		if len(p.free) == 0 {
			p.flush()
			p.reclaim()
		}
		if len(p.free) == 0 || !p.tx.room() {
			p.stats.SendDrops++
			continue
		}
		addr := p.free[len(p.free)-1]
		n := build(p.mem[addr:addr+frameSize], l, &d.Peer, p.ways.list[way].port, p.identification(), d.Data)
		p.free = p.free[:len(p.free)-1]
		p.tx.put(descriptor{addr: addr, size: uint32(n)})
		p.stats.Sent++
		sent++
	}
	p.flush()
	return sent
}

// reclaim takes back the frames that have been sent.
func (p *Port) reclaim() {
	n := p.done.available(sendFrames)
	if n == 0 {
		return
	}
	for range n {
		p.free = append(p.free, p.done.take()&^(frameSize-1))
	}
	p.done.release()
}

// flush shows the kernel the frames to be sent and has it send them.
func (p *Port) flush() {
	p.tx.publish()
	if p.tx.pending() > 0 {
		p.kick()
	}
}

// maxStalls is how often in a row the kernel may send none of the frames that wait. Then they are left for the next
// Recv or Send: the device is busy, or there is no memory.
const maxStalls = 8

// kick has the kernel send what is in the tx ring. In copy mode one call sends 32 frames, or what raiseLimits has
// set, and then says EAGAIN; it also says so, or EBUSY, when it cannot send.
func (p *Port) kick() {
	before := p.tx.pending()
	for stalls := 0; before > 0 && stalls < maxStalls && p.tx.needWakeup(); {
		if e := kickSend(p.fd); e != unix.EAGAIN && e != unix.EBUSY && e != unix.ENOBUFS {
			return // all is sent, or the interface is down
		}
		after := p.tx.pending()
		if after == before {
			stalls++
		} else {
			stalls = 0
		}
		before = after
	}
}

// detour sends a response through the kernel socket of the listen address: it is longer than a frame, or the link
// that it has to take was forgotten.
func (p *Port) detour(d *netio.Datagram, way int, l *link) int {
	to := &p.one[0]
	*to = *d
	to.Peer.Scope = 0
	// The kernel knows no way to a link-local address without the interface. One with tags is another's: that of
	// its VLAN, to which the socket has to be bound.
	if (linkLocal(&d.Peer.Addr) || linkLocal(&d.Peer.Local)) && (l == nil || l.size == ethernetSize) {
		to.Peer.Scope = p.ifindex
	}
	n := p.ways.list[way].socket.Send(p.one[:])
	to.Data = nil
	return n
}

// linkLocal tells whether an address is in fe80::/10.
func linkLocal(a *[16]byte) bool { return a[0] == 0xfe && a[1]&0xc0 == 0x80 }

// identification returns the identification of the next IPv4 packet, from the generator SplitMix64. Nobody who
// cannot foretell it can slip fragments into a response that a router has divided (RFC 7739).
func (p *Port) identification() uint16 {
	p.id += 0x9e3779b97f4a7c15
	z := (p.id ^ p.id>>30) * 0xbf58476d1ce4e5b9
	return uint16((z ^ z>>27) * 0x94d049bb133111eb >> 48)
}
