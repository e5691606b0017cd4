package netiotest

import (
	"testing"

	"heimdall/netio"
)

func TestPollsReadable(t *testing.T) {
	p, w := newPort(t, 4)
	poller, err := netio.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer poller.Close()
	token := netio.Token(netio.KindUDP, 3)
	if err := poller.Add(p.FD(), netio.Readable, token); err != nil {
		t.Fatal(err)
	}
	events := make([]netio.Event, 4)
	in := make([]netio.Datagram, 1)
	for range 2 {
		if n := poller.Wait(events, 0); n != 0 {
			t.Fatalf("empty: %d events", n)
		}
		w.Put(netio.Datagram{Data: []byte("1")})
		w.Put(netio.Datagram{Data: []byte("2")})
		for range 2 {
			if n := poller.Wait(events, 0); n != 1 || events[0].Token != token {
				t.Fatalf("waiting datagram: %d events", n)
			}
			p.Recv(in)
		}
	}
}
