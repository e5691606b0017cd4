package ebpf

import (
	"bytes"
	"net/netip"
	"testing"

	"heimdall/core/wire"
)

// burst sends n queries and returns how many left through each exit.
func (p *tier0) burst(t *testing.T, in []byte, n int) (by Stats) {
	t.Helper()
	before, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if _, _, err := p.Try(in); err != nil {
			t.Fatal(err)
		}
	}
	after, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	for e := range by {
		by[e] = after[e] - before[e]
	}
	return by
}

// One query an hour after a burst: the clock does not matter to the test.
func TestRootLimit(t *testing.T) {
	p := load(t, Options{Entries: 16})
	set := func(l Limits) {
		t.Helper()
		if err := p.SetLimits(l); err != nil {
			t.Fatal(err)
		}
	}
	from := func(client string) []byte {
		ap := netip.AddrPortFrom(netip.MustParseAddr(client), 4000)
		to := server4
		if ap.Addr().Is6() {
			to = server6
		}
		return frame(ap, to, query("random.example.", wire.TypeA, 0, 0, false))
	}
	l := Limits{PerSecond: 1, Burst: 50, IPv4Bits: 24, IPv6Bits: 56}
	set(l)
	want := func(by Stats, passed, limited uint64) {
		t.Helper()
		// A second may pass meanwhile, which is worth one query.
		if got := by[xdpExitPASS_MISS]; got < passed || got > passed+5 || got+by[xdpExitDROP_LIMIT] != passed+limited {
			t.Errorf("%d passed, %d dropped; want %d and %d", got, by[xdpExitDROP_LIMIT], passed, limited)
		}
	}
	want(p.burst(t, from("198.51.100.2"), 200), 50, 150)
	want(p.burst(t, from("198.51.100.77"), 20), 0, 20) // of the same prefix
	want(p.burst(t, from("198.51.101.2"), 20), 20, 0)
	want(p.burst(t, from("2001:db8:0:100::1"), 200), 50, 150)
	want(p.burst(t, from("2001:db8:0:1ff::1"), 20), 0, 20)
	want(p.burst(t, from("2001:db8:0:200::1"), 20), 20, 0)

	if err := p.SetClients(Clients{Exempt: []netip.Prefix{netip.MustParsePrefix("198.51.100.2/32")}}); err != nil {
		t.Fatal(err)
	}
	want(p.burst(t, from("198.51.100.2"), 20), 20, 0)
	want(p.burst(t, from("198.51.100.3"), 20), 0, 20)

	l.IPv4Bits = 32
	set(l)
	want(p.burst(t, from("198.51.100.4"), 20), 20, 0)

	l.Slip = 1
	set(l)
	p.burst(t, from("198.51.100.5"), 60)
	if by := p.burst(t, from("198.51.100.5"), 20); by[xdpExitSEND_SLIP] < 15 || by[xdpExitDROP_LIMIT] > 0 {
		t.Errorf("slip 1: %d slipped, %d dropped", by[xdpExitSEND_SLIP], by[xdpExitDROP_LIMIT])
	}
	l.Slip = 2
	set(l)
	if by := p.burst(t, from("198.51.100.5"), 200); by[xdpExitSEND_SLIP] < 50 || by[xdpExitDROP_LIMIT] < 50 {
		t.Errorf("slip 2: %d slipped, %d dropped", by[xdpExitSEND_SLIP], by[xdpExitDROP_LIMIT])
	}
	set(Limits{})
	want(p.burst(t, from("198.51.100.5"), 20), 20, 0)
}

func TestRootSlipOctets(t *testing.T) {
	p := load(t, Options{Entries: 16})
	if err := p.SetLimits(Limits{PerSecond: 1, Burst: 1, Slip: 1, IPv4Bits: 24, IPv6Bits: 56}); err != nil {
		t.Fatal(err)
	}
	for _, size := range []uint16{0, 4000} {
		q := query("Www.example.", wire.TypeA, wire.FlagCD, size, true)
		for _, in := range [][]byte{frame(client4, server4, q), frame(client6, server6, q)} {
			p.burst(t, in, 100)
			padded := append(bytes.Clone(in), 0, 0)
			v, out, err := p.Try(padded)
			for n := 0; n < 10 && err == nil && v == Pass; n++ { // a second has passed, which is worth one query
				v, out, err = p.Try(padded)
			}
			if err != nil || v != Send {
				t.Fatalf("verdict %d: %v", v, err)
			}
			got := checkFrame(t, in, out)
			want := query("Www.example.", wire.TypeA, wire.FlagCD|wire.FlagQR|wire.FlagTC, 0, false)
			if size > 0 {
				want = wire.AppendOPT(want, wire.OPT{UDPSize: 1232, DO: true})
			}
			if !bytes.Equal(got, want) {
				t.Errorf("size %d:\n got %x\nwant %x", size, got, want)
			}
		}
	}
}
