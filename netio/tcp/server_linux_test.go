package tcp

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"

	"heimdall/netio"
	"heimdall/netio/netiotest"
)

func TestEndpoints(t *testing.T) {
	for _, c := range []struct {
		listen, dial string
		local        bool
	}{
		{"127.0.0.1:0", "127.0.0.1", false},
		{"0.0.0.0:0", "127.0.0.2", true},
		{"[::1]:0", "::1", false},
		{"[::]:0", "::1", true},
	} {
		t.Run(c.listen, func(t *testing.T) {
			h := newHarnessOn(t, Options{}, newListener(t, c.listen))
			var got netio.Endpoint
			h.answer = func(conn ConnID, peer *netio.Endpoint, msg []byte) {
				got = *peer
				h.Reply(conn, msg)
			}
			to := netip.AddrPortFrom(netip.MustParseAddr(c.dial), h.listener.addr.Port())
			conn, err := net.Dial("tcp", to.String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			send(t, conn, frames("query"))
			h.Until("answered", func() bool { return h.Stats().Sent == 1 })
			expect(t, conn, "query")
			if netiotest.Peer(got).String() != conn.LocalAddr().String() {
				t.Errorf("peer %v, want %v", netiotest.Peer(got), conn.LocalAddr())
			}
			if netiotest.Local(got).IsValid() != c.local || c.local && netiotest.Local(got) != to.Addr() {
				t.Errorf("local %v", netiotest.Local(got))
			}
		})
	}
}

func TestListenErrors(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1:0":            "listen on tcp 192.0.2.1:0: bind: ",
		"[fe80::1%nosuchif0]:53": "find interface nosuchif0",
	} {
		if _, err := Listen(netip.MustParseAddrPort(addr)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if _, err := Listen(netip.AddrPort{}); err == nil {
		t.Error("no address: no error")
	}
}

// Both families share one port number, and shards share one address.
func TestListenersShareAddress(t *testing.T) {
	for range 20 { // another process may hold the port in one family
		a := newListener(t, "0.0.0.0:0")
		newListener(t, a.addr.String())
		b, err := Listen(netip.AddrPortFrom(netip.IPv6Unspecified(), a.addr.Port()))
		if err == nil {
			b.Close()
			return
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
	t.Error("20 ports in use by IPv4 wildcard sockets are closed to IPv6")
}

func TestQueriesInOneSegment(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.client()
	send(t, c, frames("a", "bb", strings.Repeat("c", 65535), "d"))
	h.expect(c, "a", "bb", strings.Repeat("c", 65535), "d")
}

func TestQueryInManySegments(t *testing.T) {
	h := newHarness(t, Options{})
	c := h.client()
	for range 2 {
		for _, octet := range frames("query", "next") {
			send(t, c, []byte{octet})
			h.Turn(netiotest.HangGuard)
		}
		expect(t, c, "query", "next")
		if n := h.Stats().Buffered; n != 0 {
			t.Errorf("an idle connection holds %d bytes", n)
		}
	}
}

func TestRepliesOutOfOrder(t *testing.T) {
	h := newHarness(t, Options{})
	queries := h.hold()
	c := h.client()
	send(t, c, frames("1", "2", "3"))
	h.Until("received", func() bool { return len(*queries) == 3 })
	for _, i := range []int{2, 0, 1} {
		if !h.Reply((*queries)[i].conn, []byte((*queries)[i].msg)) {
			t.Fatal("reply refused")
		}
	}
	h.Flush(h.Clock)
	// One piece: all of it is there after one receive.
	var got [64]byte
	if n, err := c.Read(got[:]); string(got[:n]) != string(frames("3", "1", "2")) {
		t.Errorf("%q, %v", got[:n], err)
	}
	if st := h.Stats(); st.Pending != 0 || st.Sent != 3 {
		t.Errorf("%+v", st)
	}
}

// A reply that one client's query makes possible for another leaves with Flush.
func TestReplyToAnotherConnection(t *testing.T) {
	h := newHarness(t, Options{})
	queries := h.hold()
	a, b := h.client(), h.client()
	send(t, a, frames("a"))
	h.Until("received", func() bool { return len(*queries) == 1 })
	h.answer = func(conn ConnID, _ *netio.Endpoint, msg []byte) {
		h.Reply((*queries)[0].conn, msg)
		h.Done(conn)
	}
	send(t, b, frames("b"))
	h.Until("answered", func() bool { return h.Stats().Sent == 1 })
	h.Flush(h.Clock)
	expect(t, a, "b")
	if st := h.Stats(); st.Pending != 0 {
		t.Errorf("%+v", st)
	}
}

// At MaxPipelined the server stops reading; nothing is lost.
func TestPipelinedLimit(t *testing.T) {
	const most, total = 8, 1000
	h := newHarness(t, Options{MaxPipelined: most})
	queries := h.hold()
	c := h.client()
	var all []string
	for i := range total {
		all = append(all, fmt.Sprint("query ", i))
	}
	send(t, c, frames(all...))
	for answered := 0; answered < total; answered++ {
		h.Until("received", func() bool { return len(*queries) > answered })
		h.Quiet()
		if n := h.Stats().Pending; n > most {
			t.Fatalf("%d in flight", n)
		}
		q := (*queries)[answered]
		if answered%3 == 0 {
			h.Reply(q.conn, []byte(q.msg))
		} else {
			h.Done(q.conn)
		}
		h.Flush(h.Clock)
	}
	for i := 0; i < total; i += 3 {
		expect(t, c, all[i])
	}
}

func TestLateReplyIsRefused(t *testing.T) {
	h := newHarness(t, Options{})
	queries := h.hold()
	a := h.client()
	send(t, a, frames("a"))
	h.Until("received", func() bool { return len(*queries) == 1 })
	a.SetLinger(0)
	a.Close()
	h.Until("lost", func() bool { return h.Stats().Lost == 1 })

	b := h.client()
	send(t, b, frames("b"))
	h.Until("received", func() bool { return len(*queries) == 2 })
	old, live := (*queries)[0].conn, (*queries)[1].conn
	if old.slot() != live.slot() || old == live {
		t.Fatalf("slot not reused: %x, %x", old, live)
	}
	h.Done(old)
	if h.Reply(old, []byte("a")) || h.Stats().Pending != 1 || h.Stats().Late != 1 {
		t.Errorf("reply to the former tenant: %+v", h.Stats())
	}
	if h.Reply(0, []byte("a")) || h.Reply(1<<32|77, []byte("a")) {
		t.Error("reply to no connection taken")
	}
	if !h.Reply(live, []byte("b")) {
		t.Error("reply refused")
	}
	h.Flush(h.Clock)
	expect(t, b, "b")
}

// The restart of a shard: the listener goes on, clients in between wait.
func TestListenerHandOver(t *testing.T) {
	l := newListener(t, "127.0.0.1:0")
	first := newHarnessOn(t, Options{}, l)
	old := first.client()
	first.answer = func(ConnID, *netio.Endpoint, []byte) { panic("the shard dies") }
	send(t, old, frames("x"))
	func() {
		defer func() { recover() }()
		first.Until("dead", func() bool { return false })
	}()
	first.Close()
	expectEnd(t, old, false)

	between := dial(t, l)
	send(t, between, frames("between"))
	second := newHarnessOn(t, Options{}, l)
	second.Until("answered", func() bool { return second.Stats().Sent == 1 })
	expect(t, between, "between")
}

func TestManyClients(t *testing.T) {
	const clients, each = 100, 50
	h := newHarness(t, Options{MaxPerClient: clients, MaxPipelined: 7})
	rnd := rand.New(rand.NewPCG(5, 6))
	var waiting []held
	h.answer = func(conn ConnID, _ *netio.Endpoint, msg []byte) {
		if rnd.IntN(2) == 0 {
			h.Reply(conn, msg)
		} else {
			waiting = append(waiting, held{conn, string(msg)})
		}
	}
	var wg sync.WaitGroup
	for i := range clients {
		c := dial(t, h.listener)
		var msgs []string
		for j := range each {
			msgs = append(msgs, fmt.Sprintf("%d/%d %s", i, j, strings.Repeat("x", rand.IntN(2000))))
		}
		wg.Go(func() {
			for stream := frames(msgs...); len(stream) > 0; {
				n := min(1+rand.IntN(5000), len(stream))
				c.Write(stream[:n])
				stream = stream[n:]
			}
			c.CloseWrite()
		})
		wg.Go(func() {
			all, err := io.ReadAll(c)
			want := map[string]bool{}
			for _, msg := range msgs {
				want[msg] = true
			}
			for len(all) >= 2 {
				length := int(all[0])<<8 | int(all[1])
				if !want[string(all[2:2+length])] {
					t.Errorf("client %d: unexpected reply", i)
					return
				}
				delete(want, string(all[2:2+length]))
				all = all[2+length:]
			}
			if err != nil || len(want) > 0 || len(all) > 0 {
				t.Errorf("client %d: %v, %d replies missing", i, err, len(want))
			}
		})
	}
	h.Until("all served", func() bool {
		rnd.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
		for _, q := range waiting[len(waiting)/2:] {
			h.Reply(q.conn, []byte(q.msg))
		}
		waiting = waiting[:len(waiting)/2]
		if len(waiting) == 1 {
			h.Reply(waiting[0].conn, []byte(waiting[0].msg))
			waiting = nil
		}
		h.Flush(h.Clock)
		return h.Stats().Finished == clients
	})
	wg.Wait()
	if st := h.Stats(); st.Received != clients*each || st.Sent != clients*each || st.Late != 0 {
		t.Errorf("%+v", st)
	}
}
