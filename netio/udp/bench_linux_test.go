package udp

import (
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"heimdall/netio"
	"heimdall/netio/netiotest"
)

// BenchmarkAgainstBare answers batches that a client has put into the socket's
// queue, by turns through a Port and through the bare system calls on a socket of
// the same kind, and reports nanoseconds a datagram for each. Only receiving and
// sending is timed, not the client. Turns cancel the machine's drift, and medians
// of the batches' times what other processes take in between.
func BenchmarkAgainstBare(b *testing.B) {
	for _, c := range []struct {
		name, listen string
		age          bool
	}{
		{"ipv4", "127.0.0.1:0", false},
		{"ipv4-age", "127.0.0.1:0", true},
		{"ipv4-wildcard", "0.0.0.0:0", false},
		{"ipv6", "[::1]:0", false},
		{"ipv6-wildcard", "[::]:0", false},
	} {
		for _, batch := range []int{1, 8, 64} {
			b.Run(c.name+"/"+strconv.Itoa(batch), func(b *testing.B) { againstBare(b, c.listen, c.age, batch) })
		}
	}
}

func againstBare(b *testing.B, listen string, age bool, batch int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const buffer = 4 << 20
	ask := Options{Addr: addr(listen), RcvBuf: buffer, SndBuf: buffer}
	port := listenOn(b, ask)
	specific := ask
	if port.wildcard { // the yardstick has no control messages
		specific.Addr = netip.AddrPortFrom(loopback(port.is6), 0)
	}
	bare := newBareLoop(listenOn(b, specific).fd)
	barePort := &Port{fd: bare.fd}

	toPort, toBare := newClient(b, port), newClient(b, barePort)
	in := make([]netio.Datagram, defaultBatch)
	var portTimes, bareTimes []time.Duration
	for b.Loop() {
		port.MeasureAge(age)
		toPort.ask(batch)
		start := time.Now()
		n := port.Recv(in)
		for i := range in[:n] {
			in[i].Data[2] |= 0x80
		}
		port.Send(in[:n])
		portTimes = append(portTimes, time.Since(start))
		toPort.drain()
		if age {
			port.MeasureAge(false) // or the yardstick would pay for it
		}

		toBare.ask(batch)
		start = time.Now()
		m := bare.recv()
		bare.send(m)
		bareTimes = append(bareTimes, time.Since(start))
		toBare.drain()
		if n != batch || m != batch {
			b.Fatalf("moved %d and %d of %d", n, m, batch)
		}
	}
	portTime, bareTime := median(portTimes), median(bareTimes)
	b.ReportMetric(portTime/float64(batch), "port-ns/dgram")
	b.ReportMetric(bareTime/float64(batch), "bare-ns/dgram")
	b.ReportMetric(100*(portTime/bareTime-1), "%over")
	b.ReportMetric(0, "ns/op")
}

// median returns the middle of the times, in nanoseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Nanoseconds())
}

// client is the other end: a port of its own that always sends to the same peer.
type client struct {
	port    *Port
	queries []netio.Datagram
	in      []netio.Datagram
}

func newClient(b *testing.B, server *Port) *client {
	local := netiotest.Bound(b, server.FD())
	ip := loopback(local.Addr().Is6())
	const buffer = 4 << 20
	c := &client{
		port: listenOn(b, Options{Addr: netip.AddrPortFrom(ip, 0), RcvBuf: buffer, SndBuf: buffer}),
		in:   make([]netio.Datagram, defaultBatch),
	}
	for range defaultBatch {
		c.queries = append(c.queries, netio.Datagram{
			Data: make([]byte, 40),
			Peer: netiotest.From(netip.AddrPortFrom(ip, local.Port())),
		})
	}
	return c
}

func loopback(is6 bool) netip.Addr {
	if is6 {
		return netip.IPv6Loopback()
	}
	return netip.MustParseAddr("127.0.0.1")
}

func (c *client) ask(n int) { c.port.Send(c.queries[:n]) }

func (c *client) drain() {
	for c.port.Recv(c.in) > 0 {
	}
}

func BenchmarkAddr(b *testing.B) {
	var a rawAddr
	e := netiotest.From(addr("192.0.2.1:53"))
	b.Run("put4", func(b *testing.B) {
		for b.Loop() {
			a.put4(&e)
		}
	})
	b.Run("get4", func(b *testing.B) {
		for b.Loop() {
			a.get4(&e)
		}
	})
	e = netiotest.From(addr("[2001:db8::1]:53"))
	b.Run("put6", func(b *testing.B) {
		for b.Loop() {
			a.put6(&e)
		}
	})
	b.Run("get6", func(b *testing.B) {
		for b.Loop() {
			a.get6(&e)
		}
	})
}
