package ebpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"heimdall/core/wire"
)

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// look finds the flags of an address in a list, the slow and obvious way.
func (l *clientList) look(addr netip.Addr) uint32 {
	v6 := addr.BitLen() / 128
	flags, longest := l.others[v6], uint32(0)
	for i, k := range l.keys {
		var b [16]byte
		binary.LittleEndian.PutUint64(b[:], k.Addr[0])
		binary.LittleEndian.PutUint64(b[8:], k.Addr[1])
		a := netip.AddrFrom16(b)
		if v6 == 0 {
			a = netip.AddrFrom4([4]byte(b[:4]))
		}
		if k.V6 == uint32(v6) && k.Bits > longest && netip.PrefixFrom(a, int(k.Bits-32)).Contains(addr) {
			flags, longest = l.flags[i], k.Bits
		}
	}
	return flags
}

// An address has the flags of all prefixes that hold it, and the list has no prefix that changes nothing.
func TestCompile(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	address := func() netip.Addr {
		if rnd.IntN(2) == 0 {
			return netip.AddrFrom16([16]byte{0x20, 1, byte(rnd.IntN(4)), byte(rnd.IntN(4))})
		}
		return netip.AddrFrom4([4]byte{10, byte(rnd.IntN(4)), byte(rnd.IntN(4))})
	}
	for round := range 50 {
		list := func() (out []netip.Prefix) {
			for range rnd.IntN(30) {
				out = append(out, netip.PrefixFrom(address(), 25-rnd.IntN(min(26, 2+round))))
			}
			return append(out, netip.MustParsePrefix("::ffff:10.1.0.0/112"))
		}
		c := Clients{Deny: list(), Exempt: list(), Ask: list()}
		got := compile(c)
		for range 200 {
			addr := address()
			want := uint32(0)
			for k, from := range [][]netip.Prefix{c.Deny, c.Exempt, c.Ask} {
				for _, p := range from {
					if unmap(p).Contains(addr) {
						want |= 1 << k // as enum client has them
					}
				}
			}
			if flags := got.look(addr); flags != want {
				t.Fatalf("%v: flags %b, want %b", addr, flags, want)
			}
		}
		if n := len(got.keys); n > 2*30+3 && round > 40 {
			t.Errorf("%d prefixes", n)
		}
	}
	same := compile(Clients{Ask: prefixes("10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8", "10.1.2.0/24"), Deny: prefixes("10.1.2.0/24")})
	if len(same.keys) != 2 || same.flags[1] != uint32(xdpClientCLIENT_ASK|xdpClientCLIENT_DENY) {
		t.Errorf("%+v", same)
	}
}

// The table follows what it is told: what is removed, denied or beyond 65,536 prefixes, in both families.
func TestRootClientsFollow(t *testing.T) {
	p := load(t, Options{Entries: 16})
	p.publish(t, addressA(p.now()))
	q := query("www.example.", wire.TypeA, 0, 0, false)
	fours, sixes := frame(client4, server4, q), frame(client6, server6, q)
	many := prefixes("198.51.100.0/24", "2001:db8:1::/48")
	for i := range 70_000 {
		many = append(many, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32))
	}
	type want struct {
		verdict Verdict
		exit    xdpExit
	}
	answered, passed, denied := want{Send, xdpExitSEND_ANSWER}, want{Pass, xdpExitPASS_CLIENT}, want{Drop, xdpExitDROP_DENIED}
	for i, c := range []struct {
		clients      Clients
		four, six    want
		prefixesLeft int
	}{
		{Clients{Ask: prefixes("198.51.100.2/32", "2001:db8:1::2/128")}, answered, answered, 2},
		{Clients{Ask: prefixes("198.51.100.2/32")}, answered, passed, 1},
		{Clients{Ask: prefixes("2001:db8:1::2/128")}, passed, answered, 1},
		{Clients{Ask: many}, answered, answered, 70_002},
		{Clients{Ask: many[1:]}, passed, answered, 70_001},
		{Clients{Ask: many, Deny: many[:1]}, denied, answered, 70_002},
		{Clients{Ask: many, Deny: many[1:2]}, answered, denied, 70_002},
		{Clients{Ask: prefixes("0.0.0.0/0", "::/0")}, answered, answered, 0},
		{Clients{Ask: prefixes("0.0.0.0/0"), Deny: prefixes("::/0")}, answered, denied, 0},
		{Clients{Ask: prefixes("0.0.0.0/0", "::/0"), Deny: prefixes("198.51.100.0/25")}, denied, answered, 1},
		{Clients{}, passed, passed, 0},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if err := p.SetClients(c.clients); err != nil {
				t.Fatal(err)
			}
			p.try(t, fours, c.four.verdict, Exit(c.four.exit))
			p.try(t, sixes, c.six.verdict, Exit(c.six.exit))
			if got := p.ClientTable(); got != (ClientTable{Prefixes: c.prefixesLeft}) {
				t.Errorf("%+v, want %d prefixes", got, c.prefixesLeft)
			}
		})
	}
}

// A change that fails leaves the old table in force as a whole, and where that would give answers to whom the new one
// gives none, nobody gets any from the kernel.
func TestRootClientsChangeFails(t *testing.T) {
	p := load(t, Options{Entries: 16})
	p.publish(t, addressA(p.now()))
	q := query("www.example.", wire.TypeA, 0, 0, false)
	fours, sixes := frame(client4, server4, q), frame(client6, server6, q)
	before := Clients{Ask: prefixes("198.51.100.0/24"), Exempt: prefixes("198.51.100.7/32")}
	if err := p.SetClients(before); err != nil {
		t.Fatal(err)
	}
	whole := p.objs.Clients
	fail := func(c Clients, withheld bool) {
		t.Helper()
		broken, err := whole.Clone()
		if err != nil {
			t.Fatal(err)
		}
		broken.Close()
		p.objs.Clients = broken
		failures := p.ClientTable().Failures
		err = p.SetClients(c)
		p.objs.Clients = whole
		if want := (ClientTable{Prefixes: 2, Failures: failures + 1, Withheld: withheld}); err == nil || p.ClientTable() != want {
			t.Errorf("%v: %+v, want %+v", err, p.ClientTable(), want)
		}
	}
	answered := func(in []byte) {
		t.Helper()
		p.try(t, in, Send, Exit(xdpExitSEND_ANSWER))
	}
	disabled := func(in []byte) {
		t.Helper()
		p.try(t, in, Pass, Exit(xdpExitPASS_DISABLED))
	}
	// More permissions: the old ones stay.
	more := Clients{Ask: prefixes("198.51.100.0/24", "2001:db8:1::/48")}
	fail(more, false)
	answered(fours)
	p.try(t, sixes, Pass, Exit(xdpExitPASS_CLIENT))
	// Less: none.
	for _, less := range []Clients{
		{Ask: prefixes("198.51.100.128/25", "2001:db8:1::/48")},
		{Ask: prefixes("198.51.100.0/24"), Deny: prefixes("198.51.100.2/32")},
		{Ask: prefixes("2001:db8:1::/48")},
	} {
		fail(less, true)
		disabled(fours)
		if err := p.EnableAnswers(true); err != nil { // as each reload does
			t.Fatal(err)
		}
		disabled(fours)
		if err := p.RetryClients(); err != nil || p.ClientTable().Withheld {
			t.Fatalf("again: %v: %+v", err, p.ClientTable())
		}
		if err := p.RetryClients(); err != nil {
			t.Fatal(err)
		}
		if err := p.SetClients(before); err != nil {
			t.Fatal(err)
		}
		answered(fours)
	}
	// A retry that has been prepared when a newer change is applied.
	fail(Clients{Ask: prefixes("192.0.2.0/24")}, true)
	late, err := p.prepareRetry()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.SetClients(before), late.Apply()); err != nil {
		t.Fatal(err)
	}
	answered(fours)
	if got := p.ClientTable(); got.Prefixes != 2 || got.Withheld {
		t.Errorf("a retry after a newer change: %+v", got)
	}
	// A change that takes the withdrawal back.
	fail(Clients{Ask: prefixes("192.0.2.0/24")}, true)
	disabled(fours)
	if err := p.SetClients(more); err != nil {
		t.Fatal(err)
	}
	answered(fours)
	answered(sixes)
}

// A change that is prepared changes nothing until it is applied, and nothing at all if it is not.
func TestRootClientsPrepared(t *testing.T) {
	p := load(t, Options{Entries: 16})
	p.publish(t, addressA(p.now()))
	fours := frame(client4, server4, query("www.example.", wire.TypeA, 0, 0, false))
	before := Clients{Ask: prefixes("198.51.100.0/24")}
	if err := p.SetClients(before); err != nil {
		t.Fatal(err)
	}
	for _, after := range []Clients{before, {}, {Ask: prefixes("198.51.100.128/25", "192.0.2.0/24")}} {
		for _, apply := range []bool{false, true} {
			change, err := p.PrepareClients(after)
			if err != nil {
				t.Fatal(err)
			}
			p.try(t, fours, Send, Exit(xdpExitSEND_ANSWER))
			if got := p.ClientTable(); got != (ClientTable{Prefixes: 1}) {
				t.Errorf("prepared: %+v", got)
			}
			if !apply {
				change.Discard()
				continue
			}
			if err := change.Apply(); err != nil {
				t.Fatal(err)
			}
			if got, want := p.ClientTable(), (ClientTable{Prefixes: len(after.Ask)}); got != want {
				t.Errorf("applied: %+v, want %+v", got, want)
			}
			if len(after.Ask) != 1 {
				p.try(t, fours, Pass, Exit(xdpExitPASS_CLIENT))
			}
			if err := p.SetClients(before); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// BenchmarkSetClients fills a table as large as the configuration allows.
func BenchmarkSetClients(b *testing.B) {
	p := load(b, Options{})
	var list []netip.Prefix
	for i := range 1 << 20 {
		list = append(list, netip.PrefixFrom(netip.AddrFrom4([4]byte{10 + byte(i>>20), byte(i >> 12), byte(i >> 4), byte(i << 4)}), 32))
	}
	for b.Loop() {
		if err := p.SetClients(Clients{Ask: list}); err != nil {
			b.Fatal(err)
		}
		if err := p.SetClients(Clients{}); err != nil {
			b.Fatal(err)
		}
	}
}
