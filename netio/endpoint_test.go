package netio_test

import (
	"net/netip"
	"testing"

	"heimdall/netio"
	"heimdall/netio/netiotest"
)

func TestEndpoint(t *testing.T) {
	for _, c := range []struct {
		in, peer string
		is4      bool
		scope    uint32
	}{
		{"192.0.2.1:53", "192.0.2.1:53", true, 0},
		{"[::ffff:192.0.2.1]:53", "192.0.2.1:53", true, 0},
		{"[2001:db8::1]:5353", "[2001:db8::1]:5353", false, 0},
		{"[::]:0", "[::]:0", false, 0},
		{"[fe80::1%7]:53", "[fe80::1]:53", false, 7},
		{"[fe80::1%eth0]:53", "[fe80::1]:53", false, 0},
	} {
		e := netiotest.From(netip.MustParseAddrPort(c.in))
		if netiotest.Peer(e).String() != c.peer || e.Is4() != c.is4 || e.Scope != c.scope || netiotest.Local(e).IsValid() {
			t.Errorf("%s: %v, Is4 %v, Scope %d, local %v", c.in, netiotest.Peer(e), e.Is4(), e.Scope, netiotest.Local(e))
		}
	}
	e := netio.Endpoint{Local: netip.MustParseAddr("192.0.2.9").As16()}
	if got := netiotest.Local(e).String(); got != "192.0.2.9" {
		t.Errorf("local %s", got)
	}
}

func TestToken(t *testing.T) {
	for k := netio.KindWake; k <= netio.KindOutTCP; k++ {
		for _, index := range []uint32{0, 1, 1<<31 + 5, 1<<32 - 1} {
			e := netio.Event{Token: netio.Token(k, index)}
			if e.Kind() != k || e.Index() != index {
				t.Errorf("Token(%v, %d) reads back as %v, %d", k, index, e.Kind(), e.Index())
			}
		}
	}
}
