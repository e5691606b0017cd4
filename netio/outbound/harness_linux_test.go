package outbound

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"heimdall/netio"

	"golang.org/x/sys/unix"
)

// hangGuard ends a test that waits for something that does not come.
const hangGuard = 30 * time.Second

// harness is a shard around one pool.
type harness struct {
	*Pool
	t      testing.TB
	poller *netio.Poller
	events [64]netio.Event
	clock  int64

	datagrams []datagram
	refused   []uint64
	ends      map[uint64]end

	// datagram and ended replace the recording of what comes.
	datagram func(sock uint16, from netip.AddrPort, msg []byte)
	done     bool // a datagram ends the query of its socket
	ended    func(ref uint64, msg []byte, err error)
}

type datagram struct {
	sock uint16
	from netip.AddrPort
	msg  string
}

// end is how a query on a stream ended.
type end struct {
	msg string
	err error
}

func (h *harness) UpstreamDatagram(sock uint16, from netip.AddrPort, msg []byte) {
	var ref uint64
	if i, own := h.owns.index(sock); own {
		ref = h.owns.list[i].ref
	}
	if h.datagram != nil {
		h.datagram(sock, from, msg)
	} else {
		h.datagrams = append(h.datagrams, datagram{sock, from, string(msg)})
	}
	if h.done {
		h.Release(ref, sock)
	}
}

// withoutDescriptors lets the process open no more files, until the test has ended.
func (h *harness) withoutDescriptors() {
	h.t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		h.t.Fatal(err)
	}
	free, err := unix.Dup(1)
	if err != nil {
		h.t.Fatal(err)
	}
	unix.Close(free)
	h.t.Cleanup(func() { unix.Setrlimit(unix.RLIMIT_NOFILE, &limit) })
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(free), Max: limit.Max}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) UpstreamRefused(ref uint64) { h.refused = append(h.refused, ref) }

func (h *harness) UpstreamStream(ref uint64, msg []byte, err error) {
	if h.ended != nil {
		h.ended(ref, msg, err)
		return
	}
	h.record(ref, msg, err)
}

func (h *harness) record(ref uint64, msg []byte, err error) {
	if old, ok := h.ends[ref]; ok {
		h.t.Errorf("query %d ends twice: %v, then %q, %v", ref, old, msg, err)
	}
	h.ends[ref] = end{string(msg), err}
}

func newRand() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1, 2, 3}) }

func newHarness(t testing.TB, o Options) *harness {
	t.Helper()
	p, err := netio.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	if o.Rand == nil {
		o.Rand = newRand()
	}
	h := &harness{t: t, poller: p, ends: map[uint64]end{}}
	h.Pool, err = Open(p, o, h)
	if err != nil {
		t.Fatal(err)
	}
	h.pass(time.Hour)
	t.Cleanup(func() {
		h.Close()
		p.Close()
		if st := h.Stats(); st.Streams != 0 || st.Buffered != 0 || st.InFlight != 0 || len(h.servers) != 0 {
			t.Errorf("after Close: %+v, %d servers", st, len(h.servers))
		}
	})
	return h
}

func (h *harness) turn(timeout time.Duration) bool {
	n := h.poller.Wait(h.events[:], timeout)
	for _, e := range h.events[:n] {
		h.Ready(e.Kind(), e.Index(), e.Ready, h.clock)
	}
	h.Expire(h.clock)
	return n > 0
}

func (h *harness) until(what string, ok func() bool) {
	h.t.Helper()
	for start := time.Now(); !ok(); {
		h.turn(time.Millisecond)
		if time.Since(start) > hangGuard {
			h.t.Fatalf("waiting until %s: %+v", what, h.Stats())
		}
	}
}

// quiet turns the loop until the poller has nothing to report, and fails when
// that never happens: a descriptor that is watched without need.
func (h *harness) quiet() {
	h.t.Helper()
	for range 10000 {
		if !h.turn(0) {
			return
		}
	}
	h.t.Fatalf("the poller never rests: %+v", h.Stats())
}

func (h *harness) pass(d time.Duration) {
	h.clock += int64(d)
	h.Expire(h.clock)
}

// send picks a socket and sends msg from it.
func (h *harness) send(server netip.AddrPort, msg string) uint16 {
	h.t.Helper()
	sock, ok := h.Pick(server)
	if !ok {
		h.t.Fatalf("no socket for %v", server)
	}
	if err := h.Send(sock, server, []byte(msg)); err != nil {
		h.t.Fatalf("send to %v: %v", server, err)
	}
	return sock
}

// udpServer is a server the test reads and writes by hand.
type udpServer struct {
	*net.UDPConn
	t    testing.TB
	addr netip.AddrPort
	buf  [1 << 16]byte
}

func newUDPServer(t testing.TB, addr string) *udpServer {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(hangGuard))
	return &udpServer{UDPConn: c, t: t, addr: c.LocalAddr().(*net.UDPAddr).AddrPort()}
}

// read returns the next message and who sent it.
func (s *udpServer) read() (string, netip.AddrPort) {
	s.t.Helper()
	n, from, err := s.ReadFromUDPAddrPort(s.buf[:])
	if err != nil {
		s.t.Fatal(err)
	}
	return string(s.buf[:n]), from
}

func (s *udpServer) write(msg string, to netip.AddrPort) {
	s.t.Helper()
	if _, err := s.WriteToUDPAddrPort([]byte(msg), to); err != nil {
		s.t.Fatal(err)
	}
}
