package udp

import (
	"time"

	"heimdall/netio"

	"golang.org/x/sys/unix"
)

// Recv fills in with up to one batch of waiting datagrams. Pending socket errors
// (ICMP) are counted and skipped.
func (p *Port) Recv(in []netio.Datagram) int {
	want := min(len(in), len(p.rx.headers))
	if want == 0 {
		return 0
	}
	if p.rxCtlLen > 0 {
		for i := range p.rx.headers[:p.reset] {
			p.rx.headers[i].msg.SetControllen(p.rxCtlLen)
		}
		p.reset = 0
	}
	n := p.receive(want)
	if n == 0 {
		return 0
	}
	p.reset = n
	var now int64
	if p.age {
		now = time.Now().UnixNano() // the kernel's time stamps are wall time
	}
	got := 0
	for i := range p.rx.headers[:n] {
		h := &p.rx.headers[i]
		if h.msg.Flags&unix.MSG_TRUNC != 0 {
			p.stats.Oversize++
			continue
		}
		d := &in[got]
		at := i * p.stride
		d.Data = p.buf[at : at+int(h.n) : at+p.size]
		if p.is6 {
			p.rx.slots[i].name.get6(&d.Peer)
		} else {
			p.rx.slots[i].name.get4(&d.Peer)
		}
		d.Peer.Local = [16]byte{}
		d.Age = 0
		if p.rxCtlLen > 0 {
			arrived := p.rx.control[i].read(int(h.msg.Controllen), &d.Peer)
			if arrived != 0 && now > arrived {
				d.Age = now - arrived
			}
		}
		got++
	}
	p.stats.Received += uint64(got)
	return got
}

// receive asks the kernel, again when what it met was an error of an earlier
// datagram. maxSockErrors bounds that: each call takes at most one such error.
func (p *Port) receive(want int) int {
	const maxSockErrors = 8
	for range maxSockErrors {
		n, e := p.rx.receive(p.fd, want)
		if e == 0 {
			return n
		}
		if e == unix.EAGAIN {
			return 0
		}
		p.stats.SockErrors++
	}
	return 0
}

// Send sends out, a batch at a time.
func (p *Port) Send(out []netio.Datagram) int {
	sent := 0
	for len(out) > 0 {
		n := min(len(out), len(p.tx.headers))
		sent += p.sendBatch(out[:n])
		out = out[n:]
	}
	p.stats.Sent += uint64(sent)
	return sent
}

// sendBatch sends at most one batch and returns how many the kernel took.
func (p *Port) sendBatch(out []netio.Datagram) int {
	n := 0
	for i := range out {
		d := &out[i]
		name := &p.tx.slots[n].name
		if p.is6 {
			name.put6(&d.Peer)
		} else if !name.put4(&d.Peer) {
			p.stats.SendDrops++
			continue
		}
		p.tx.setPayload(n, d.Data)
		if p.wildcard {
			p.tx.setSource(n, &d.Peer, p.is6)
		}
		n++
	}
	sent := 0
	retried := false // whether the datagram at hand has already met a pending error
	for done := 0; done < n; {
		k, e := p.tx.send(p.fd, done, n)
		if e == 0 && k > 0 {
			done += k
			sent += k
			retried = false
			continue
		}
		switch {
		case e == unix.EAGAIN:
			// The send queue is full and stays so for the rest of the batch.
			p.stats.SendDrops += uint64(n - done)
			return sent
		case e == unix.ECONNREFUSED && !retried:
			// An ICMP answer to an earlier datagram, not about this one.
			p.stats.SockErrors++
			retried = true
		default:
			p.stats.SendDrops++
			done++
			retried = false
		}
	}
	return sent
}
