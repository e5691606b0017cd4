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
	"heimdall/netio/netiotest"
)

// harness is a shard around one server. Clients are ordinary sockets used from
// the test's own goroutine: what they send waits in the kernel until a turn.
type harness struct {
	*Server
	*netiotest.Loop
	t        testing.TB
	listener *Listener

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
	h := &harness{t: t, Loop: netiotest.NewLoop(t), listener: l}
	h.answer = func(conn ConnID, _ *netio.Endpoint, msg []byte) { h.Reply(conn, msg) }
	h.Server = New(h.Poller, o, h)
	h.Turned = h.Flush
	h.Serve(h.Server, func() any { return h.Stats() })
	if err := h.AddListener(l); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Close()
		if st := h.Stats(); st.Open != 0 || st.Pending != 0 || st.Buffered != 0 || len(h.clients) != 0 {
			t.Errorf("after Close: %+v, %d clients", st, len(h.clients))
		}
	})
	return h
}

// client connects and waits until the server has accepted.
func (h *harness) client() *net.TCPConn {
	h.t.Helper()
	before := h.Stats()
	c := dial(h.t, h.listener)
	h.Until("accepted", func() bool {
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
	c.SetDeadline(time.Now().Add(netiotest.HangGuard))
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
	h.Until("read", func() bool {
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		m, err := c.Read(got[n:])
		n += m
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			h.t.Fatalf("%v after %d octets", err, n)
		}
		return n == len(want)
	})
	c.SetReadDeadline(time.Now().Add(netiotest.HangGuard))
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
