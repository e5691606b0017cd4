package outbound

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/netio/netiotest"
)

func TestServerBreaksOff(t *testing.T) {
	unsolicited := func(n int) []string {
		return strings.Split(strings.Repeat("other,", n)+"aa answer", ",")
	}
	for name, c := range map[string]struct {
		sends []byte
		reset bool
		msg   string
		want  error
	}{
		"without a word":        {nil, false, "", ErrClosed},
		"by reset":              {nil, true, "", unix.ECONNRESET},
		"within a prefix":       {[]byte{0}, false, "", ErrClosed},
		"within a message":      {[]byte{0, 9, 'a', 'a'}, false, "", ErrClosed},
		"length zero":           {[]byte{0, 0, 0, 2, 'a', 'a'}, false, "", ErrMalformed},
		"too short for an ID":   {[]byte{0, 1, 'a', 0, 2, 'a', 'a'}, false, "", ErrMalformed},
		"answers and closes":    {frames("aa answer"), false, "aa answer", nil},
		"a few others' answers": {frames(unsolicited(maxUnsolicited)...), false, "aa answer", nil},
		"many others' answers":  {frames(unsolicited(maxUnsolicited + 1)...), false, "", ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, Options{})
			s := newTCPServer(t)
			h.ask(1, s.addr, "aa query")
			p := s.accept()
			h.Quiet()
			p.expect("aa query")
			p.send(c.sends)
			if c.reset {
				p.SetLinger(0)
			}
			p.Close()
			h.expectEnd(1, c.msg, c.want)
			h.Until("closed", func() bool { return h.Stats().Streams == 0 })
			if st := h.Stats(); st.Connects != 1 || st.Buffered != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// used returns a stream that has answered a query.
func used(h *harness, s *tcpServer) peer {
	h.t.Helper()
	h.ask(100, s.addr, "first query")
	c := s.accept()
	h.Quiet()
	c.expect("first query")
	c.send(frames("first answer"))
	h.expectEnd(100, "first answer", nil)
	return c
}

// The server has closed the idle stream, and that was noticed.
func TestIdleStreamClosedByServer(t *testing.T) {
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	used(h, s).Close()
	h.Until("noticed", func() bool { return h.Stats().Streams == 0 })
	h.ask(1, s.addr, "aa")
	c := s.accept()
	h.Quiet()
	c.expect("aa")
	c.send(frames("aa"))
	h.expectEnd(1, "aa", nil)
	if st := h.Stats(); st.Retried != 0 || st.Reused != 0 {
		t.Errorf("%+v", st)
	}
}

// The server closes while queries are under way: they move to a new stream.
func TestReusedStreamClosedByServer(t *testing.T) {
	for _, reset := range []bool{false, true} {
		t.Run(fmt.Sprint("reset ", reset), func(t *testing.T) {
			h := newHarness(t, Options{MaxStreams: 1})
			s := newTCPServer(t)
			c := used(h, s)
			if reset {
				c.SetLinger(0)
			}
			c.Close()
			for ref := range uint64(3) {
				h.ask(ref, s.addr, fmt.Sprintf("%02d query", ref))
			}
			h.Until("moved", func() bool { return h.Stats().Retried == 3 })
			d := s.accept()
			h.Quiet()
			d.expect("00 query", "01 query", "02 query")
			d.send(frames("02 answer", "00 answer", "01 answer"))
			for ref := range uint64(3) {
				h.expectEnd(ref, fmt.Sprintf("%02d answer", ref), nil)
			}
			if st := h.Stats(); st.Connects != 2 || st.Asked != 4 || st.Answered != 4 || st.InFlight != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// A query moves past other streams that the server may have closed as well.
func TestQueryMovesToNewStream(t *testing.T) {
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	h.ask(100, s.addr, "id one")
	h.ask(101, s.addr, "id two")
	a, b := s.accept(), s.accept()
	h.Quiet()
	a.send(frames("id"))
	b.send(frames("id"))
	h.Until("answered", func() bool { return len(h.ends) == 2 })
	h.Quiet()
	h.ask(1, s.addr, "aa") // on the younger stream, whose end is seen first
	b.expect("id two", "aa")
	b.Close()
	a.Close()
	h.Until("moved", func() bool { return h.Stats().Retried > 0 })
	c := s.accept()
	h.Quiet()
	c.expect("aa")
	c.send(frames("aa"))
	h.expectEnd(1, "aa", nil)
	if st := h.Stats(); st.Retried != 1 || st.Connects != 3 {
		t.Errorf("%+v", st)
	}
}

// A stream that broke before its first answer takes no more queries.
func TestBrokenStreamIsAvoided(t *testing.T) {
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	h.ask(1, s.addr, "aa")
	a := s.accept()
	h.Quiet()
	a.expect("aa")
	a.SetLinger(0)
	a.Close()
	// The kernel has the reset, and the pool has not looked.
	cut := []unix.PollFd{{Fd: int32(h.servers[s.addr].fd)}}
	for start := time.Now(); cut[0].Revents == 0 && time.Since(start) < netiotest.HangGuard; {
		unix.Poll(cut, 1000)
	}
	h.ask(2, s.addr, "bb") // finds out
	h.ask(3, s.addr, "cc")
	c := s.accept()
	h.Until("connected", func() bool { return len(h.ends) == 2 })
	h.Quiet()
	c.expect("cc")
	c.send(frames("cc"))
	h.expectEnd(3, "cc", nil)
	for ref := range uint64(2) {
		if h.ends[ref+1].err == nil {
			t.Errorf("query %d: %v", ref+1, h.ends[ref+1])
		}
	}
}

// Once only: a new stream that is closed without an answer is a failure.
func TestMovedQueryFailsOnNewStream(t *testing.T) {
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	used(h, s).Close()
	h.ask(1, s.addr, "aa")
	h.Until("moved", func() bool { return h.Stats().Retried == 1 })
	c := s.accept()
	h.Quiet()
	c.expect("aa")
	c.Close()
	h.expectEnd(1, "", ErrClosed)
	if st := h.Stats(); st.Connects != 2 || st.Retried != 1 {
		t.Errorf("%+v", st)
	}
}

// A moved query keeps its deadline.
func TestMovedQueryTimesOut(t *testing.T) {
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	used(h, s).Close()
	h.ask(1, s.addr, "aa")
	h.Until("moved", func() bool { return h.Stats().Retried == 1 })
	h.Pass(time.Second)
	h.expectEnd(1, "", ErrTimeout)
}

// A server that answers one query for each connection still answers all.
func TestServerThatAnswersOnce(t *testing.T) {
	const total = 10
	h := newHarness(t, Options{})
	s := newTCPServer(t)
	for ref := range uint64(total) {
		h.ask(ref, s.addr, fmt.Sprintf("%02d", ref))
	}
	for range total {
		c := s.accept()
		h.Quiet()
		msg := make([]byte, 4)
		if _, err := io.ReadFull(c, msg); err != nil {
			t.Fatal(err)
		}
		c.send(msg)
		c.CloseWrite()
		before := len(h.ends)
		h.Until("answered", func() bool { return len(h.ends) > before })
		h.Quiet()
	}
	for ref := range uint64(total) {
		h.expectEnd(ref, fmt.Sprintf("%02d", ref), nil)
	}
	if st := h.Stats(); st.Connects != total {
		t.Errorf("%+v", st)
	}
}

// A server that does not read: queries wait in the queue, then go out whole.
func TestPartialWrites(t *testing.T) {
	h := newHarness(t, Options{MaxInFlight: 100, MaxStreams: 1000})
	s := newTCPServer(t)
	var all []string
	for ref := range uint64(100) {
		msg := fmt.Sprintf("%02d", ref) + strings.Repeat("q", 60000)
		all = append(all, msg)
		h.ask(ref, s.addr, msg)
	}
	c := s.accept()
	h.Until("blocked", func() bool { return h.streams[0].blocked })
	h.Quiet()
	go func() {
		io.ReadFull(c, make([]byte, len(frames(all...))))
		for ref := range 100 {
			c.Write(frames(fmt.Sprintf("%02d", ref)))
		}
	}()
	for ref := range uint64(100) {
		h.expectEnd(ref, fmt.Sprintf("%02d", ref), nil)
	}
	h.Quiet()
	if h.streams[0].blocked || h.Stats().Buffered != 0 {
		t.Errorf("%+v", h.Stats())
	}
}

// The memory for streams is bounded too.
func TestStreamMemoryLimit(t *testing.T) {
	h := newHarness(t, Options{MaxStreams: 1, MaxInFlight: 100})
	s := newTCPServer(t)
	taken := uint64(0)
	var err error
	for ; err == nil && taken < 100; taken++ {
		err = h.Stream(taken, s.addr, []byte(fmt.Sprintf("%02d", taken)+strings.Repeat("q", 60000)), h.Clock+int64(time.Second))
	}
	if err != ErrLimit || taken < 2 || h.Stats().Buffered > streamBytes {
		t.Errorf("%v after %d queries: %+v", err, taken, h.Stats())
	}
}

// The sink may ask on from within its calls, on success and on failure.
func TestSinkAsksOn(t *testing.T) {
	h := newHarness(t, Options{MaxStreams: 1})
	s, dead := newTCPServer(t), newTCPServer(t)
	dead.Close()
	go func() {
		for {
			c, err := s.AcceptTCP()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	const total = 200
	next := uint64(0)
	ask := func() {
		next++
		server := s.addr
		if next%10 == 0 {
			server = dead.addr
		}
		msg := []byte(fmt.Sprintf("%04d", next))
		if err := h.Stream(next, server, append(msg[2:], msg[:2]...), h.Clock+int64(time.Hour)); err != nil {
			// The only stream is in its sink's call: the query waits for the next turn.
			if err != ErrLimit {
				t.Errorf("query %d: %v", next, err)
			}
			h.record(next, nil, err)
		}
	}
	h.ended = func(ref uint64, msg []byte, err error) {
		h.record(ref, msg, err)
		if next < total {
			ask()
		}
	}
	h.Until("all ended", func() bool {
		if len(h.ends) == int(next) && next < total {
			ask()
		}
		return len(h.ends) >= total
	})
	for ref, e := range h.ends {
		if e.err == nil && e.msg == "" || e.err != nil && ref%10 != 0 && e.err != ErrLimit {
			t.Errorf("query %d ends with %q, %v", ref, e.msg, e.err)
		}
	}
}

// Whatever servers do, each query ends exactly once, and with its own answer.
func TestErraticServers(t *testing.T) {
	const servers, total = 6, 1500
	h := newHarness(t, Options{MaxStreams: 8, MaxPerServer: 3, MaxInFlight: 5})
	var addrs []*tcpServer
	for i := range servers {
		s := newTCPServer(t)
		addrs = append(addrs, s)
		go func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 7))
			for {
				c, err := s.AcceptTCP()
				if err != nil {
					return
				}
				seed := rnd.Uint64()
				go erratic(peer{c, t}, rand.New(rand.NewPCG(seed, 8)))
			}
		}()
	}
	rnd := rand.New(rand.NewPCG(9, 9))
	asked := map[uint64]string{}
	refused := 0
	for ref := range uint64(total) {
		msg := fmt.Sprintf("%c%c query %d", rnd.Uint32()%20, rnd.Uint32()%3, ref)
		err := h.Stream(ref, addrs[rnd.IntN(servers)].addr, []byte(msg), h.Clock+int64(time.Second))
		if err == nil {
			asked[ref] = msg
		} else if err == ErrLimit {
			refused++
		} else {
			t.Fatal(err)
		}
		h.Turn(time.Duration(rnd.IntN(2)) * time.Millisecond)
		if rnd.IntN(4) == 0 {
			h.Pass(50 * time.Millisecond)
		}
	}
	h.Until("all ended", func() bool { h.Pass(10 * time.Millisecond); return len(h.ends) == len(asked) })
	outcomes := map[string]int{}
	for ref, e := range h.ends {
		want, ok := asked[ref]
		if !ok || e.err == nil && e.msg != want {
			t.Errorf("query %d %q ends with %q, %v", ref, want, e.msg, e.err)
		}
		outcomes[fmt.Sprint(e.err)]++
	}
	st := h.Stats()
	if int(st.Answered+st.Failed+st.TimedOut) != len(asked) || st.InFlight != 0 || refused == total {
		t.Errorf("%d refused: %+v", refused, st)
	}
	for _, err := range []error{nil, ErrTimeout, ErrClosed, ErrMalformed} {
		if outcomes[fmt.Sprint(err)] == 0 {
			t.Errorf("no query ended with %v: %v", err, outcomes)
		}
	}
}

// erratic answers with the query itself, sometimes.
func erratic(c peer, rnd *rand.Rand) {
	defer c.Close()
	var prefix [2]byte
	for {
		if _, err := io.ReadFull(c, prefix[:]); err != nil {
			return
		}
		msg := make([]byte, int(prefix[0])<<8|int(prefix[1]))
		if _, err := io.ReadFull(c, msg); err != nil {
			return
		}
		var err error
		switch rnd.IntN(12) {
		case 0:
			c.SetLinger(0)
			return
		case 1:
			return
		case 2: // no answer
		case 3:
			_, err = c.Write([]byte{0, 0})
		case 4:
			_, err = c.Write([]byte{0, 200, 'x'})
			return
		case 5:
			_, err = c.Write(frames("zz nobody asked"))
		default:
			for b := frames(string(msg)); len(b) > 0 && err == nil; {
				n := 1 + rnd.IntN(len(b))
				_, err = c.Write(b[:n])
				b = b[n:]
			}
		}
		if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
			return
		}
	}
}
