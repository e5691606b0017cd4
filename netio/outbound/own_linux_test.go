package outbound

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/netio/netiotest"
)

// own opens a socket for query ref to server, that is due in a second, and sends msg.
func (h *harness) own(ref uint64, server netip.AddrPort, msg string) uint16 {
	h.t.Helper()
	sock, err := h.Own(ref, server, h.Clock+int64(time.Second))
	if err == nil {
		err = h.Send(sock, server, []byte(msg))
	}
	if err != nil {
		h.t.Fatalf("query %d to %v: %v", ref, server, err)
	}
	return sock
}

// Each query leaves from another port, of the whole range, and its socket is closed when it has ended.
func TestOwnPorts(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		h := newHarness(t, Options{})
		s := newUDPServer(t, addr)
		const n = 2000
		ports := map[uint16]int{}
		bits := [16]int{}
		h.done = true
		for i := range n {
			h.own(1, s.addr, "q")
			_, from := s.read()
			ports[from.Port()]++
			for b := range bits {
				bits[b] += int(from.Port() >> b & 1)
			}
			if port := from.Port(); port < 1024 || avoid(port) && (port < h.kernelPorts[0] || port > h.kernelPorts[1]) {
				t.Errorf("port %d", from.Port())
			}
			s.write("a", from)
			h.Until("answered", func() bool { return len(h.datagrams) > i })
		}
		// Draws from 64,503 ports: 2,000 of them meet 31 times, in the mean.
		if len(ports) < n-80 {
			t.Errorf("%s: %d ports in %d queries", addr, len(ports), n)
		}
		for b, ones := range bits {
			if ones < n*4/10 || ones > n*6/10 {
				t.Errorf("%s: bit %d of the ports is set in %d of %d", addr, b, ones, n)
			}
		}
		if st := h.Stats(); st.Ports != 0 || st.Sent != n || st.Received != n || st.Unbound != 0 {
			t.Errorf("%s: %+v", addr, st)
		}
	}
}

// The socket of a query takes what its server sends until the query has ended, and nothing of others.
func TestOwnPortBelongsToItsServer(t *testing.T) {
	h := newHarness(t, Options{})
	s, other := newUDPServer(t, "127.0.0.1:0"), newUDPServer(t, "127.0.0.1:0")
	sock := h.own(1, s.addr, "q")
	_, from := s.read()
	other.write("forged", from)
	for i := range 3 {
		s.write(fmt.Sprint("guess ", i), from)
	}
	h.Until("guesses have come", func() bool { return len(h.datagrams) == 3 })
	if h.Stats().Ports != 1 {
		t.Error("a wrong answer has closed the socket")
	}
	h.done = true
	s.write("answer", from)
	h.Until("answered", func() bool { return len(h.datagrams) == 4 })
	if d := h.datagrams[3]; d != (datagram{sock, s.addr, "answer"}) || h.Stats().Ports != 0 {
		t.Errorf("%+v, %+v", d, h.Stats())
	}
	if err := h.Send(sock, s.addr, []byte("q")); err != unix.EBADF {
		t.Errorf("closed socket: %v", err)
	}
}

// Where nobody listens the query ends at once, and no other one.
func TestPortUnreachableEndsAQuery(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		h := newHarness(t, Options{})
		s, dead := newUDPServer(t, addr), newUDPServer(t, addr)
		dead.Close()
		h.own(1, s.addr, "q")
		asked := 0
		for start := time.Now(); len(h.refused) == 0; h.Turn(time.Second) { // The kernel may leave an ICMP message out.
			asked++
			h.own(uint64(1+asked), dead.addr, "q")
			if time.Since(start) > netiotest.HangGuard {
				t.Fatalf("%s: %d queries, none refused: %+v", addr, asked, h.Stats())
			}
		}
		st := h.Stats()
		if st.Ports != 1+asked-len(h.refused) || st.Unreachable != uint64(len(h.refused)) || st.SendErrors != 0 || slices.Contains(h.refused, 1) {
			t.Errorf("%s: %d queries to nobody, %v refused, %+v", addr, asked, h.refused, st)
		}
		_, from := s.read()
		s.write("a", from)
		h.Until("answered", func() bool { return len(h.datagrams) == 1 })
	}
}

// A query that is not answered gives up its port when others need it, but not before it is due; without need, late.
func TestPortsOfOverdueQueries(t *testing.T) {
	const ports = 8
	h := newHarness(t, Options{Ports: ports, Grace: 5 * time.Second})
	s := newUDPServer(t, "127.0.0.1:0")
	var from []netip.AddrPort
	for i := range ports {
		h.own(uint64(i), s.addr, "q")
		_, addr := s.read()
		from = append(from, addr)
		h.Clock += int64(time.Millisecond)
	}
	if _, err := h.Own(9, s.addr, h.Clock); err != ErrLimit {
		t.Fatalf("all ports wait: %v", err)
	}
	if _, err := h.Own(9, s.addr, h.Clock); err != ErrLimit {
		t.Fatalf("all ports wait: %v", err)
	}
	h.Pass(time.Second)
	h.own(10, s.addr, "q")
	if st := h.Stats(); st.Ports != ports || st.PortsEvicted != 1 || st.PortsRefused != 2 {
		t.Errorf("%+v", st)
	}
	// That of the first is gone; the others still take answers.
	for _, addr := range from {
		s.write("late", addr)
	}
	h.Until("answered", func() bool { return len(h.datagrams) == ports-1 })
	h.Quiet()
	if n := len(h.datagrams); n != ports-1 {
		t.Errorf("%d answers", n)
	}
	h.Pass(4 * time.Second)
	if st := h.Stats(); st.Ports != 1 {
		t.Errorf("after the grace: %+v", st)
	}
	h.Pass(time.Second)
	if st := h.Stats(); st.Ports != 0 {
		t.Errorf("after the last one's grace: %+v", st)
	}
}

// The sink's own queries may need the room of the socket whose datagrams it is reading.
func TestOwnPortGivenUpWhileItReceives(t *testing.T) {
	h := newHarness(t, Options{Ports: 1})
	s := newUDPServer(t, "127.0.0.1:0")
	h.own(1, s.addr, "q")
	_, from := s.read()
	for range 5 {
		s.write("late", from)
	}
	h.Pass(time.Second) // It is overdue.
	calls := 0
	h.done = true
	h.datagram = func(uint16, netip.AddrPort, []byte) {
		calls++
		h.own(2, s.addr, "next")
	}
	h.Turn(netiotest.HangGuard)
	h.Quiet()
	if st := h.Stats(); calls != 1 || st.Ports != 1 || h.owns.list[0].ref != 2 {
		t.Errorf("%d calls, %+v", calls, st)
	}
	if msg, again := s.read(); msg != "next" || again == from {
		t.Errorf("%q from %v", msg, again)
	}
}

func TestOwnPortErrors(t *testing.T) {
	h := newHarness(t, Options{NoIPv6: true})
	s := newUDPServer(t, "127.0.0.1:0")
	for name, c := range map[string]struct {
		server netip.AddrPort
		want   error
	}{
		"not permitted": {netip.MustParseAddrPort("255.255.255.255:53"), unix.EACCES},
		"other family":  {netip.MustParseAddrPort("[::1]:53"), unix.EAFNOSUPPORT},
		"no address":    {netip.AddrPort{}, unix.EAFNOSUPPORT},
	} {
		if _, err := h.Own(1, c.server, 1); err != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, msg := range map[string][]byte{"too large": make([]byte, 1<<16), "empty": nil} {
		sock, err := h.Own(1, s.addr, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Send(sock, s.addr, msg); err == nil {
			t.Errorf("%s: sent", name)
		}
	}
	sock, _ := h.Own(1, s.addr, 1)
	h.Release(2, sock) // another query's
	if st := h.Stats(); st.Ports != 1 {
		t.Errorf("%+v", st)
	}
	h.Release(1, sock)
	h.Release(1, sock)
	h.Release(1, 9)
	if st := h.Stats(); st.Ports != 0 || st.Sent != 0 || st.SendErrors != 3 {
		t.Errorf("%+v", st)
	}
}

// Without descriptors the query fails, and is not asked from a port that others know.
func TestNoDescriptorForAnOwnPort(t *testing.T) {
	h := newHarness(t, Options{NoIPv6: true})
	s := newUDPServer(t, "127.0.0.1:0")
	h.own(1, s.addr, "q")
	h.withoutDescriptors()
	if _, err := h.Own(2, s.addr, h.Clock+1); err != syscall.EMFILE {
		t.Errorf("%v", err)
	}
	h.Pass(time.Second) // The first one is overdue: its descriptor is given up.
	h.own(3, s.addr, "q")
	if st := h.Stats(); st.Ports != 1 || st.PortsEvicted != 1 || st.OpenErrors == 0 {
		t.Errorf("%+v", st)
	}
}

// Where the kernel chooses the port, one socket serves query after query, each from another port. What comes late for an
// earlier one has no effect but that the socket is closed.
func TestSocketServesAnotherQuery(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		h := newHarness(t, Options{})
		h.kernelPorts = [2]uint16{1024, 65535}
		h.done = true
		s, other := newUDPServer(t, addr), newUDPServer(t, addr)
		before := h.Stats().Opened
		ports := map[uint16]bool{}
		const n = 100
		for i := range n {
			h.own(uint64(i), s.addr, "q")
			_, from := s.read()
			ports[from.Port()] = true
			s.write("a", from)
			h.Until("answered", func() bool { return len(h.datagrams) > i })
			h.Quiet()
			if i == n-1 {
				s.write("late", from) // to a port that is closed by now
			}
		}
		if opened := h.Stats().Opened - before; opened != 1 || len(ports) < n-5 || h.Stats().Ports != 0 {
			t.Errorf("%s: %d sockets for %d ports; %+v", addr, opened, len(ports), h.Stats())
		}
		// Two answers: the second is read with the first, or waits at a socket without a query.
		h.own(200, s.addr, "q")
		_, from := s.read()
		h.datagrams = nil
		s.write("a", from)
		s.write("again", from)
		h.Until("answered", func() bool { return len(h.datagrams) > 0 })
		h.Quiet()
		h.own(201, other.addr, "q")
		_, from = other.read()
		other.write("b", from)
		h.Until("answered", func() bool { return h.datagrams[len(h.datagrams)-1].msg == "b" })
		h.Quiet()
		if st := h.Stats(); st.Ports != 0 || st.SockErrors != 0 {
			t.Errorf("%s: %+v", addr, st)
		}
	}
}

// What ICMP said of the query before is not what becomes of the next one from the same socket.
func TestSocketWithAnErrorServesAnotherQuery(t *testing.T) {
	h := newHarness(t, Options{NoIPv6: true})
	h.kernelPorts = [2]uint16{1024, 65535}
	s, other := newUDPServer(t, "127.0.0.1:0"), newUDPServer(t, "127.0.0.1:0")
	sock := h.own(1, s.addr, "q")
	_, from := s.read()
	s.write("a", from)
	fd := h.owns.list[int(sock)-h.owns.first].fd
	h.datagram = func(sock uint16, _ netip.AddrPort, msg []byte) {
		if string(msg) != "a" {
			return
		}
		s.Close()
		unix.Write(fd, []byte("to nobody")) // The error waits at the socket.
		h.Release(1, sock)
		if again := h.own(2, other.addr, "next"); again != sock {
			t.Errorf("socket %d, want %d again", again, sock)
		}
	}
	h.Until("answered", func() bool { return h.Stats().Sent == 2 })
	msg, from := other.read()
	other.write("b", from)
	h.Until("answered", func() bool { return h.Stats().Received == 2 })
	if st := h.Stats(); msg != "next" || len(h.refused) != 0 || st.SendErrors != 0 || st.SockErrors != 1 {
		t.Errorf("%q, refused %v, %+v", msg, h.refused, st)
	}
}

// Sockets that are kept for queries to come give their descriptors to one that cannot use them.
func TestIdleSocketsGiveUpDescriptors(t *testing.T) {
	h := newHarness(t, Options{NoIPv6: true})
	h.kernelPorts = [2]uint16{1024, 65535}
	s := newUDPServer(t, "127.0.0.1:0")
	sock := h.own(1, s.addr, "q")
	h.Release(1, sock)
	h.withoutDescriptors()
	h.kernelPorts = [2]uint16{1, 0}
	h.own(2, s.addr, "q")
	if st := h.Stats(); st.Ports != 1 || st.PortsEvicted != 0 {
		t.Errorf("%+v", st)
	}
}
