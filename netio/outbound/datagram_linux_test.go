package outbound

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/netio/netiotest"
)

func TestSendErrors(t *testing.T) {
	h := newHarness(t, Options{})
	s := newUDPServer(t, "127.0.0.1:0")
	sock4, _ := h.Pick(s.addr)
	v6 := netip.MustParseAddrPort("[::1]:53")
	for name, c := range map[string]struct {
		sock   uint16
		server netip.AddrPort
		msg    []byte
		want   error
	}{
		"not permitted":  {sock4, netip.MustParseAddrPort("255.255.255.255:53"), []byte("q"), unix.EACCES},
		"too large":      {sock4, s.addr, make([]byte, 1<<16), unix.EMSGSIZE},
		"empty":          {sock4, s.addr, nil, unix.EINVAL},
		"other family":   {sock4, v6, []byte("q"), unix.EINVAL},
		"no address":     {sock4, netip.AddrPort{}, []byte("q"), unix.EINVAL},
		"no such socket": {9999, s.addr, []byte("q"), unix.EBADF},
	} {
		if err := h.Send(c.sock, c.server, c.msg); err != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if st := h.Stats(); st.Sent != 0 || st.SendErrors != 5 {
		t.Errorf("%+v", st)
	}
}

// Nobody listens: the ICMP error, which anyone can forge, is nobody's business.
func TestPortUnreachableIsIgnored(t *testing.T) {
	h := newHarness(t, Options{Sockets: 1, NoIPv6: true})
	dead := newUDPServer(t, "127.0.0.1:0")
	dead.Close()
	s := newUDPServer(t, "127.0.0.1:0")
	for range 5 {
		h.send(dead.addr, "q")
		h.Quiet()
	}
	h.send(s.addr, "q")
	_, from := s.read()
	s.write("a", from)
	h.Until("answered", func() bool { return len(h.datagrams) == 1 })
	if st := h.Stats(); st.Sent != 6 || st.SendErrors != 0 {
		t.Errorf("%+v", st)
	}
}

func TestDatagramLengths(t *testing.T) {
	h := newHarness(t, Options{})
	s := newUDPServer(t, "127.0.0.1:0")
	h.send(s.addr, "q")
	_, from := s.read()
	lengths := []int{datagramLen + 1, 0, datagramLen, 60000, 1}
	for _, length := range lengths {
		s.write(strings.Repeat("\x01", length), from)
	}
	h.Until("received", func() bool { return h.Stats().Received == 5 })
	h.Quiet()
	for i, length := range lengths {
		msg := h.datagrams[i].msg
		if want := min(length, datagramLen); len(msg) != want {
			t.Errorf("datagram %d: %d octets, want %d", i, len(msg), want)
		}
		if cut := len(msg) > 2 && msg[2]&flagTC != 0; cut != (length > datagramLen) {
			t.Errorf("datagram %d of %d octets: truncated %v", i, length, cut)
		}
	}
	if n := h.Stats().Oversize; n != 2 {
		t.Errorf("%d oversize", n)
	}
}

// More datagrams than one turn takes are all handed over.
func TestFlood(t *testing.T) {
	const total = 3 * maxBatches * batchLen / 2
	h := newHarness(t, Options{})
	s := newUDPServer(t, "127.0.0.1:0")
	sock := h.send(s.addr, "q")
	_, from := s.read()
	queued := func() int { // bytes: the first number of SO_MEMINFO
		n, _ := unix.GetsockoptInt(h.sockets[sock].fd, unix.SOL_SOCKET, unix.SO_MEMINFO)
		return n
	}
	for range total {
		before := queued()
		s.write("a", from)
		for start := time.Now(); queued() <= before && time.Since(start) < netiotest.HangGuard; {
			time.Sleep(10 * time.Microsecond) // a busy kernel delivers a moment later
		}
	}
	h.Turn(netiotest.HangGuard)
	if n := h.Stats().Received; n != maxBatches*batchLen {
		t.Errorf("%d datagrams in one turn", n)
	}
	h.Until("received", func() bool { return h.Stats().Received == total })
}

func TestZones(t *testing.T) {
	h := newHarness(t, Options{})
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip(err)
	}
	var raw rawAddr
	for _, text := range []string{"[fe80::1%lo]:53", "192.0.2.1:53", "[2001:db8::1]:5353", "[fe80::1%77]:53"} {
		want := netip.MustParseAddrPort(text)
		if e := h.address(&raw, want); e != 0 {
			t.Fatalf("%s: %v", text, e)
		}
		if got := h.addrPort(&raw); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if n, ok := h.scope("lo"); !ok || n != uint32(lo.Index) {
		t.Errorf("lo is %d, %v", n, ok)
	}
	sock, _ := h.Pick(netip.MustParseAddrPort("[::1]:53"))
	if err := h.Send(sock, netip.MustParseAddrPort("[fe80::1%nosuchif0]:53"), []byte("q")); err != unix.ENXIO {
		t.Errorf("no such interface: %v", err)
	}
	// A number is looked up again after a while.
	h.zones[0].index = 12345
	if n, _ := h.scope("lo"); n != 12345 {
		t.Errorf("lo is %d", n)
	}
	h.Pass(time.Duration(zoneNanos))
	if n, _ := h.scope("lo"); n != uint32(lo.Index) {
		t.Errorf("lo is %d", n)
	}
}
