package xsk

import (
	"net/netip"

	"heimdall/netio/netiotest"
)

// The addresses of the tests.
var (
	client4 = netip.MustParseAddrPort("198.51.100.2:4096")
	server4 = netip.MustParseAddrPort("192.0.2.1:53")
	client6 = netip.MustParseAddrPort("[2001:db8:1::2]:4096")
	server6 = netip.MustParseAddrPort("[2001:db8::1]:53")
)

// frame is a frame from one address to another.
func frame(from, to netip.AddrPort, payload []byte, tags ...uint16) []byte {
	return netiotest.UDP{From: from, To: to, Tags: tags, Payload: payload}.Frame()
}
