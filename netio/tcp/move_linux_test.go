package tcp

import (
	"fmt"
	"strings"
	"testing"
)

// leave has h hand its connections over to a new server, and returns that.
func (h *harness) leave(o Options) *harness {
	h.t.Helper()
	to := newHarness(h.t, o)
	h.Leave(func(m Moved) { to.Adopt(m, to.Clock) })
	return to
}

// Connections move without a lost octet, whatever is on its way at that time: nothing, an unread query, part of one,
// queries in flight.
func TestLeave(t *testing.T) {
	from := newHarness(t, Options{})
	queries := from.hold()
	idle, unread, part, flying, closed := from.client(), from.client(), from.client(), from.client(), from.client()
	long := strings.Repeat("x", 3000)
	send(t, part, frames(long)[:1500])
	send(t, flying, frames("one", "two"))
	send(t, closed, frames("last"))
	closed.CloseWrite()
	from.Until("three queries", func() bool { return len(*queries) == 3 })
	from.Quiet()
	send(t, unread, frames("unread"))
	to := from.leave(Options{MaxConns: 1, MaxPerClient: 1})
	send(t, flying, frames("three"))
	if from.Quiet(); from.Conns() != 2 || from.Stats().Received != 3 {
		t.Fatalf("%d connections stay with the old server, want those 2 that wait for replies: %+v", from.Conns(), from.Stats())
	}
	to.Until("the unread query", func() bool { return to.Stats().Received == 1 })
	expect(t, unread, "unread")
	for _, q := range *queries {
		from.Reply(q.conn, []byte(q.msg+"!"))
	}
	from.Flush(from.Clock)
	expect(t, flying, "one!", "two!")
	expect(t, closed, "last!")
	expectEnd(t, closed, false)
	if from.Conns() != 0 {
		t.Errorf("%d connections stay", from.Conns())
	}
	to.Until("what was sent while it moved", func() bool { return to.Stats().Received == 2 })
	expect(t, flying, "three")
	send(t, part, frames(long)[1500:])
	to.Until("the rest of a query", func() bool { return to.Stats().Received == 3 })
	expect(t, part, long)
	send(t, idle, frames("later"))
	to.Until("a query", func() bool { return to.Stats().Received == 4 })
	expect(t, idle, "later")
	late := from.client() // one that was about to come
	send(t, late, frames("late"))
	to.Until("its query", func() bool { return to.Stats().Received == 5 })
	expect(t, late, "late")
	if st, old := to.Stats(), from.Stats(); st.Adopted != 5 || st.Open != 5 || old.Moved != 5 || old.Finished != 1 {
		t.Errorf("%+v, before %+v", st, old)
	}
}

// A client that sends without end does not stay: the old server reads no more, and replies come in their order.
func TestLeaveBusyClient(t *testing.T) {
	from := newHarness(t, Options{MaxPipelined: 8})
	queries := from.hold()
	c := from.client()
	const n = 200
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("query %d", i))
	}
	send(t, c, frames(want...))
	from.Until("as many queries as it takes", func() bool { return len(*queries) == 8 })
	to := from.leave(Options{})
	for done := 0; from.Conns() > 0; done++ {
		if done == len(*queries) {
			t.Fatalf("nothing is in flight after %d replies, and the connection is still there", done)
		}
		q := (*queries)[done]
		from.Reply(q.conn, []byte(q.msg))
		from.Flush(from.Clock)
	}
	to.Until("the others", func() bool { return int(to.Stats().Received)+len(*queries) == n })
	to.Quiet()
	expect(t, c, want...)
}

// A connection that finds no room for what was received of it is cut, and the server goes on.
func TestAdoptWithoutMemory(t *testing.T) {
	from := newHarness(t, Options{})
	c := from.client()
	send(t, c, frames(strings.Repeat("x", 60000))[:40000])
	from.Until("part of a query", func() bool { return from.Stats().Buffered >= 40000 })
	from.Quiet()
	to := from.leave(Options{MaxBuffered: 1 << 10})
	expectEnd(t, c, true)
	if st := to.Stats(); st.Open != 0 || st.NoBuffer != 1 || st.Adopted != 1 {
		t.Errorf("%+v", st)
	}
	c = to.client()
	send(t, c, frames("query"))
	to.Until("a query", func() bool { return to.Stats().Received == 1 })
	expect(t, c, "query")
}
