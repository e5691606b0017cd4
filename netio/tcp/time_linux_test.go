package tcp

import (
	"math"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/netio/netiotest"
)

func TestIdleTimeout(t *testing.T) {
	h := newHarness(t, Options{Idle: 10 * time.Second})
	queries := h.hold()
	busy, idle, trickle := h.client(), h.client(), h.client()
	send(t, busy, frames("q"))
	h.Until("received", func() bool { return len(*queries) == 1 })
	for range 9 {
		h.Pass(time.Second)
		send(t, trickle, []byte{9}) // a query that never ends
		h.Turn(netiotest.HangGuard)
	}
	if h.Stats().Open != 3 {
		t.Fatalf("closed too early: %+v", h.Stats())
	}
	if at := h.Deadline(); at != h.Clock+int64(time.Second) {
		t.Errorf("Deadline in %v", time.Duration(at-h.Clock))
	}
	h.Pass(time.Second)
	expectEnd(t, idle, false)
	expectEnd(t, trickle, false)
	if st := h.Stats(); st.Open != 1 || st.Idle != 2 {
		t.Errorf("%+v", st)
	}
	// The time runs from the last reply.
	h.Reply((*queries)[0].conn, []byte("q"))
	h.Flush(h.Clock)
	h.Pass(9 * time.Second)
	expect(t, busy, "q")
	if h.Stats().Open != 1 {
		t.Fatalf("closed too early: %+v", h.Stats())
	}
	h.Pass(time.Second)
	expectEnd(t, busy, false)
	if at := h.Deadline(); at != math.MaxInt64 {
		t.Errorf("Deadline %d without connections", at)
	}
}

func TestIdleTimeoutShrinks(t *testing.T) {
	h := newHarness(t, Options{MaxConns: 10, MaxPerClient: 10, Idle: 20 * time.Second})
	last := h.IdleTimeout()
	if last != 200 {
		t.Errorf("empty: %d", last)
	}
	for i := range 10 {
		h.client()
		now := h.IdleTimeout()
		if i < 5 && now != 200 || i >= 5 && now >= last {
			t.Errorf("%d connections: %d after %d", i+1, now, last)
		}
		last = now
	}
	if last != 10 {
		t.Errorf("full: %d", last)
	}
	// One second empties a full server only as far as the pressure goes.
	h.Pass(time.Second)
	if n := h.Conns(); n != 9 {
		t.Errorf("%d connections", n)
	}
	h.Pass(19 * time.Second)
	if n := h.Conns(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestUnansweredConnectionIsGivenUp(t *testing.T) {
	h := newHarness(t, Options{Unanswered: 30 * time.Second})
	queries := h.hold()
	c := h.client()
	send(t, c, frames("a", "b"))
	h.Until("received", func() bool { return len(*queries) == 2 })
	h.Pass(20 * time.Second)
	h.Reply((*queries)[0].conn, []byte("a"))
	h.Flush(h.Clock)
	h.Pass(20 * time.Second)
	if h.Stats().Open != 1 {
		t.Fatal("closed although a reply went out")
	}
	expect(t, c, "a")
	h.Pass(10 * time.Second)
	expectEnd(t, c, true)
	if st := h.Stats(); st.Unanswered != 1 || st.Pending != 0 {
		t.Errorf("%+v", st)
	}
}

func TestHalfClosed(t *testing.T) {
	h := newHarness(t, Options{MaxPipelined: 2})
	queries := h.hold()
	c := h.client()
	send(t, c, append(frames("a", "b", "c"), 0, 5, 'x'))
	c.CloseWrite()
	for i, msg := range []string{"a", "b", "c"} {
		h.Until("received", func() bool { return len(*queries) > i })
		h.Quiet()
		h.Reply((*queries)[i].conn, []byte(msg))
		h.Flush(h.Clock)
	}
	expect(t, c, "a", "b", "c")
	h.Until("closed", func() bool { return h.Stats().Finished == 1 })
	expectEnd(t, c, false)
	if st := h.Stats(); st.Incomplete != 1 {
		t.Errorf("%+v", st)
	}
}

func TestZeroLength(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.client()
	send(t, c, append(frames("q"), 0, 0, 0, 1))
	h.Until("cut", func() bool { return h.Stats().Malformed == 1 })
	if st := h.Stats(); st.Received != 1 || st.Open != 0 {
		t.Errorf("%+v", st)
	}
}

// A reset is noticed although the server waits for replies and does not read.
func TestResetWhileHeldBack(t *testing.T) {
	h := newHarness(t, Options{MaxPipelined: 1})
	queries := h.hold()
	c := h.client()
	send(t, c, frames("a", "b", "c"))
	h.Until("received", func() bool { return len(*queries) == 1 })
	h.Quiet()
	c.SetLinger(0)
	c.Close()
	h.Until("lost", func() bool { return h.Stats().Lost == 1 })
	if h.Reply((*queries)[0].conn, []byte("a")) {
		t.Error("reply taken")
	}
}

// unread waits until the kernel has something that the server has not read.
func (h *harness) unread() {
	h.t.Helper()
	var conns []unix.PollFd
	for _, c := range h.conns {
		conns = append(conns, unix.PollFd{Fd: int32(c.fd), Events: unix.POLLIN}) // -1, not open, is ignored
	}
	for start := time.Now(); time.Since(start) < netiotest.HangGuard; {
		if n, _ := unix.Poll(conns, 1000); n > 0 {
			return
		}
	}
	h.t.Fatal("nothing comes")
}

func TestDrain(t *testing.T) {
	h := newHarness(t, Options{})
	queries := h.hold()
	busy, idle, sending := h.client(), h.client(), h.client()
	send(t, busy, frames("a"))
	h.Until("received", func() bool { return len(*queries) == 1 })
	send(t, sending, frames("b")) // still in the kernel
	h.unread()
	h.Drain()
	h.Drain()
	if h.IdleTimeout() != 0 {
		t.Errorf("IdleTimeout %d", h.IdleTimeout())
	}
	expectEnd(t, idle, false)
	late := dial(t, h.listener)
	h.Until("received", func() bool { return len(*queries) == 2 })
	send(t, busy, frames("c")) // asked before the answer was there
	h.unread()
	for _, i := range []int{0, 1, 2} {
		h.Until("received", func() bool { return len(*queries) > i })
		h.Reply((*queries)[i].conn, []byte((*queries)[i].msg))
		h.Flush(h.Clock)
	}
	h.Until("drained", func() bool { return h.Conns() == 0 })
	expect(t, busy, "a", "c")
	expectEnd(t, busy, false)
	expect(t, sending, "b")
	expectEnd(t, sending, false)
	if st := h.Stats(); st.Drained != 3 || st.Accepted != 3 {
		t.Errorf("%+v", st)
	}
	late.Close()
}
