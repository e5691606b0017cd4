package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"heimdall/netio"
	"heimdall/netio/netiotest"

	"golang.org/x/sys/unix"
)

// listenOn opens a port for a test. It skips when the host has no such address
// family at all.
func listenOn(t testing.TB, o Options) *Port {
	t.Helper()
	p, err := Listen(o)
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) && o.Addr.Addr().Is6() {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// dial returns a client connected to the port, so that it takes only responses
// that come from the address it sent to.
func dial(t testing.TB, p *Port, to netip.Addr) *net.UDPConn {
	t.Helper()
	local := netiotest.Bound(t, p.FD())
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, local.Port())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// hangGuard ends a test that waits for something that does not come.
const hangGuard = 10 * time.Second

// write sends data to the port.
func write(t testing.TB, p *Port, c *net.UDPConn, data string) {
	t.Helper()
	arrive(t, p, func() {
		if _, err := c.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	})
}

// arrive waits until what send makes come to the port is in its queue. Mostly it
// is there at once, but a busy kernel leaves it to a thread (ksoftirqd).
func arrive(t testing.TB, p *Port, send func()) {
	t.Helper()
	// The first number of SO_MEMINFO is the bytes that the queues hold.
	queued := func() int {
		n, err := unix.GetsockoptInt(p.FD(), unix.SOL_SOCKET, unix.SO_MEMINFO)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := queued()
	send()
	for start := time.Now(); queued() <= before; time.Sleep(10 * time.Microsecond) {
		if time.Since(start) > hangGuard {
			t.Fatal("what was sent does not come")
		}
	}
}

func TestEchoKeepsAddresses(t *testing.T) {
	for _, c := range []struct{ listen, to string }{
		{"127.0.0.1:0", "127.0.0.1"},
		{"127.0.0.2:0", "127.0.0.2"},
		{"0.0.0.0:0", "127.0.0.1"},
		{"0.0.0.0:0", "127.0.0.2"},
		{"[::1]:0", "::1"},
		{"[::]:0", "::1"},
		{"[::ffff:127.0.0.1]:0", "127.0.0.1"},
	} {
		for _, age := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s to %s age %v", c.listen, c.to, age), func(t *testing.T) {
				p := listenOn(t, Options{Addr: addr(c.listen)})
				p.MeasureAge(age)
				to := netip.MustParseAddr(c.to)
				client := dial(t, p, to)
				in := make([]netio.Datagram, 8)
				for range 3 { // control lengths must survive being written by the kernel
					write(t, p, client, "query")
					for i := range in { // what an earlier batch left there must not show
						in[i] = netio.Datagram{Peer: netio.Endpoint{Local: [16]byte{1}, Scope: 9}, Age: 1}
					}
					if n := p.Recv(in); n != 1 {
						t.Fatalf("received %d", n)
					}
					d := &in[0]
					if string(d.Data) != "query" {
						t.Errorf("data %q", d.Data)
					}
					if want := client.LocalAddr().(*net.UDPAddr).AddrPort(); netiotest.Peer(d.Peer) != want {
						t.Errorf("peer %v, want %v", netiotest.Peer(d.Peer), want)
					}
					if p.wildcard && netiotest.Local(d.Peer) != to || !p.wildcard && netiotest.Local(d.Peer).IsValid() {
						t.Errorf("local %v", netiotest.Local(d.Peer))
					}
					if d.Peer.Scope != 0 {
						t.Errorf("scope %d", d.Peer.Scope)
					}
					if (d.Age > 0) != age {
						t.Errorf("age %d", d.Age)
					}
					d.Data = []byte("response")
					if n := p.Send(in[:1]); n != 1 {
						t.Fatalf("sent %d: %+v", n, p.Stats())
					}
					// The client is connected: a response from elsewhere would not arrive.
					var buf [64]byte
					n, err := client.Read(buf[:])
					if err != nil || string(buf[:n]) != "response" {
						t.Fatalf("read %q, %v", buf[:n], err)
					}
				}
				if n := p.Recv(in); n != 0 {
					t.Errorf("received %d from an empty queue", n)
				}
				if want := (netio.PortStats{Received: 3, Sent: 3}); p.Stats() != want {
					t.Errorf("stats %+v, want %+v", p.Stats(), want)
				}
			})
		}
	}
}

// A datagram that comes without control messages makes the kernel write a control
// length of zero, which must not outlive the call.
func TestControlLengthIsReset(t *testing.T) {
	p := listenOn(t, Options{Addr: addr("0.0.0.0:0")})
	c := dial(t, p, netip.MustParseAddr("127.0.0.1"))
	in := make([]netio.Datagram, 1)
	for _, info := range []int{1, 0, 1} {
		if err := unix.SetsockoptInt(p.FD(), unix.IPPROTO_IP, unix.IP_PKTINFO, info); err != nil {
			t.Fatal(err)
		}
		write(t, p, c, "query")
		if n := p.Recv(in); n != 1 || netiotest.Local(in[0].Peer).IsValid() != (info == 1) {
			t.Errorf("IP_PKTINFO %d: received %d, local %v", info, n, netiotest.Local(in[0].Peer))
		}
	}
}

func TestLinkLocalKeepsScope(t *testing.T) {
	p := listenOn(t, Options{Addr: addr("[::]:0")})
	e := netiotest.From(addr("[fe80::2%9]:53"))
	e.Local = netip.MustParseAddr("fe80::1").As16()
	p.tx.slots[0].name.put6(&e)
	p.tx.setSource(0, &e, true)
	var back netio.Endpoint
	p.tx.slots[0].name.get6(&back)
	back.Scope = 0 // the control message must bring it
	p.tx.control[0].read(sourceSize(true), &back)
	if back != e {
		t.Errorf("%+v, want %+v", back, e)
	}
	// A datagram to a multicast group is answered from an address of the kernel's choice.
	e.Local = netip.MustParseAddr("ff02::1").As16()
	p.tx.setSource(0, &e, true)
	back = netio.Endpoint{}
	p.tx.control[0].read(sourceSize(true), &back)
	if netiotest.Local(back).IsValid() {
		t.Errorf("local %v", netiotest.Local(back))
	}
}

func TestBatches(t *testing.T) {
	const batch = 16
	p := listenOn(t, Options{Addr: addr("127.0.0.1:0"), Batch: batch})
	c := dial(t, p, netip.MustParseAddr("127.0.0.1"))
	for _, size := range []int{0, 1, 2, batch - 1, batch, batch + 1, 3*batch + 5} {
		for i := range size {
			write(t, p, c, fmt.Sprint("query ", i))
		}
		in := make([]netio.Datagram, 5*batch)
		var out []netio.Datagram
		for len(out) < size {
			n := p.Recv(in)
			if n == 0 || n > batch {
				t.Fatalf("%d of %d: received %d", len(out), size, n)
			}
			for _, d := range in[:n] {
				d.Data = []byte(string(d.Data)) // the buffer is only lent
				out = append(out, d)
			}
		}
		for i := range out {
			if want := fmt.Sprint("query ", i); string(out[i].Data) != want {
				t.Errorf("%d of %d: %q", i, size, out[i].Data)
			}
		}
		// More than a batch at once: Send cuts it up.
		if n := p.Send(out); n != size {
			t.Fatalf("sent %d of %d", n, size)
		}
		var buf [64]byte
		for i := range size {
			n, err := c.Read(buf[:])
			if want := fmt.Sprint("query ", i); err != nil || string(buf[:n]) != want {
				t.Fatalf("%d of %d: read %q, %v", i, size, buf[:n], err)
			}
		}
	}
	// A slice shorter than what waits leaves the rest in the queue.
	for i := range 5 {
		write(t, p, c, fmt.Sprint("query ", i))
	}
	in := make([]netio.Datagram, 2)
	for _, want := range []int{2, 2, 1, 0} {
		if n := p.Recv(in); n != want {
			t.Errorf("received %d, want %d", n, want)
		}
	}
	if n := p.Recv(nil); n != 0 {
		t.Errorf("received %d into nothing", n)
	}
}

func TestReceiveBuffersAreApart(t *testing.T) {
	const size = 100
	p := listenOn(t, Options{Addr: addr("127.0.0.1:0"), MaxDatagram: size, Batch: 4})
	c := dial(t, p, netip.MustParseAddr("127.0.0.1"))
	for range 4 {
		write(t, p, c, "query")
	}
	in := make([]netio.Datagram, 4)
	if n := p.Recv(in); n != 4 {
		t.Fatalf("received %d", n)
	}
	if cap(in[0].Data) != size {
		t.Errorf("capacity %d, want %d", cap(in[0].Data), size)
	}
	for i := range in {
		full := in[i].Data[:size]
		for j := range full {
			full[j] = byte(i)
		}
	}
	for i := range in {
		for j, b := range in[i].Data[:size] {
			if b != byte(i) {
				t.Fatalf("buffer %d, byte %d was overwritten by buffer %d", i, j, b)
			}
		}
	}
}

func TestBufferStride(t *testing.T) {
	for size, want := range map[int]int{1: 64, 64: 64, 65: 192, 2048: 33 * 64, 4096: 65 * 64} {
		if got := bufferStride(size); got != want {
			t.Errorf("bufferStride(%d) = %d, want %d", size, got, want)
		}
	}
}

func TestOversizeIsDropped(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		p := listenOn(t, Options{Addr: addr(listen), MaxDatagram: 100})
		c := dial(t, p, netip.MustParseAddr("127.0.0.1"))
		write(t, p, c, strings.Repeat("x", 101))
		write(t, p, c, strings.Repeat("y", 100))
		write(t, p, c, strings.Repeat("x", 30000))
		write(t, p, c, "") // no payload is a datagram as well
		in := make([]netio.Datagram, 8)
		if n := p.Recv(in); n != 2 || len(in[0].Data) != 100 || in[0].Data[0] != 'y' || len(in[1].Data) != 0 {
			t.Fatalf("%s: received %d", listen, n)
		}
		if want := (netio.PortStats{Received: 2, Oversize: 2}); p.Stats() != want {
			t.Errorf("%s: stats %+v, want %+v", listen, p.Stats(), want)
		}
	}
}

func TestQueueDropsAreCounted(t *testing.T) {
	p := listenOn(t, Options{Addr: addr("127.0.0.1:0"), RcvBuf: 4096})
	c := dial(t, p, netip.MustParseAddr("127.0.0.1"))
	const sent = 300
	for range sent {
		if _, err := c.Write([]byte("query")); err != nil {
			t.Fatal(err)
		}
	}
	in := make([]netio.Datagram, 64)
	got := 0
	for start := time.Now(); got+int(p.Stats().QueueDrops) < sent && time.Since(start) < hangGuard; {
		if p.Stats().QueueDrops > 0 { // the queue has been full
			got += p.Recv(in)
		}
	}
	for range 2 { // a second reading must not count them again
		s := p.Stats()
		if got == sent || s.QueueDrops != uint64(sent-got) || s.Received != uint64(got) {
			t.Errorf("%d of %d received, stats %+v", got, sent, s)
		}
	}
}

func TestSendDropsOnlyWhatFails(t *testing.T) {
	p := listenOn(t, Options{Addr: addr("127.0.0.1:0"), Batch: 4})
	c := dial(t, p, netip.MustParseAddr("127.0.0.1"))
	good := netiotest.From(c.LocalAddr().(*net.UDPAddr).AddrPort())
	noPort := good
	noPort.Port = 0
	otherFamily := netiotest.From(addr("[2001:db8::7f00:1]:53")) // ends like 127.0.0.1
	otherFamily.Port = good.Port
	out := []netio.Datagram{
		{Data: make([]byte, 70000), Peer: good}, // EMSGSIZE
		{Data: []byte("1"), Peer: good},
		{Data: []byte("x"), Peer: otherFamily},
		{Data: []byte("2"), Peer: good},
		{Data: []byte("x"), Peer: noPort},                                    // EINVAL
		{Data: []byte("x"), Peer: netiotest.From(addr("255.255.255.255:9"))}, // EACCES
		{Data: []byte("3"), Peer: good},
		{Data: make([]byte, 70000), Peer: good}, // EMSGSIZE
	}
	if n := p.Send(out); n != 3 {
		t.Errorf("sent %d", n)
	}
	if want := (netio.PortStats{Sent: 3, SendDrops: 5}); p.Stats() != want {
		t.Errorf("stats %+v, want %+v", p.Stats(), want)
	}
	var buf [64]byte
	for _, want := range []string{"1", "2", "3"} {
		if n, err := c.Read(buf[:]); err != nil || string(buf[:n]) != want {
			t.Errorf("read %q, %v, want %q", buf[:n], err, want)
		}
	}
	if n := p.Send(nil); n != 0 {
		t.Errorf("sent %d of nothing", n)
	}
}

// Responses to a port nobody listens on come back as ICMP errors, which must
// disturb neither later responses nor later queries.
func TestPendingErrorsAreIgnored(t *testing.T) {
	p := listenOn(t, Options{Addr: addr("127.0.0.1:0")})
	// Without this the kernel keeps such errors from a socket that is not connected.
	if err := unix.SetsockoptInt(p.FD(), unix.IPPROTO_IP, unix.IP_RECVERR, 1); err != nil {
		t.Fatal(err)
	}
	gone := dial(t, p, netip.MustParseAddr("127.0.0.1"))
	closed := netiotest.From(gone.LocalAddr().(*net.UDPAddr).AddrPort())
	gone.Close()
	c := dial(t, p, netip.MustParseAddr("127.0.0.1"))
	good := netiotest.From(c.LocalAddr().(*net.UDPAddr).AddrPort())
	dead, live := netio.Datagram{Data: []byte("x"), Peer: closed}, netio.Datagram{Data: []byte("y"), Peer: good}

	sendDead := func() {
		if n := p.Send([]netio.Datagram{dead}); n != 1 {
			t.Fatalf("sent %d", n)
		}
	}
	arrive(t, p, sendDead)
	if n := p.Send([]netio.Datagram{live, live}); n != 2 {
		t.Errorf("sent %d after an error", n)
	}
	arrive(t, p, sendDead)
	write(t, p, c, "query")
	in := make([]netio.Datagram, 4)
	if n := p.Recv(in); n != 1 {
		t.Errorf("received %d after an error", n)
	}
	if s := p.Stats(); s.SockErrors != 2 || s.SendDrops != 0 {
		t.Errorf("stats %+v", s)
	}
}

// A UDP socket on loopback never fills its send queue, so a sequenced-packet pair
// that nobody reads stands in for it: it ignores addresses and says EAGAIN.
func TestFullSendQueueDrops(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	if err := unix.SetsockoptInt(pair[1], unix.SOL_SOCKET, unix.SO_SNDBUF, 64<<10); err != nil {
		t.Fatal(err) // the system's default may be large
	}
	p := newPort(pair[1], Options{Addr: addr("127.0.0.1:0")}.withDefaults())
	defer p.Close()
	out := make([]netio.Datagram, 5000)
	for i := range out {
		out[i] = netio.Datagram{Data: []byte("x"), Peer: netiotest.From(addr("127.0.0.1:9"))}
	}
	n := p.Send(out)
	if n == 0 || n == len(out) {
		t.Fatalf("sent %d of %d", n, len(out))
	}
	if want := (netio.PortStats{Sent: uint64(n), SendDrops: uint64(len(out) - n)}); p.stats != want {
		t.Errorf("stats %+v, want %+v", p.stats, want)
	}
}

func TestAgeGrowsInQueue(t *testing.T) {
	const waited = 20 * time.Millisecond
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		p := listenOn(t, Options{Addr: addr(listen)})
		c := dial(t, p, netip.MustParseAddr("127.0.0.1"))
		p.MeasureAge(true)
		in := make([]netio.Datagram, 4)
		for try := 1; ; try++ {
			write(t, p, c, "old")
			time.Sleep(waited)
			write(t, p, c, "new")
			if n := p.Recv(in); n != 2 || in[0].Age <= 0 || in[1].Age <= 0 {
				t.Fatalf("%s: received %d, ages %d and %d", listen, n, in[0].Age, in[1].Age)
			}
			if in[0].Age-in[1].Age >= int64(waited*3/4) {
				break
			}
			// The kernel stamps arrivals only once its worker has patched the code: see MeasureAge.
			if try == 100 {
				t.Fatalf("%s: ages %d and %d", listen, in[0].Age, in[1].Age)
			}
		}
		p.MeasureAge(false)
		write(t, p, c, "any")
		if n := p.Recv(in); n != 1 || in[0].Age != 0 {
			t.Errorf("%s: received %d, age %d while off", listen, n, in[0].Age)
		}
	}
}
