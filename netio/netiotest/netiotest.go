// Package netiotest is a netio.Port in memory: the shard holds the Port, the test
// holds the Wire at its other end and plays every client of the world.
package netiotest

import (
	"sync"
	"time"

	"heimdall/netio"
)

// Port is the shard's end. Like every port it belongs to one goroutine; the Wire
// may be used by others. Recv and Send do not allocate once the buffers have grown
// to the size of the datagrams in use.
//
// Recv overwrites what the last Recv lent, so that a shard which keeps borrowed
// data too long shows it.
type Port struct {
	mu       sync.Mutex
	toShard  queue
	toWire   queue
	stats    netio.PortStats
	age      bool
	closed   bool
	failNext int           // datagrams that Send is still to drop
	sent     chan struct{} // holds a token after Send, for Await
	lent     [][]byte      // buffers of the last Recv
	ready    readiness
}

var _ netio.Port = (*Port)(nil)

// Wire is the test's end of a port. Safe for concurrent use.
type Wire struct {
	port *Port
	lent [][]byte // buffers of the last Take
}

// New returns the two ends of a port whose queues hold size datagrams each.
func New(size int) (*Port, *Wire, error) {
	p := &Port{
		toShard: queue{slots: make([]netio.Datagram, size)},
		toWire:  queue{slots: make([]netio.Datagram, size)},
		sent:    make(chan struct{}, 1),
		lent:    make([][]byte, size),
	}
	if err := p.ready.open(); err != nil {
		return nil, nil, err
	}
	return p, &Wire{port: p, lent: make([][]byte, size)}, nil
}

// Put queues a datagram for the shard, Peer being who sent it and Age, if not
// zero, how long it is to have waited. Data is copied. It returns false and counts
// a queue drop when the queue is full.
func (w *Wire) Put(d netio.Datagram) bool {
	p := w.port
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.toShard.push(&d) {
		p.stats.QueueDrops++
		return false
	}
	if p.toShard.n == 1 && !p.closed {
		p.ready.set()
	}
	return true
}

// Take moves what the shard has sent into out, Peer being whom it was sent to, and
// returns how many. Data is valid until the next Take or Await.
func (w *Wire) Take(out []netio.Datagram) int {
	p := w.port
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.toWire.pop(out, w.lent)
}

// Await returns the next datagram that the shard sends, or false after timeout.
// Only one goroutine may wait at a time.
func (w *Wire) Await(timeout time.Duration) (netio.Datagram, bool) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	var one [1]netio.Datagram
	for {
		if w.Take(one[:]) == 1 {
			return one[0], true
		}
		select {
		case <-w.port.sent:
		case <-timer.C:
			return netio.Datagram{}, false
		}
	}
}

// FailSends makes the port drop the next n datagrams it is to send.
func (w *Wire) FailSends(n int) {
	w.port.mu.Lock()
	defer w.port.mu.Unlock()
	w.port.failNext = n
}

// Measuring reports whether the shard has asked for the age of datagrams.
func (w *Wire) Measuring() bool {
	w.port.mu.Lock()
	defer w.port.mu.Unlock()
	return w.port.age
}

// Closed reports whether the shard has closed its end.
func (w *Wire) Closed() bool {
	w.port.mu.Lock()
	defer w.port.mu.Unlock()
	return w.port.closed
}

// Recv fills in with what the wire has put.
func (p *Port) Recv(in []netio.Datagram) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0
	}
	n := p.toShard.pop(in, p.lent)
	if n > 0 && p.toShard.n == 0 {
		p.ready.clear()
	}
	if !p.age {
		for i := range in[:n] {
			in[i].Age = 0
		}
	}
	p.stats.Received += uint64(n)
	return n
}

// Send hands out to the wire; what its queue does not hold is dropped.
func (p *Port) Send(out []netio.Datagram) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := 0
	for i := range out {
		switch {
		case p.closed:
			p.stats.SendDrops++
		case p.failNext > 0:
			p.failNext--
			p.stats.SendDrops++
		case !p.toWire.push(&out[i]):
			p.stats.SendDrops++
		default:
			sent++
		}
	}
	p.stats.Sent += uint64(sent)
	if sent > 0 {
		select {
		case p.sent <- struct{}{}:
		default:
		}
	}
	return sent
}

// FD polls readable while the wire's datagrams wait.
func (p *Port) FD() int { return p.ready.fd }

// MeasureAge decides whether Recv passes on the age that Put was given.
func (p *Port) MeasureAge(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.age = on
}

// Stats returns the counters.
func (p *Port) Stats() netio.PortStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Close ends the port; what the wire puts afterwards is never received.
func (p *Port) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return p.ready.close()
}
