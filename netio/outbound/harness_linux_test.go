package outbound

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"heimdall/netio/netiotest"

	"golang.org/x/sys/unix"
)

// harness is a shard around one pool.
type harness struct {
	*Pool
	*netiotest.Loop
	t testing.TB

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
	if o.Rand == nil {
		o.Rand = newRand()
	}
	h := &harness{t: t, Loop: netiotest.NewLoop(t), ends: map[uint64]end{}}
	var err error
	if h.Pool, err = Open(h.Poller, o, h); err != nil {
		t.Fatal(err)
	}
	h.Serve(h.Pool, func() any { return h.Stats() })
	h.Pass(0)
	t.Cleanup(func() {
		h.Close()
		if st := h.Stats(); st.Streams != 0 || st.Buffered != 0 || st.InFlight != 0 || len(h.servers) != 0 {
			t.Errorf("after Close: %+v, %d servers", st, len(h.servers))
		}
	})
	return h
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
	c.SetDeadline(time.Now().Add(netiotest.HangGuard))
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
