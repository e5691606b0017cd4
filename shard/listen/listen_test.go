package listen

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"heimdall/netio/udp"
)

// Who is at an address already is found, over UDP and TCP, with what to do about it; who has gone is not.
func TestCheckFindsWhoIsThere(t *testing.T) {
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for a, open := range map[net.Addr]interface{ Close() error }{u.LocalAddr(): u, l.Addr(): l} {
		addr := netip.MustParseAddrPort(a.String())
		if err := Check(addr, false); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "ss -lntup") {
			t.Errorf("%v over %s: %v", addr, a.Network(), err)
		}
		open.Close()
		if err := Check(addr, false); err != nil && !errors.Is(err, syscall.EADDRINUSE) { // somebody else may have got it
			t.Errorf("%v over %s, closed: %v", addr, a.Network(), err)
		}
	}
}

// An address that the machine does not have is an error with advice, unless it may come later.
func TestAddressOfNobody(t *testing.T) {
	addr := netip.MustParseAddrPort("192.0.2.1:0")
	if err := Alone(addr, false); !errors.Is(err, syscall.EADDRNOTAVAIL) || !strings.Contains(err.Error(), "server.freebind") {
		t.Errorf("%v", err)
	}
	p, err := UDP(udp.Options{Addr: addr, Batch: 1, FreeBind: true})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}

// Only [::1] may be left out, and only beside another address.
func TestPresent(t *testing.T) {
	alone := []netip.AddrPort{netip.MustParseAddrPort("[::1]:53")}
	others := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("[2001:db8::1]:53")}
	for _, list := range [][]netip.AddrPort{alone, others} {
		if got := Present(list, false); !slices.Equal(got, list) {
			t.Errorf("%v of %v", got, list)
		}
	}
}
