package tcp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"heimdall/netio"
)

// hangGuard ends a test that waits for something that does not come.
const hangGuard = 30 * time.Second

// harness is a shard around one server. Clients are ordinary sockets used from
// the test's own goroutine: what they send waits in the kernel until a turn.
type harness struct {
	*Server
	t        testing.TB
	poller   *netio.Poller
	listener *Listener
	events   [64]netio.Event
	clock    int64

	// answer is what the sink does; by default it echoes.
	answer func(conn ConnID, peer *netio.Endpoint, msg []byte)
}

func (h *harness) StreamMessage(conn ConnID, peer *netio.Endpoint, msg []byte) {
	h.answer(conn, peer, msg)
}

func newListener(t testing.TB, addr string) *Listener {
	t.Helper()
	l, err := Listen(netip.MustParseAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func newHarness(t testing.TB, o Options) *harness {
	t.Helper()
	return newHarnessOn(t, o, newListener(t, "127.0.0.1:0"))
}

func newHarnessOn(t testing.TB, o Options, l *Listener) *harness {
	t.Helper()
	p, err := netio.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	h := &harness{t: t, poller: p, listener: l, clock: int64(time.Hour)}
	h.answer = func(conn ConnID, _ *netio.Endpoint, msg []byte) { h.Reply(conn, msg) }
	h.Server = New(p, o, h)
	if err := h.AddListener(l); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Close()
		p.Close()
		if st := h.Stats(); st.Open != 0 || st.Pending != 0 || st.Buffered != 0 || len(h.clients) != 0 {
			t.Errorf("after Close: %+v, %d clients", st, len(h.clients))
		}
	})
	return h
}

// turn is one turn of the shard's loop; it reports whether there were events.
func (h *harness) turn(timeout time.Duration) bool {
	n := h.poller.Wait(h.events[:], timeout)
	for _, e := range h.events[:n] {
		h.Ready(e.Kind(), e.Index(), e.Ready, h.clock)
	}
	h.Flush(h.clock)
	return n > 0
}

// until turns the loop until ok.
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

// client connects and waits until the server has accepted.
func (h *harness) client() *net.TCPConn {
	h.t.Helper()
	before := h.Stats()
	c := dial(h.t, h.listener)
	h.until("accepted", func() bool {
		st := h.Stats()
		return st.Accepted+st.Rests > before.Accepted+before.Rests
	})
	return c
}

func dial(t testing.TB, l *Listener) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", l.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(hangGuard))
	return c.(*net.TCPConn)
}

func frames(msgs ...string) []byte {
	var b []byte
	for _, msg := range msgs {
		b = append(b, byte(len(msg)>>8), byte(len(msg)))
		b = append(b, msg...)
	}
	return b
}

func send(t testing.TB, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

// expect reads exactly the given messages.
func expect(t testing.TB, c net.Conn, msgs ...string) {
	t.Helper()
	want := frames(msgs...)
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d octets %q, %v; want %q", n, got[:n], err, want)
	}
}

// expect is the function expect for replies larger than the kernel's buffers: it
// turns the loop while it reads.
func (h *harness) expect(c *net.TCPConn, msgs ...string) {
	h.t.Helper()
	want := frames(msgs...)
	got := make([]byte, len(want))
	n := 0
	h.until("read", func() bool {
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		m, err := c.Read(got[n:])
		n += m
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			h.t.Fatalf("%v after %d octets", err, n)
		}
		return n == len(want)
	})
	c.SetReadDeadline(time.Now().Add(hangGuard))
	if !bytes.Equal(got, want) {
		h.t.Fatalf("%d octets differ from what was sent", n)
	}
}

// expectEnd reads the end of the stream: closed (FIN) or cut (RST).
func expectEnd(t testing.TB, c net.Conn, cut bool) {
	t.Helper()
	rest, err := io.ReadAll(c)
	var timeout net.Error
	if len(rest) > 0 || (err != nil) != cut || errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatalf("%d octets, %v at the end; want cut %v", len(rest), err, cut)
	}
}

// held is a sink that keeps queries for later.
type held struct {
	conn ConnID
	msg  string
}

func (h *harness) hold() *[]held {
	var all []held
	h.answer = func(conn ConnID, _ *netio.Endpoint, msg []byte) {
		all = append(all, held{conn, string(msg)})
	}
	return &all
}
