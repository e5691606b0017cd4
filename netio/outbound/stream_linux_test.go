package outbound

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/netio/netiotest"
)

// tcpServer is a server whose connections the test reads and writes by hand.
type tcpServer struct {
	*net.TCPListener
	t    testing.TB
	addr netip.AddrPort
}

func newTCPServer(t testing.TB) *tcpServer {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	l.SetDeadline(time.Now().Add(netiotest.HangGuard))
	return &tcpServer{l, t, l.Addr().(*net.TCPAddr).AddrPort()}
}

// peer is the server's end of one stream.
type peer struct {
	*net.TCPConn
	t testing.TB
}

func (s *tcpServer) accept() peer {
	s.t.Helper()
	c, err := s.AcceptTCP()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(netiotest.HangGuard))
	return peer{c, s.t}
}

// expect reads exactly the given messages.
func (c peer) expect(msgs ...string) {
	c.t.Helper()
	want := frames(msgs...)
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != string(want) {
		c.t.Fatalf("%d octets %.80q, %v; want %.80q", n, got[:n], err, want)
	}
}

func (c peer) send(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func frames(msgs ...string) []byte {
	var b []byte
	for _, msg := range msgs {
		b = append(b, byte(len(msg)>>8), byte(len(msg)))
		b = append(b, msg...)
	}
	return b
}

// ask sends msg on a stream with a second to live.
func (h *harness) ask(ref uint64, server netip.AddrPort, msg string) {
	h.t.Helper()
	if err := h.Stream(ref, server, []byte(msg), h.Clock+int64(time.Second)); err != nil {
		h.t.Fatalf("query %d: %v", ref, err)
	}
}

// expectEnd waits until query ref has ended, with msg or with err.
func (h *harness) expectEnd(ref uint64, msg string, err error) {
	h.t.Helper()
	h.Until(fmt.Sprintf("query %d ends", ref), func() bool { _, ok := h.ends[ref]; return ok })
	if got := h.ends[ref]; got != (end{msg, err}) {
		h.t.Fatalf("query %d ends with %.80q, %v; want %.80q, %v", ref, got.msg, got.err, msg, err)
	}
}

// Queries on one connection, answered in any order and in any pieces.
func TestStreamIsShared(t *testing.T) {
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	h.ask(1, s.addr, "aa query")
	h.ask(2, s.addr, "bb query")
	c := s.accept()
	h.Until("sent", func() bool { return h.streams[0].connected })
	c.expect("aa query", "bb query")
	h.ask(3, s.addr, "cc query")
	c.expect("cc query")
	c.send(frames("cc answer", "aa answer")[:13])
	h.expectEnd(3, "cc answer", nil)
	c.send(frames("cc answer", "aa answer")[13:])
	h.expectEnd(1, "aa answer", nil)
	for _, octet := range frames("bb answer") {
		c.send([]byte{octet})
		h.Turn(netiotest.HangGuard)
	}
	h.expectEnd(2, "bb answer", nil)
	// Much later, an ID used before.
	h.Pass(time.Second)
	h.ask(4, s.addr, "aa again")
	c.expect("aa again")
	c.send(frames("aa" + strings.Repeat("x", 65533)))
	h.expectEnd(4, "aa"+strings.Repeat("x", 65533), nil)
	h.Quiet()
	if st := h.Stats(); st.Connects != 1 || st.Asked != 4 || st.Answered != 4 || st.Reused != 1 || st.Buffered != 0 || st.InFlight != 0 {
		t.Errorf("%+v", st)
	}
}

func TestSameIDNeedsAnotherStream(t *testing.T) {
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	h.ask(1, s.addr, "id one")
	h.ask(2, s.addr, "id two")
	a, b := s.accept(), s.accept()
	h.Quiet()
	a.expect("id one")
	b.expect("id two")
	b.send(frames("id 2"))
	a.send(frames("id 1"))
	h.expectEnd(1, "id 1", nil)
	h.expectEnd(2, "id 2", nil)
}

func TestStreamLimits(t *testing.T) {
	h := newHarness(t, Options{MaxInFlight: 2, MaxPerServer: 2, MaxStreams: 3})
	s, other, third := newTCPServer(t), newTCPServer(t), newTCPServer(t)
	deadline := h.Clock + int64(time.Second)
	for i := range uint64(4) {
		h.ask(i, s.addr, fmt.Sprintf("%02d", i))
	}
	if err := h.Stream(4, s.addr, []byte("04"), deadline); err != ErrLimit {
		t.Errorf("beyond MaxPerServer: %v", err)
	}
	h.ask(5, other.addr, "05")
	if err := h.Stream(6, third.addr, []byte("06"), deadline); err != ErrLimit {
		t.Errorf("beyond MaxStreams: %v", err)
	}
	c := other.accept()
	h.Quiet()
	c.expect("05")
	c.send(frames("05"))
	h.expectEnd(5, "05", nil)
	h.ask(6, third.addr, "06") // in the place of the idle one
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%d octets, %v", n, err)
	}
	if st := h.Stats(); st.Streams != 3 || st.Evicted != 1 || st.Refused != 2 || st.InFlight != 5 {
		t.Errorf("%+v", st)
	}
	for _, length := range []int{0, 1, 1 << 16} {
		if err := h.Stream(7, s.addr, make([]byte, length), deadline); err != ErrMessage {
			t.Errorf("%d octets: %v", length, err)
		}
	}
	if err := h.Stream(7, netip.AddrPort{}, []byte("07"), deadline); err == nil {
		t.Error("no address: no error")
	}
}

func TestConnectionRefused(t *testing.T) {
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	s.Close()
	h.ask(1, s.addr, "aa")
	h.ask(2, s.addr, "bb")
	h.expectEnd(1, "", unix.ECONNREFUSED)
	h.expectEnd(2, "", unix.ECONNREFUSED)
	if st := h.Stats(); st.Streams != 0 || st.Connects != 1 || st.Failed != 2 {
		t.Errorf("%+v", st)
	}
}

// A server that answers no SYN.
func TestConnectTimesOut(t *testing.T) {
	h := newHarness(t, Options{})
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, _ := unix.Getsockname(fd)
	server := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(sa.(*unix.SockaddrInet4).Port))
	for ref := range uint64(3) { // the backlog takes one
		h.ask(ref, server, "id")
	}
	h.Quiet()
	h.Pass(999 * time.Millisecond)
	if len(h.ends) != 0 {
		t.Fatalf("ended too early: %v", h.ends)
	}
	h.Pass(time.Millisecond)
	for ref := range uint64(3) {
		h.expectEnd(ref, "", ErrTimeout)
	}
	if st := h.Stats(); st.Streams != 0 || st.TimedOut != 3 {
		t.Errorf("%+v", st)
	}
}

// After a timeout the stream takes no new queries, but still delivers.
func TestServerThatNeverAnswers(t *testing.T) {
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	h.ask(1, s.addr, "id one")
	h.Pass(500 * time.Millisecond)
	h.ask(2, s.addr, "bb query")
	a := s.accept()
	h.Quiet()
	a.expect("id one", "bb query")
	h.Pass(500 * time.Millisecond)
	h.expectEnd(1, "", ErrTimeout)
	h.ask(3, s.addr, "id two")
	b := s.accept()
	h.Quiet()
	b.expect("id two")
	a.send(frames("id late", "bb answer"))
	h.expectEnd(2, "bb answer", nil)
	if n, err := a.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%d octets, %v", n, err)
	}
	b.send(frames("id 2"))
	h.expectEnd(3, "id 2", nil)
	if st := h.Stats(); st.Streams != 1 || st.Unsolicited != 1 {
		t.Errorf("%+v", st)
	}
}

func TestIdleStreamCloses(t *testing.T) {
	h := newHarness(t, Options{IdleStream: 10 * time.Second, NoIPv6: true})
	s := newTCPServer(t)
	h.ask(1, s.addr, "aa")
	c := s.accept()
	h.Quiet()
	c.expect("aa")
	h.Pass(900 * time.Millisecond)
	c.send(frames("aa"))
	h.expectEnd(1, "aa", nil)
	h.Pass(9999 * time.Millisecond)
	if h.Stats().Streams != 1 {
		t.Errorf("closed too early: %+v", h.Stats())
	}
	h.Pass(time.Millisecond)
	if n, err := c.Read(make([]byte, 1)); err != io.EOF || h.Stats().Streams != 0 {
		t.Errorf("%d octets, %v, %+v", n, err, h.Stats())
	}
}
