package tcp

import (
	"testing"
	"time"

	"heimdall/netio"
	"heimdall/netio/tcp/framing"
)

// pingPong returns a function that sends n queries in one segment to an echoing
// server and receives the replies.
func pingPong(t testing.TB, n int) (*harness, func()) {
	h := newHarness(t, Options{})
	c := h.client()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var fd int
	raw.Control(func(f uintptr) { fd = int(f) })
	var segment []byte
	for range n {
		segment = append(segment, frames("a query of forty octets, as most are....")...)
	}
	in := make([]byte, len(segment))
	return h, func() {
		framing.Send(fd, segment)
		for got := 0; got < len(in); {
			h.Turn(time.Second)
			if m, e := framing.Recv(fd, in); e == 0 {
				got += m
			}
		}
	}
}

func TestAllocs(t *testing.T) {
	for _, pipelined := range []int{1, 30} {
		h, turn := pingPong(t, pipelined)
		if n := testing.AllocsPerRun(200, turn); n != 0 {
			t.Errorf("%d pipelined: %v allocations", pipelined, n)
		}
		if h.Stats().Buffered != 0 {
			t.Errorf("%+v", h.Stats())
		}
	}
}

// Held-back queries and late replies use pooled memory only.
func TestLateReplyAllocs(t *testing.T) {
	h, _ := pingPong(t, 1)
	var ids [64]ConnID
	var held int
	h.answer = func(conn ConnID, _ *netio.Endpoint, _ []byte) { ids[held] = conn; held++ }
	c := h.client()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var fd int
	raw.Control(func(f uintptr) { fd = int(f) })
	segment := frames("one", "two", "three")
	reply := make([]byte, 1200)
	in := make([]byte, 8192)
	if n := testing.AllocsPerRun(200, func() {
		framing.Send(fd, segment)
		for held < 3 {
			h.Turn(time.Second)
		}
		for _, id := range ids[:held] {
			h.Reply(id, reply)
		}
		held = 0
		h.Flush(h.Clock)
		framing.Recv(fd, in)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEcho(b *testing.B) {
	for name, pipelined := range map[string]int{"1": 1, "30": 30} {
		b.Run(name, func(b *testing.B) {
			_, turn := pingPong(b, pipelined)
			for b.Loop() {
				turn()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*pipelined), "ns/query")
		})
	}
}
