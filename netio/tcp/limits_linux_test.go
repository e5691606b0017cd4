package tcp

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"heimdall/netio"
	"heimdall/netio/netiotest"

	"golang.org/x/sys/unix"
)

// A client that reads late but reads gets everything, however much it asked for.
func TestLateReader(t *testing.T) {
	const total = 4000
	h := newHarness(t, Options{MaxQueued: 64 << 10})
	reply := strings.Repeat("r", 1200)
	h.answer = func(conn ConnID, _ *netio.Endpoint, msg []byte) { h.Reply(conn, []byte(reply)) }
	c := h.client()
	var all []string
	for range total {
		all = append(all, reply)
	}
	send(t, c, frames(strings.Split(strings.Repeat("q,", total-1)+"q", ",")...))
	h.Until("held back", func() bool { return h.stalled.First() != nil })
	h.Quiet()
	h.expect(c, all...)
	if st := h.Stats(); st.Slow != 0 || st.Open != 1 {
		t.Errorf("%+v", st)
	}
}

func TestClientThatDoesNotReadStalls(t *testing.T) {
	h := newHarness(t, Options{Stall: 5 * time.Second})
	reply := make([]byte, 1200)
	h.answer = func(conn ConnID, _ *netio.Endpoint, msg []byte) { h.Reply(conn, reply) }
	c := h.client()
	var all []string
	for range 20000 {
		all = append(all, "q")
	}
	send(t, c, frames(all...))
	h.Until("held back", func() bool { return h.stalled.First() != nil })
	h.Quiet()
	received, buffered := h.Stats().Received, h.Stats().Buffered
	if received == 20000 || buffered > 128<<10 {
		t.Errorf("%d queries taken, %d bytes held", received, buffered)
	}
	h.Pass(4 * time.Second)
	h.Quiet()
	if h.Stats().Open != 1 {
		t.Fatalf("cut too early: %+v", h.Stats())
	}
	h.Pass(time.Second)
	if st := h.Stats(); st.Stalled != 1 || st.Open != 0 || st.Buffered != 0 {
		t.Errorf("%+v", st)
	}
}

func TestSlowReaderIsCutAtMaxQueued(t *testing.T) {
	h := newHarness(t, Options{MaxQueued: 100 << 10, MaxPipelined: 1000})
	queries := h.hold()
	c := h.client()
	for range 500 {
		send(t, c, frames("q"))
	}
	h.Until("received", func() bool { return len(*queries) == 500 })
	taken := 0
	for _, q := range *queries {
		if h.Reply(q.conn, make([]byte, 60000)) {
			taken++
		}
		if n := h.Stats().Buffered; n > 2*(100<<10) {
			t.Fatalf("%d bytes held", n)
		}
	}
	h.Flush(h.Clock)
	if st := h.Stats(); st.Slow != 1 || st.Open != 0 || taken == 500 || taken < 2 || st.Late == 0 {
		t.Errorf("%d replies taken: %+v", taken, st)
	}
}

func TestBufferLimit(t *testing.T) {
	h := newHarness(t, Options{MaxBuffered: 3 << 10})
	var all []interface{ Close() error }
	for range 4 {
		c := h.client()
		send(t, c, []byte{0, 9, 'x'})
		all = append(all, c)
	}
	h.Until("cut", func() bool { return h.Stats().NoBuffer == 1 })
	if st := h.Stats(); st.Open != 3 || st.Buffered != 3<<10 {
		t.Errorf("%+v", st)
	}
	for _, c := range all {
		c.Close()
	}
	h.Until("closed", func() bool { return h.Stats().Open == 0 })
	if st := h.Stats(); st.Incomplete != 3 {
		t.Errorf("%+v", st)
	}
}

func TestReplyBeyondBufferLimit(t *testing.T) {
	h := newHarness(t, Options{MaxBuffered: 3 << 10})
	var taken []bool
	h.answer = func(conn ConnID, _ *netio.Endpoint, msg []byte) {
		taken = append(taken, h.Reply(conn, msg), h.Reply(conn, make([]byte, 9000)), h.Reply(conn, msg))
	}
	send(t, h.client(), frames("a", "b"))
	h.Until("cut", func() bool { return h.Stats().Open == 0 })
	if st := h.Stats(); fmt.Sprint(taken) != "[true false false]" || st.NoBuffer != 1 || st.Received != 1 {
		t.Errorf("%v, %+v", taken, st)
	}
}

func TestClientLimit(t *testing.T) {
	h := newHarness(t, Options{MaxPerClient: 2})
	a, _ := h.client(), h.client()
	expectEnd(t, h.client(), true)
	if st := h.Stats(); st.Refused != 1 || st.Open != 2 {
		t.Errorf("%+v", st)
	}
	a.Close()
	h.Until("closed", func() bool { return h.Stats().Open == 1 })
	c := h.client()
	send(t, c, frames("q"))
	h.Until("answered", func() bool { return h.Stats().Sent == 1 })
	expect(t, c, "q")
}

func TestClientIsAddressOrPrefix(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true},
		{"192.0.2.1:1", "192.0.2.2:1", false},
		{"[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff::2]:1", true},
		{"[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false},
	} {
		a, b := netiotest.From(netip.MustParseAddrPort(c.a)), netiotest.From(netip.MustParseAddrPort(c.b))
		if (client(&a) == client(&b)) != c.same {
			t.Errorf("%s and %s: want same client %v", c.a, c.b, c.same)
		}
	}
}

func TestOldestIdleMakesRoom(t *testing.T) {
	h := newHarness(t, Options{MaxConns: 3, MaxPerClient: 100})
	a, b, c := h.client(), h.client(), h.client()
	send(t, a, frames("q")) // a is now the youngest
	h.Until("answered", func() bool { return h.Stats().Sent == 1 })
	expect(t, a, "q")
	d := h.client()
	expectEnd(t, b, false)
	for _, conn := range []interface {
		Write([]byte) (int, error)
	}{a, c, d} {
		conn.Write(frames("q"))
	}
	h.Until("answered", func() bool { return h.Stats().Sent == 4 })
	if st := h.Stats(); st.Evicted != 1 || st.Open != 3 {
		t.Errorf("%+v", st)
	}
}

// With every connection busy, clients wait in the backlog, and nothing spins.
func TestAllBusy(t *testing.T) {
	h := newHarness(t, Options{MaxConns: 2, MaxPerClient: 100})
	queries := h.hold()
	a, b := h.client(), h.client()
	send(t, a, frames("a"))
	send(t, b, frames("b"))
	h.Until("received", func() bool { return len(*queries) == 2 })
	c := h.client()
	send(t, c, frames("c"))
	h.Quiet()
	if st := h.Stats(); st.Open != 2 || st.Rests != 1 {
		t.Errorf("%+v", st)
	}
	h.Reply((*queries)[0].conn, []byte("a"))
	h.Until("accepted", func() bool { return len(*queries) == 3 })
	expect(t, a, "a")
	expectEnd(t, a, false)
	if st := h.Stats(); st.Open != 2 || st.Evicted != 1 {
		t.Errorf("%+v", st)
	}
}

// limitDescriptors lets the process open n more descriptors, until the returned
// function or the test's end.
func limitDescriptors(t *testing.T, n int) (restore func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// New descriptors have the lowest numbers that are free.
	last := -1
	var opened []int
	for range n + 1 {
		fd, err := unix.Dup(1)
		if err != nil {
			t.Fatal(err)
		}
		last = max(last, fd)
		opened = append(opened, fd)
	}
	for _, fd := range opened {
		unix.Close(fd)
	}
	restore = func() { unix.Setrlimit(unix.RLIMIT_NOFILE, &limit) }
	t.Cleanup(restore)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(last), Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	return restore
}

// Without descriptors the server gives up idle connections, then rests.
func TestNoDescriptors(t *testing.T) {
	h := newHarness(t, Options{})
	queries := h.hold()
	busy := h.client()
	send(t, busy, frames("q"))
	h.Until("received", func() bool { return len(*queries) == 1 })
	idle := h.client()
	next, late := dial(t, h.listener), dial(t, h.listener)
	restore := limitDescriptors(t, 0)
	// idle's descriptor goes to next, which sends a query; then nobody is idle.
	send(t, next, frames("n"))
	h.Until("evicted", func() bool { return len(*queries) == 2 })
	expectEnd(t, idle, false)
	h.Until("resting", func() bool { return h.Stats().Rests > 0 })
	h.Quiet()
	if st := h.Stats(); st.Open != 2 || st.Evicted != 1 {
		t.Errorf("%+v", st)
	}
	if at := h.Deadline(); at != h.Clock+restNanos {
		t.Errorf("Deadline in %v", time.Duration(at-h.Clock))
	}
	restore()
	send(t, late, frames("l"))
	h.Quiet()
	h.Pass(time.Duration(restNanos))
	h.Until("accepted", func() bool { return len(*queries) == 3 })
}

// The last descriptor goes to the only client that waits: nobody is evicted.
func TestLastDescriptor(t *testing.T) {
	h := newHarness(t, Options{})
	h.client()
	dial(t, h.listener)
	limitDescriptors(t, 1)
	h.Until("accepted", func() bool { return h.Stats().Accepted == 2 })
	h.Quiet()
	if st := h.Stats(); st.Open != 2 || st.Evicted != 0 || st.Rests != 0 {
		t.Errorf("%+v", st)
	}
}

func TestOptionsDefaults(t *testing.T) {
	o := Options{MaxConns: 3, Idle: time.Second}.withDefaults()
	if o.MaxPerClient != 1 || o.MaxConns != 3 || o.Idle != time.Second || o.MaxPipelined == 0 {
		t.Errorf("%+v", o)
	}
	if s := fmt.Sprint(Options{}.withDefaults()); s != fmt.Sprint(Options{}.withDefaults().withDefaults()) {
		t.Errorf("defaults of defaults differ: %s", s)
	}
}
