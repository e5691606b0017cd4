package reach

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"heimdall/shard/shardtest"
)

// What is found is told once, and so is a machine that is cut off; a server that is new to the list is no find.
func TestLook(t *testing.T) {
	a, b := netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("[2001:db8::1]:53")
	log, found := new(shardtest.Buffer), 0
	list, up := []netip.AddrPort{a, b}, map[netip.AddrPort]bool{}
	w := New(Options{Servers: func() []netip.AddrPort { return list }, Found: func() { found++ }, Log: slog.New(slog.NewTextHandler(log, nil))})
	w.routed = func(addr netip.AddrPort) bool { return up[addr] }
	for _, step := range []struct {
		list    []netip.AddrPort
		up      map[netip.AddrPort]bool
		found   int
		warning bool
	}{
		{[]netip.AddrPort{a, b}, nil, 0, true},
		{[]netip.AddrPort{a, b}, nil, 0, true},
		{[]netip.AddrPort{a, b}, map[netip.AddrPort]bool{a: true}, 1, false},
		{[]netip.AddrPort{a, b}, map[netip.AddrPort]bool{a: true}, 1, false},
		{[]netip.AddrPort{a, b}, map[netip.AddrPort]bool{a: true, b: true}, 2, false},
		{[]netip.AddrPort{a}, map[netip.AddrPort]bool{a: true}, 2, false},
		{[]netip.AddrPort{a, b}, map[netip.AddrPort]bool{a: true, b: true}, 2, false},
		{[]netip.AddrPort{a, b}, nil, 2, true},
		{nil, nil, 2, false},
	} {
		list, up = step.list, step.up
		w.look()
		if found != step.found || (w.Warning() != "") != step.warning {
			t.Errorf("%v with %v: found %d times, warning %q", list, up, found, w.Warning())
		}
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 2 {
		t.Errorf("%d warnings:\n%s", n, log)
	}
}

func TestRouted(t *testing.T) {
	if !routed(netip.MustParseAddrPort("127.0.0.1:53")) {
		t.Error("no route to loopback")
	}
}
