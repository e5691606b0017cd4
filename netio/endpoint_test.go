package netio

import (
	"net/netip"
	"testing"
)

func TestEndpoint(t *testing.T) {
	for _, c := range []struct {
		in, text string
		is4      bool
		scope    uint32
	}{
		{"192.0.2.1:53", "192.0.2.1:53", true, 0},
		{"[::ffff:192.0.2.1]:53", "192.0.2.1:53", true, 0},
		{"[2001:db8::1]:5353", "[2001:db8::1]:5353", false, 0},
		{"[::]:0", "[::]:0", false, 0},
		{"[fe80::1%7]:53", "[fe80::1%7]:53", false, 7},
		{"[fe80::1%eth0]:53", "[fe80::1]:53", false, 0},
	} {
		e := EndpointFrom(netip.MustParseAddrPort(c.in))
		if got := e.String(); got != c.text {
			t.Errorf("%s: String() = %s, want %s", c.in, got, c.text)
		}
		if e.Is4() != c.is4 || e.Scope != c.scope {
			t.Errorf("%s: Is4 %v, Scope %d", c.in, e.Is4(), e.Scope)
		}
		if e.AddrPort().Addr().Zone() != "" || e.LocalIP().IsValid() {
			t.Errorf("%s: zone in %v or local %v", c.in, e.AddrPort(), e.LocalIP())
		}
	}
	e := Endpoint{Local: netip.MustParseAddr("192.0.2.9").As16()}
	if got := e.LocalIP().String(); got != "192.0.2.9" {
		t.Errorf("LocalIP() = %s", got)
	}
}

func TestToken(t *testing.T) {
	for k := KindWake; k <= KindOutTCP; k++ {
		for _, index := range []uint32{0, 1, 1<<31 + 5, 1<<32 - 1} {
			e := Event{Token: Token(k, index)}
			if e.Kind() != k || e.Index() != index {
				t.Errorf("Token(%v, %d) reads back as %v, %d", k, index, e.Kind(), e.Index())
			}
		}
	}
}

func TestEndpointAllocs(t *testing.T) {
	e := EndpointFrom(netip.MustParseAddrPort("[fe80::1%7]:53"))
	var sum uint16
	if n := testing.AllocsPerRun(100, func() {
		sum += e.AddrPort().Port()
		if e.Is4() || e.LocalIP().IsValid() {
			sum++
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
