package xsk

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"heimdall/netio"
	"heimdall/netio/netiotest"
)

// kernel plays the other end of a port's rings, in ordinary memory. It never needs a wake-up, so that no system call
// is made.
type kernel struct {
	t    *testing.T
	mem  []byte
	fill *consumer[uint64]
	done *producer[uint64]
	rx   *producer[descriptor]
	tx   *consumer[descriptor]
}

// newPair returns a port for both addresses of the tests, its kernel, and the wires of its sockets.
func newPair(t *testing.T, mtu int) (*Port, *kernel, [2]*netiotest.Wire) {
	t.Helper()
	o := Options{Interface: 9, MTU: mtu, Memory: make([]byte, MemorySize)}
	var wires [2]*netiotest.Wire
	for i, addr := range []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:53"), server6} {
		socket, wire, err := netiotest.New(64)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { socket.Close() })
		wires[1-i] = wire // the wildcard comes last
		o.Ways = append(o.Ways, Way{addr, socket})
	}
	p, err := newPort(o)
	if err != nil {
		t.Fatal(err)
	}
	k := &kernel{t: t, mem: o.Memory}
	const start = 1<<32 - 3000 // so that the positions wrap
	link := func(fill *producer[uint64], done *consumer[uint64], rx *consumer[descriptor], tx *producer[descriptor]) {
		p.fill, p.done, p.rx, p.tx = *fill, *done, *rx, *tx
	}
	fill, fillEnd := newRings[uint64](receiveFrames, start)
	doneEnd, done := newRings[uint64](sendFrames, start)
	rxEnd, rx := newRings[descriptor](receiveFrames, start)
	tx, txEnd := newRings[descriptor](sendFrames, start)
	k.fill, k.done, k.rx, k.tx = fillEnd, doneEnd, rxEnd, txEnd
	link(fill, done, rx, tx)
	p.divide()
	return p, k, wires
}

// receive puts a frame into the memory and the rx ring. It returns false if the port lends no memory.
func (k *kernel) receive(frame []byte) bool {
	if k.fill.available(1) == 0 {
		return false
	}
	addr := k.fill.take()
	k.fill.release()
	if addr%frameSize != 0 || addr >= receiveFrames*frameSize {
		k.t.Fatalf("frame %#x is lent for receiving", addr)
	}
	addr += 256 // the headroom
	copy(k.mem[addr:], frame)
	if !k.rx.room() {
		k.t.Fatal("the rx ring is full")
	}
	k.rx.put(descriptor{addr: addr, size: uint32(len(frame))})
	k.rx.publish()
	return true
}

// send takes what is in the tx ring, and completes it.
func (k *kernel) send() (frames [][]byte) {
	for range k.tx.available(sendFrames) {
		d := k.tx.take()
		if d.addr < receiveFrames*frameSize {
			k.t.Fatalf("frame %#x is for receiving, and is sent", d.addr)
		}
		frames = append(frames, bytes.Clone(k.mem[d.addr:d.addr+uint64(d.size)]))
		k.tx.release()
		if !k.done.room() {
			k.t.Fatal("the completion ring is full")
		}
		k.done.put(d.addr)
		k.done.publish()
	}
	return frames
}

// Queries come out, responses go back, and no frame is lost however many go round.
func TestPort(t *testing.T) {
	p, k, _ := newPair(t, 1500)
	in := make([]netio.Datagram, 64)
	total := 0
	for round := range 300 {
		want := round % 64
		for i := range want {
			from, to := client4, server4
			if i%2 == 1 {
				from, to = client6, server6
			}
			if !k.receive(frame(from, to, fmt.Appendf(nil, "query %d.%d", round, i))) {
				t.Fatal("no memory is lent")
			}
		}
		if n := p.Recv(in); n != want {
			t.Fatalf("%d of %d queries came", n, want)
		}
		for i := range want {
			if got := string(in[i].Data); got != fmt.Sprintf("query %d.%d", round, i) {
				t.Fatalf("%q came", got)
			}
			in[i].Data = fmt.Appendf(nil, "response to %s", in[i].Data)
		}
		if n := p.Send(in[:want]); n != want {
			t.Fatalf("%d of %d responses were taken", n, want)
		}
		out := k.send()
		if len(out) != want {
			t.Fatalf("%d of %d responses left", len(out), want)
		}
		for i, b := range out {
			var e netio.Endpoint
			var d datagram
			if !parse(b, &e, &d) || string(d.payload) != fmt.Sprintf("response to query %d.%d", round, i) || d.port != client4.Port() {
				t.Fatalf("%x was sent", b)
			}
			checkSums(t, b, d.ethernet)
		}
		total += want
	}
	if s := p.Stats(); s.Received != uint64(total) || s.Sent != uint64(total) || s.SendDrops != 0 || s.Malformed != 0 {
		t.Errorf("%+v after %d queries", s, total)
	}
}

// What is lent stays as it is until the next Recv, and then is the kernel's again: all of it, if a shard has ended in
// between.
func TestPortLends(t *testing.T) {
	p, k, _ := newPair(t, 1500)
	n := 0
	for k.receive(frame(client4, server4, fmt.Appendf(nil, "query %d", n))) {
		n++
	}
	if n != receiveFrames {
		t.Fatalf("%d frames are lent, not %d", n, receiveFrames)
	}
	in := make([]netio.Datagram, 100)
	if got := p.Recv(in); got != 100 {
		t.Fatalf("%d came", got)
	}
	if k.receive(frame(client4, server4, nil)) {
		t.Fatal("a frame is lent to both sides")
	}
	for i := range in {
		if string(in[i].Data) != fmt.Sprintf("query %d", i) {
			t.Fatalf("query %d became %q", i, in[i].Data)
		}
	}
	p.Recv(in[:0])
	for range 100 {
		if !k.receive(frame(client4, server4, nil)) {
			t.Fatal("a frame did not come back")
		}
	}
	if k.receive(frame(client4, server4, nil)) {
		t.Fatal("a frame came back twice")
	}
}

// What is not for a listen address is skipped and counted, and its frame comes back.
func TestPortMalformed(t *testing.T) {
	p, k, _ := newPair(t, 1500)
	in := make([]netio.Datagram, 8)
	other := netip.MustParseAddrPort("[2001:db8::2]:53")
	for range 2 * receiveFrames / 4 {
		k.receive(frame(client6, other, nil))
		k.receive(frame(client4, netip.MustParseAddrPort("192.0.2.1:54"), nil))
		k.receive([]byte{1, 2, 3})
		if !k.receive(frame(client6, server6, []byte("good"))) {
			t.Fatal("a frame did not come back")
		}
		if n := p.Recv(in); n != 1 || string(in[0].Data) != "good" {
			t.Fatalf("%d came: %v", n, in[:n])
		}
	}
	if s := p.Stats(); s.Malformed != 3*receiveFrames/2 {
		t.Errorf("%+v", s)
	}
}

// A full tx ring costs responses, which are counted; when frames come back it goes on.
func TestPortFull(t *testing.T) {
	p, k, _ := newPair(t, 1500)
	k.receive(frame(client4, server4, nil))
	in := make([]netio.Datagram, 1)
	p.Recv(in)
	out := make([]netio.Datagram, sendFrames+10)
	for i := range out {
		out[i] = netio.Datagram{Data: []byte("response"), Peer: in[0].Peer}
	}
	if n := p.Send(out); n != sendFrames {
		t.Fatalf("%d were taken", n)
	}
	if s := p.Stats(); s.SendDrops != 10 {
		t.Errorf("%+v", s)
	}
	if n := len(k.send()); n != sendFrames {
		t.Fatalf("%d left", n)
	}
	if n := p.Send(out[:50]); n != 50 || len(k.send()) != 50 {
		t.Fatalf("then %d were taken", n)
	}
}

// A response that the ring cannot carry goes through the socket of the address that its query came to.
func TestPortDetour(t *testing.T) {
	linkLocal4 := netip.MustParseAddrPort("169.254.0.9:4096")
	linkLocal6 := netip.MustParseAddrPort("[fe80::9]:4096")
	for _, c := range []struct {
		from, to netip.AddrPort
		tags     []uint16
		wire     int
		fits     int
		scope    uint32
	}{
		{client6, server6, nil, 0, 1280 - 48, 0},
		{client4, server4, nil, 1, 1280 - 28, 0},
		{linkLocal4, server4, nil, 1, 1280 - 28, 0},
		{linkLocal6, server6, nil, 0, 1280 - 48, 9},
		{linkLocal6, server6, []uint16{0x8100}, 0, 1280 - 48, 0},
	} {
		p, k, wires := newPair(t, 1280)
		k.receive(frame(c.from, c.to, nil, c.tags...))
		in := make([]netio.Datagram, 1)
		if p.Recv(in) != 1 {
			t.Fatalf("%v: nothing came", c.from)
		}
		took := make([]netio.Datagram, 2)
		in[0].Data = make([]byte, c.fits)
		if n := p.Send(in); n != 1 || len(k.send()) != 1 || wires[c.wire].Take(took) != 0 {
			t.Errorf("%v: %d octets did not leave by the ring", c.from, c.fits)
		}
		in[0].Data = make([]byte, c.fits+1)
		if n := p.Send(in); n != 1 || len(k.send()) != 0 {
			t.Errorf("%v: %d octets left by the ring", c.from, c.fits+1)
		}
		if n := wires[c.wire].Take(took); n != 1 || len(took[0].Data) != c.fits+1 || netiotest.Peer(took[0].Peer) != c.from ||
			netiotest.Local(took[0].Peer) != c.to.Addr() || took[0].Peer.Scope != c.scope {
			t.Errorf("%v: the socket sent %d: %v", c.from, n, took[0].Peer)
		}
		// Others take the place of the link.
		query := frame(client4, server4, nil)
		for i := range 4 * linkSets * linkWays {
			query[8], query[9] = byte(i>>8), byte(i)
			k.receive(query)
			p.Recv(make([]netio.Datagram, 1))
		}
		in[0].Data = []byte("late")
		if n := p.Send(in); n != 1 || len(k.send()) != 0 || wires[c.wire].Take(took) != 1 || string(took[0].Data) != "late" {
			t.Errorf("%v: a response whose link was replaced did not take the socket", c.from)
		}
	}
}

// An endpoint of another port is no reason to fail.
func TestPortForeignEndpoint(t *testing.T) {
	p, k, _ := newPair(t, 1500)
	for _, scope := range []uint32{2 << linkBits, 1<<32 - 1, (MaxWays - 1) << linkBits} {
		if n := p.Send([]netio.Datagram{{Peer: netio.Endpoint{Scope: scope}}}); n != 0 || len(k.send()) != 0 {
			t.Errorf("sent to scope %#x", scope)
		}
	}
	if _, err := newPort(Options{Memory: make([]byte, 4096)}); err == nil {
		t.Error("too little memory accepted")
	}
	if _, err := newPort(Options{Memory: make([]byte, MemorySize), Ways: make([]Way, MaxWays+1)}); err == nil {
		t.Error("too many listen addresses accepted")
	}
}
