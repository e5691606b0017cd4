package udp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"heimdall/netio/netiotest"

	"golang.org/x/sys/unix"
)

func TestListenErrors(t *testing.T) {
	p := listenOn(t, Options{Addr: addr("127.0.0.1:0")})
	local := netiotest.Bound(t, p.FD())
	if _, err := Listen(Options{Addr: local}); !errors.Is(err, unix.EADDRINUSE) || !strings.Contains(err.Error(), local.String()) {
		t.Errorf("address in use: %v", err)
	}
	if _, err := Listen(Options{}); err == nil {
		t.Error("no address: no error")
	}
	if _, err := Listen(Options{Addr: addr("[fe80::1%nosuchif]:0")}); err == nil || !strings.Contains(err.Error(), "nosuchif") {
		t.Errorf("unknown zone: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err == nil {
		t.Error("a second Close succeeds")
	}
}

func TestBufferWarningNamesSysctl(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	// An option that does not exist stands for the lack of CAP_NET_ADMIN.
	const noSuchOption = 0x7fff
	const ask = 1 << 30
	got, err := setBuffer(fd, noSuchOption, unix.SO_RCVBUF, ask)
	if err != nil || got <= 0 || got >= ask {
		t.Fatalf("setBuffer = %d, %v", got, err)
	}
	w := bufferWarning(addr("192.0.2.1:53"), "receive", "net.core.rmem_max", got, ask)
	if !strings.Contains(w, "net.core.rmem_max=1073741824") || !strings.Contains(w, "192.0.2.1:53") || !strings.Contains(w, fmt.Sprint(got)) {
		t.Error(w)
	}
	if got, err := setBuffer(fd, noSuchOption, unix.SO_RCVBUF, 8192); err != nil || got != 8192 {
		t.Errorf("setBuffer = %d, %v", got, err)
	}
	if p := listenOn(t, Options{Addr: addr("127.0.0.1:0"), RcvBuf: 65536, SndBuf: 65536}); len(p.Warnings()) != 0 {
		t.Errorf("warnings %q", p.Warnings())
	}
}

// An IPv6 wildcard socket leaves IPv4 to a socket of its own on the same port.
func TestWildcardsOfBothFamilies(t *testing.T) {
	for range 20 { // another process may hold the port in one family
		p6 := listenOn(t, Options{Addr: addr("[::]:0")})
		local := netiotest.Bound(t, p6.FD())
		p4, err := Listen(Options{Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), local.Port())})
		if err == nil {
			p4.Close()
			return
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			t.Fatal(err)
		}
	}
	t.Error("20 ports in use by IPv6 wildcard sockets are closed to IPv4")
}
