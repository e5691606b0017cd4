package netiotest

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"heimdall/netio"
)

func newPort(t *testing.T, size int) (*Port, *Wire) {
	t.Helper()
	p, w, err := New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, w
}

var peer = From(netip.MustParseAddrPort("192.0.2.1:1053"))

func TestBothWays(t *testing.T) {
	p, w := newPort(t, 4)
	in := make([]netio.Datagram, 8)
	for round := range 3 {
		for i := range 5 {
			d := netio.Datagram{Data: fmt.Append(nil, round, i), Peer: peer, Age: 7}
			if ok := w.Put(d); ok != (i < 4) {
				t.Fatalf("put %d: %v", i, ok)
			}
		}
		p.MeasureAge(round == 1)
		if w.Measuring() != (round == 1) {
			t.Errorf("round %d: measuring %v", round, w.Measuring())
		}
		got := p.Recv(in[:3])
		if got != 3 || in[0].Peer != peer || (in[0].Age == 7) != (round == 1) {
			t.Fatalf("round %d: received %d: %+v", round, got, in[0])
		}
		if n := p.Send(in[:3]); n != 3 {
			t.Fatalf("sent %d", n)
		}
		if got := p.Recv(in); got != 1 || string(in[0].Data) != fmt.Sprint(round, 3) {
			t.Fatalf("received %d: %q", got, in[0].Data)
		}
		w.FailSends(1)
		if n := p.Send([]netio.Datagram{in[0], in[0], in[0]}); n != 1 {
			t.Fatalf("sent %d, want one failed, one taken and one without room", n)
		}
		for i := range 4 {
			d, ok := w.Await(time.Second)
			if !ok || string(d.Data) != fmt.Sprint(round, i) || d.Peer != peer {
				t.Fatalf("round %d: response %d: %q, %v", round, i, d.Data, ok)
			}
		}
	}
	if d, ok := w.Await(time.Millisecond); ok {
		t.Errorf("response %q from nowhere", d.Data)
	}
	want := netio.PortStats{Received: 12, Sent: 12, SendDrops: 6, QueueDrops: 3}
	if p.Stats() != want {
		t.Errorf("stats %+v, want %+v", p.Stats(), want)
	}
}

func TestLoanEndsWithNextRecv(t *testing.T) {
	p, w := newPort(t, 4)
	in := make([]netio.Datagram, 4)
	w.Put(netio.Datagram{Data: []byte("query")})
	p.Recv(in)
	kept := in[0].Data
	p.Recv(in)
	for _, b := range kept {
		if b != stale {
			t.Fatalf("data is still %q", kept)
		}
	}
}

func TestClose(t *testing.T) {
	p, w, err := New(4)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil || !w.Closed() {
		t.Fatalf("close: %v, closed %v", err, w.Closed())
	}
	w.Put(netio.Datagram{Data: []byte("query")})
	in := make([]netio.Datagram, 4)
	if n := p.Recv(in); n != 0 {
		t.Errorf("received %d", n)
	}
	if n := p.Send(in[:1]); n != 0 {
		t.Errorf("sent %d", n)
	}
}

func TestAllocs(t *testing.T) {
	p, w := newPort(t, 4)
	in, out := make([]netio.Datagram, 4), make([]netio.Datagram, 4)
	query := netio.Datagram{Data: make([]byte, 100), Peer: peer}
	cycle := func() {
		w.Put(query)
		w.Put(query)
		p.Send(in[:p.Recv(in)])
		w.Take(out)
	}
	for range 8 { // every slot has been used once
		cycle()
	}
	if n := testing.AllocsPerRun(100, cycle); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
