//go:build linux

package udp

import (
	"net/netip"
	"testing"
	"time"

	"heimdall/netio"
)

func TestRecvSendAllocs(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		for _, age := range []bool{false, true} {
			p := listenOn(t, Options{Addr: addr(listen)})
			to := netip.MustParseAddr("127.0.0.1")
			if p.is6 {
				to = netip.IPv6Loopback()
			}
			p.MeasureAge(age)
			c := dial(t, p, to)
			in := make([]netio.Datagram, 8)
			query, buf := []byte("query"), make([]byte, 64)
			moved := 0
			n := testing.AllocsPerRun(100, func() {
				c.Write(query)
				c.Write(query)
				got := 0
				for start := time.Now(); got < 2 && time.Since(start) < hangGuard; {
					n := p.Recv(in)
					got += n
					moved += n + p.Send(in[:n])
				}
				moved += p.Recv(in)
				c.Read(buf)
				c.Read(buf)
				p.Stats()
			})
			if n != 0 || moved != 4*101 {
				t.Errorf("%s age %v: %v allocations, %d datagrams moved", listen, age, n, moved)
			}
		}
	}
}
