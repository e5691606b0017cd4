//go:build linux

package xsk

import (
	"testing"

	"heimdall/netio"
)

func TestPortAllocs(t *testing.T) {
	p, k, wires := newPair(t, 1280)
	frames := [][]byte{frame(client4, server4, make([]byte, 40)), frame(client6, server6, make([]byte, 40), 0x8100)}
	in := make([]netio.Datagram, 64)
	out := make([]netio.Datagram, 0, 64)
	long := make([]byte, 1400)
	took := make([]netio.Datagram, 4)
	if n := testing.AllocsPerRun(200, func() {
		for i := range 32 {
			k.receive(frames[i%2])
		}
		n := p.Recv(in)
		out = append(out[:0], in[:n]...)
		out[3].Data = long // takes the socket
		if p.Send(out) != 32 || n != 32 {
			t.Fatal("not all were sent")
		}
		for range k.tx.available(sendFrames) {
			k.done.put(k.tx.take().addr)
		}
		k.tx.release()
		k.done.publish()
		for _, w := range wires {
			w.Take(took)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
