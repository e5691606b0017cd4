package outbound

import (
	"net/netip"
	"testing"
	"time"

	"heimdall/netio/tcp/framing"
)

// exchange returns a function that asks a server n times at once, by datagram,
// and takes the answers.
func exchange(t testing.TB, addr string, own bool, n int) func() {
	h := newHarness(t, Options{UsesPerSocket: 1 << 30})
	h.done = true
	s := newUDPServer(t, addr)
	s.SetDeadline(time.Time{})
	for range 64 * 16 { // all ports are open, or nearly
		h.Pick(s.addr)
	}
	got := 0
	h.datagram = func(uint16, netip.AddrPort, []byte) { got++ }
	query := []byte("a query of forty octets, as most are....")
	return func() {
		for range n {
			sock, _ := h.Pick(s.addr)
			if own {
				sock, _ = h.Own(1, s.addr, h.Clock+int64(time.Second))
			}
			h.Send(sock, s.addr, query)
		}
		for range n {
			m, from, _ := s.ReadFromUDPAddrPort(s.buf[:])
			s.WriteToUDPAddrPort(s.buf[:m], from)
		}
		for got = 0; got < n; {
			h.Turn(time.Second)
		}
	}
}

func TestOwnPortAllocs(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		if n := testing.AllocsPerRun(200, exchange(t, addr, true, 4)); n != 0 {
			t.Errorf("%s: %v allocations", addr, n)
		}
	}
}

func TestDatagramAllocs(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		if n := testing.AllocsPerRun(200, exchange(t, addr, false, 4)); n != 0 {
			t.Errorf("%s: %v allocations", addr, n)
		}
	}
}

// streamExchange does the same by one stream, to a server in this goroutine.
func streamExchange(t testing.TB, n int) func() {
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	var ref uint64
	got := 0
	h.ended = func(_ uint64, _ []byte, err error) {
		if err != nil {
			t.Error(err)
		}
		got++
	}
	query := []byte("a query of forty octets, as most are....")
	fd := -1
	buf := make([]byte, 64<<10)
	return func() {
		for i := range n {
			query[0] = byte(i)
			ref++
			h.Stream(ref, s.addr, query, h.Clock+int64(time.Hour))
		}
		if fd < 0 {
			raw, _ := s.accept().SyscallConn()
			raw.Control(func(f uintptr) { fd = int(f) })
			h.Quiet()
		}
		for echoed := 0; echoed < n*(2+len(query)); {
			m, e := framing.Recv(fd, buf)
			if e == 0 {
				framing.Send(fd, buf[:m])
				echoed += m
			}
		}
		for got = 0; got < n; {
			h.Turn(time.Second)
		}
	}
}

func TestStreamAllocs(t *testing.T) {
	if n := testing.AllocsPerRun(200, streamExchange(t, 4)); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkPick is the choice of a socket with the production's generator.
func BenchmarkPick(b *testing.B) {
	h := newHarness(b, Options{})
	server := netip.MustParseAddrPort("127.0.0.1:53")
	for b.Loop() {
		h.Pick(server)
	}
}

// BenchmarkSend is one datagram to a port where its receiver does not look.
func BenchmarkSend(b *testing.B) {
	h := newHarness(b, Options{UsesPerSocket: 1 << 30})
	s := newUDPServer(b, "127.0.0.1:0")
	query := make([]byte, 40)
	for b.Loop() {
		sock, _ := h.Pick(s.addr)
		h.Send(sock, s.addr, query)
	}
}

// BenchmarkSendRecv is a query sent and an answer received, in bursts and without
// the time the server takes.
func BenchmarkSendRecv(b *testing.B) {
	const burst = 64
	h := newHarness(b, Options{UsesPerSocket: 1 << 30})
	s := newUDPServer(b, "127.0.0.1:0")
	s.SetDeadline(time.Time{})
	h.datagram = func(uint16, netip.AddrPort, []byte) {}
	query := make([]byte, 40)
	var sending, receiving time.Duration
	bursts := 0
	for b.Loop() {
		start := time.Now()
		for range burst {
			sock, _ := h.Pick(s.addr)
			h.Send(sock, s.addr, query)
		}
		sending += time.Since(start)
		for range burst {
			n, from, _ := s.ReadFromUDPAddrPort(s.buf[:])
			s.WriteToUDPAddrPort(s.buf[:n], from)
		}
		start = time.Now()
		for want := h.stats.Received + burst; h.stats.Received < want; {
			h.Turn(0)
		}
		receiving += time.Since(start)
		bursts++
	}
	b.ReportMetric(float64(sending.Nanoseconds())/float64(bursts*burst), "ns/send")
	b.ReportMetric(float64(receiving.Nanoseconds())/float64(bursts*burst), "ns/recv")
}

func BenchmarkExchange(b *testing.B) {
	for name, turn := range map[string]func(){
		"shared": exchange(b, "127.0.0.1:0", false, 1), "own": exchange(b, "127.0.0.1:0", true, 1), "stream": streamExchange(b, 1),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				turn()
			}
		})
	}
}

// BenchmarkPortReplaced is a datagram that wears out its port each time.
func BenchmarkPortReplaced(b *testing.B) {
	h := newHarness(b, Options{UsesPerSocket: 1, Sockets: 1})
	s := newUDPServer(b, "127.0.0.1:0")
	query := make([]byte, 40)
	for b.Loop() {
		sock, _ := h.Pick(s.addr)
		h.Send(sock, s.addr, query)
		h.sockets[sock].owed = 0
	}
}
