package outbound

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"heimdall/netio"
	"heimdall/netio/netiotest"

	"golang.org/x/sys/unix"
)

func TestDatagrams(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		h := newHarness(t, Options{})
		s := newUDPServer(t, addr)
		for i := range 50 {
			query := fmt.Sprint("query ", i)
			sock := h.send(s.addr, query)
			got, from := s.read()
			if got != query {
				t.Fatalf("%q", got)
			}
			s.write("answer", from)
			h.Until("answered", func() bool { return len(h.datagrams) > i })
			if d := h.datagrams[i]; d != (datagram{sock, s.addr, "answer"}) {
				t.Fatalf("%+v, want socket %d", d, sock)
			}
		}
		if st := h.Stats(); st.Sent != 50 || st.Received != 50 {
			t.Errorf("%+v", st)
		}
	}
}

// Both families in turn: an address of one must not be read as the other's.
func TestFamiliesShareBuffers(t *testing.T) {
	h := newHarness(t, Options{})
	servers := []*udpServer{newUDPServer(t, "127.0.0.1:0"), newUDPServer(t, "[::1]:0")}
	for i := range 10 {
		s := servers[i%2]
		h.send(s.addr, "q")
		_, from := s.read()
		s.write("a", from)
		h.Until("answered", func() bool { return len(h.datagrams) > i })
		if d := h.datagrams[i]; d.from != s.addr {
			t.Errorf("from %v, want %v", d.from, s.addr)
		}
	}
}

func TestPortsAreRandom(t *testing.T) {
	const sockets = 32
	h := newHarness(t, Options{Sockets: sockets, UsesPerSocket: 1000})
	s := newUDPServer(t, "127.0.0.1:0")
	uses := map[uint16]int{}
	low := 0
	for range 1000 {
		h.send(s.addr, "q")
		_, from := s.read()
		uses[from.Port()]++
	}
	for port, n := range uses {
		if port < 1024 || avoid(port) || n > 100 {
			t.Errorf("port %d used %d times", port, n)
		}
		if port < 32768 {
			low++
		}
	}
	if len(uses) != sockets || low == 0 || low == sockets {
		t.Errorf("%d ports, %d of them in the lower half", len(uses), low)
	}
	if st := h.Stats(); st.Sockets != sockets || st.Unbound != 0 {
		t.Errorf("%+v", st)
	}
}

func TestPortRange(t *testing.T) {
	h := newHarness(t, Options{Sockets: 4, MinPort: 20000, MaxPort: 20019, NoIPv6: true})
	s := newUDPServer(t, "127.0.0.1:0")
	for range 40 {
		h.send(s.addr, "q")
		if _, from := s.read(); from.Port() < 20000 || from.Port() > 20019 {
			t.Errorf("port %d", from.Port())
		}
	}
	for port := range 1 << 16 {
		want := strings.Contains(" 1900 3702 4789 4791 5353 6081 8472 11211 51820 ", fmt.Sprintf(" %d ", port))
		if avoid(uint16(port)) != want {
			t.Errorf("port %d: avoided %v", port, !want)
		}
	}
}

// constant is a source of numbers that always finds the port taken.
type constant uint64

func (c constant) Uint64() uint64 { return uint64(c) }

func TestKernelChoosesWhenRandomPortsAreTaken(t *testing.T) {
	s := newUDPServer(t, "127.0.0.1:0")
	for i := range constant(20) {
		h := newHarness(t, Options{Rand: 1<<63 + i<<50, Sockets: 1, UsesPerSocket: 1, NoIPv6: true})
		if h.Stats().Unbound > 0 {
			continue // another process holds this port
		}
		a, b := h.send(s.addr, "a"), h.send(s.addr, "b")
		_, portA := s.read()
		_, portB := s.read()
		if a == b || portA == portB || h.Stats().Unbound != 1 {
			t.Errorf("sockets %d, %d; ports %v, %v; %+v", a, b, portA, portB, h.Stats())
		}
		return
	}
	t.Error("20 ports are taken")
}

func TestPortIsReplacedAfterUses(t *testing.T) {
	h := newHarness(t, Options{Sockets: 1, UsesPerSocket: 3, Grace: 5 * time.Second, NoIPv6: true})
	s := newUDPServer(t, "127.0.0.1:0")
	var socks []uint16
	var from []netip.AddrPort
	for range 5 {
		socks = append(socks, h.send(s.addr, "q"))
		_, addr := s.read()
		from = append(from, addr)
	}
	if socks[0] != socks[2] || socks[2] == socks[3] || from[2] == from[3] || socks[3] != socks[4] {
		t.Fatalf("sockets %v", socks)
	}
	// The replaced port still takes answers.
	h.Pass(4 * time.Second)
	s.write("late", from[0])
	h.Until("answered", func() bool { return len(h.datagrams) == 1 })
	if h.datagrams[0].sock != socks[0] || h.Stats().Retired != 1 {
		t.Errorf("%+v, %+v", h.datagrams[0], h.Stats())
	}
	h.Pass(time.Second)
	if st := h.Stats(); st.Retired != 0 || st.Sockets != 1 {
		t.Errorf("%+v", st)
	}
	if err := h.Send(socks[0], s.addr, []byte("q")); err != unix.EBADF {
		t.Errorf("closed socket: %v", err)
	}
}

func TestPortIsReplacedWithAge(t *testing.T) {
	h := newHarness(t, Options{Sockets: 1, MaxAge: 30 * time.Second, Grace: 5 * time.Second, NoIPv6: true})
	s := newUDPServer(t, "127.0.0.1:0")
	h.Pass(time.Minute) // the one from Open has gone
	h.Pass(10 * time.Second)
	a := h.send(s.addr, "a")
	h.Pass(29 * time.Second)
	if b := h.send(s.addr, "b"); b != a {
		t.Error("replaced too early")
	}
	h.Pass(time.Second)
	if st := h.Stats(); st.Sockets != 0 || st.Retired != 1 {
		t.Errorf("%+v", st)
	}
	if c := h.send(s.addr, "c"); c == a {
		t.Error("not replaced")
	}
	h.Pass(5 * time.Second)
	if st := h.Stats(); st.Sockets != 1 || st.Retired != 0 {
		t.Errorf("%+v", st)
	}
}

// Descriptors stay within the documented number however fast ports are used up.
func TestPortsAreUsedLongerWhenReplacedOnesAreOwedAnswers(t *testing.T) {
	const sockets = 4
	o := Options{Sockets: sockets, UsesPerSocket: 1, NoIPv6: true, MaxStreams: 1}
	h := newHarness(t, o)
	s := newUDPServer(t, "127.0.0.1:0")
	var from []netip.AddrPort
	ports := map[uint16]bool{}
	for range 100 {
		h.send(s.addr, "q")
		_, addr := s.read()
		from = append(from, addr)
		ports[addr.Port()] = true
		if st := h.Stats(); st.Sockets+st.Retired > o.Descriptors()-1 {
			t.Fatalf("%+v", st)
		}
	}
	if len(ports) != 2*sockets {
		t.Errorf("%d ports", len(ports))
	}
	// Answered ones make room for new ports.
	for _, addr := range from {
		s.write("a", addr)
	}
	h.Until("answered", func() bool { return h.Stats().Received == 100 })
	before := h.Stats().Opened
	for range 2 * sockets {
		h.send(s.addr, "q")
	}
	if opened := h.Stats().Opened - before; opened < sockets {
		t.Errorf("%d ports opened", opened)
	}
}

// The sink's own queries may replace the socket whose datagrams it is reading.
func TestSocketReplacedWhileItReceives(t *testing.T) {
	h := newHarness(t, Options{Sockets: 1, UsesPerSocket: 1, NoIPv6: true})
	s := newUDPServer(t, "127.0.0.1:0")
	first := h.send(s.addr, "q")
	_, from := s.read()
	for range 10 {
		s.write("a", from)
	}
	calls := 0
	h.datagram = func(sock uint16, _ netip.AddrPort, _ []byte) {
		calls++
		if sock != first || h.sockets[sock].fd < 0 {
			t.Errorf("call %d: socket %d, descriptor %d", calls, sock, h.sockets[sock].fd)
		}
		h.send(s.addr, "next")
		h.send(s.addr, "next")
	}
	h.Turn(netiotest.HangGuard)
	h.Quiet()
	if calls == 0 {
		t.Error("nothing received")
	}
}

func TestNoDescriptorForAPort(t *testing.T) {
	h := newHarness(t, Options{Sockets: 1000, NoIPv6: true})
	s := newUDPServer(t, "127.0.0.1:0")
	h.send(s.addr, "q")
	h.withoutDescriptors()
	for range 10 {
		h.send(s.addr, "q")
	}
	if st := h.Stats(); st.OpenErrors == 0 || st.Sockets != 1 {
		t.Errorf("%+v", st)
	}
	if err := h.Stream(1, s.addr, []byte("qq"), h.Clock+1); err != unix.EMFILE {
		t.Errorf("stream: %v", err)
	}
}

func TestFamilies(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("127.0.0.1:53"), netip.MustParseAddrPort("[::1]:53")
	for _, c := range []struct {
		o          Options
		can4, can6 bool
		fds        int
	}{
		{Options{}, true, true, 4224},
		{Options{NoIPv4: true}, false, true, 4192},
		{Options{NoIPv6: true, Ports: 100}, true, false, 196},
	} {
		h := newHarness(t, c.o)
		_, pick4 := h.Pick(v4)
		_, pick6 := h.Pick(v6)
		_, mapped := h.Pick(netip.MustParseAddrPort("[::ffff:127.0.0.1]:53"))
		if pick4 != c.can4 || mapped != c.can4 || pick6 != c.can6 {
			t.Errorf("%+v: %v, %v", c.o, pick4, pick6)
		}
		if n := c.o.Descriptors(); n != c.fds {
			t.Errorf("%+v: %d descriptors", c.o, n)
		}
		if !c.can6 {
			if err := h.Stream(1, v6, []byte("qq"), 1<<62); err != unix.EAFNOSUPPORT {
				t.Errorf("stream: %v", err)
			}
		}
	}
}

func TestSourceAddress(t *testing.T) {
	h := newHarness(t, Options{Bind4: netip.MustParseAddr("127.0.0.5"), Bind6: netip.MustParseAddr("::1")})
	s := newUDPServer(t, "127.0.0.1:0")
	h.send(s.addr, "q")
	if _, from := s.read(); from.Addr() != netip.MustParseAddr("127.0.0.5") {
		t.Errorf("from %v", from)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := h.Stream(1, l.Addr().(*net.TCPAddr).AddrPort(), []byte("qq"), 1<<62); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if from := c.RemoteAddr().(*net.TCPAddr).AddrPort(); from.Addr() != netip.MustParseAddr("127.0.0.5") {
		t.Errorf("stream from %v", from)
	}
}

func TestOpenErrors(t *testing.T) {
	taken := newUDPServer(t, "0.0.0.0:0")
	for want, o := range map[string]Options{
		"no source of random numbers":                                    {},
		"bind source address 192.0.2.1: cannot assign requested address": {Rand: newRand(), Bind4: netip.MustParseAddr("192.0.2.1")},
		"source address ::1 is of the other family":                      {Rand: newRand(), Bind4: netip.MustParseAddr("::1")},
		"IPv4 and IPv6 are both turned off":                              {Rand: newRand(), NoIPv4: true, NoIPv6: true},
		"ports 5000 to 4000":                                             {Rand: newRand(), MinPort: 5000, MaxPort: 4000},
		"bind source address: address already in use": {Rand: newRand(), NoIPv6: true,
			MinPort: taken.addr.Port(), MaxPort: taken.addr.Port()},
	} {
		p, err := netio.NewPoller()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(p, o, nil); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		p.Close()
	}
}

func TestPathMTUIsIgnored(t *testing.T) {
	h := newHarness(t, Options{})
	for i := range h.sockets {
		s := &h.sockets[i]
		if s.fd < 0 {
			continue
		}
		level, name, want := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_OMIT
		if s.ipv6 {
			level, name, want = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_OMIT
		}
		if got, err := unix.GetsockoptInt(s.fd, level, name); got != want || err != nil {
			t.Errorf("socket %d: %d, %v; want %d", i, got, err, want)
		}
	}
}
