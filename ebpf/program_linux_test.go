package ebpf

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// tier0 is a program under test and the zero of its clock.
type tier0 struct {
	*Program
	epoch uint64
}

// now is the second on the program's clock, which is the kernel's coarse one: others are ahead of it.
func (p *tier0) now() uint32 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC_COARSE, &now); err != nil {
		panic(err)
	}
	return uint32((uint64(now.Nano()) - p.epoch) / 1e9)
}

func load(tb testing.TB, o Options) *tier0 { return loadBy(tb, Load, o) }

func loadBy(tb testing.TB, load func(Options) (*Program, error), o Options) *tier0 {
	o.Epoch = time.Now().Add(-1000 * time.Second)
	p, err := load(o)
	if err != nil {
		skipIfUnsupported(tb, err)
		tb.Fatal(err)
	}
	tb.Cleanup(func() { p.Close() })
	if err := p.SetEndpoints([]netip.AddrPort{netip.MustParseAddrPort("192.0.2.9:54"), server4, server6}); err != nil {
		tb.Fatal(err)
	}
	all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	if err := p.SetClients(Clients{Ask: all}); err != nil {
		tb.Fatal(err)
	}
	var epoch uint64
	if err := p.objs.Epoch.Get(&epoch); err != nil {
		tb.Fatal(err)
	}
	return &tier0{p, epoch}
}

// try runs the program on a frame and checks verdict and counters: one more of the exit, and nothing else. It
// returns what comes out.
func (p *tier0) try(t *testing.T, in []byte, v Verdict, exit Exit) []byte {
	t.Helper()
	before, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	got, out, err := p.Try(in)
	if err != nil {
		t.Fatal(err)
	}
	after, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	before[exit]++
	if got != v || after != before {
		for e := range after {
			if n := after[e] - before[e]; n != 0 {
				t.Errorf("counter %v is off by %d", Exit(e), int64(n))
			}
		}
		t.Fatalf("verdict %d, want %d for %v", got, v, exit)
	}
	if v != Send && !bytes.Equal(out, in) {
		t.Errorf("the packet was changed:\n%x\n%x", in, out)
	}
	return out
}

// answer runs the program on a frame that it answers, and returns the response and the second that it is of: when
// a second begins meanwhile, it runs again.
func (p *tier0) answer(t *testing.T, in []byte) (response []byte, now uint32) {
	t.Helper()
	for range 20 {
		now = p.now()
		response = checkFrame(t, in, p.try(t, in, Send, Exit(xdpExitSEND_ANSWER)))
		if p.now() == now {
			return response, now
		}
	}
	t.Fatal("a second began in each of 20 runs")
	return nil, 0
}

// addressA is an answer with one A record.
func addressA(now uint32) Answer {
	return Answer{
		Name: dnametest.Name("www.example."), Type: uint16(wire.TypeA), Flags: wire.FlagQR, Counts: [3]uint16{1, 0, 0},
		Records: []byte{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 200, 0, 4, 192, 0, 2, 7}, TTLs: []uint16{6}, Stored: now - 50, Expires: now + 150,
	}
}

func (p *tier0) publish(t *testing.T, list ...Answer) {
	t.Helper()
	if n, err := p.Publish(p.Generation(), p.now(), list); err != nil || n != len(list) {
		t.Fatalf("published %d of %d: %v", n, len(list), err)
	}
}

// Each case changes one thing about a packet that is answered.
func TestRootExits(t *testing.T) {
	const ip, udp, dns = 14, 34, 42
	p := load(t, Options{Entries: 16})
	p.publish(t, addressA(p.now()))
	put16 := func(at int, v uint16) func([]byte) []byte {
		return func(b []byte) []byte { binary.BigEndian.PutUint16(b[at:], v); return b }
	}
	or := func(at int, v byte) func([]byte) []byte { return func(b []byte) []byte { b[at] |= v; return b } }
	set := func(at int, v byte) func([]byte) []byte { return func(b []byte) []byte { b[at] = v; return b } }
	base := query("wwW.example.", wire.TypeA, 0, 0, false)
	opt := query("wwW.example.", wire.TypeA, 0, 1232, false)
	plain := func() []byte { return frame(client4, server4, bytes.Clone(base)) }
	plain6 := func() []byte { return frame(client6, server6, bytes.Clone(base)) }
	edns := func() []byte { return frame(client4, server4, bytes.Clone(opt)) }
	// with makes the payload anew, so that the lengths are right.
	with := func(f func(q []byte) []byte) func([]byte) []byte {
		return func([]byte) []byte { return frame(client4, server4, f(bytes.Clone(base))) }
	}
	none := func(b []byte) []byte { return b }
	optAt := dns + len(base)
	for _, c := range []struct {
		name   string
		from   func() []byte
		change func([]byte) []byte
		v      Verdict
		exit   Exit
	}{
		{"answered", plain, none, Send, Exit(xdpExitSEND_ANSWER)},
		{"answered over IPv6", plain6, none, Send, Exit(xdpExitSEND_ANSWER)},
		{"answered with EDNS", edns, none, Send, Exit(xdpExitSEND_ANSWER)},
		{"padded to the least frame", plain, func(b []byte) []byte { return append(b, 0, 0, 0) }, Send, Exit(xdpExitSEND_ANSWER)},
		{"VLAN", func() []byte { return frame(client4, server4, base, 0x8100) }, none, Send, Exit(xdpExitSEND_ANSWER)},
		{"QinQ", func() []byte { return frame(client6, server6, base, 0x88a8, 0x8100) }, none, Send, Exit(xdpExitSEND_ANSWER)},
		{"three tags", func() []byte { return frame(client4, server4, base, 0x88a8, 0x8100, 0x8100) }, none, Pass, Exit(xdpExitPASS_NOT_IP)},
		{"tag cut off", plain, func(b []byte) []byte { return append(b[:12], 0x81, 0, 0) }, Pass, Exit(xdpExitPASS_FRAME)},
		{"broadcast", plain, set(0, 0xff), Pass, Exit(xdpExitPASS_GROUP)},
		{"ARP", plain, put16(12, 0x0806), Pass, Exit(xdpExitPASS_NOT_IP)},
		{"IP header cut off", plain, func(b []byte) []byte { return b[:ip+19] }, Pass, Exit(xdpExitPASS_FRAME)},
		{"IP options", plain, set(ip, 0x46), Pass, Exit(xdpExitPASS_IP_OPTIONS)},
		{"TCP", plain, set(ip+9, 6), Pass, Exit(xdpExitPASS_NOT_UDP)},
		{"first fragment", plain, or(ip+6, 0x20), Pass, Exit(xdpExitPASS_FRAGMENT)},
		{"last fragment", plain, or(ip+7, 1), Pass, Exit(xdpExitPASS_FRAGMENT)},
		{"do not fragment", plain, or(ip+6, 0x40), Send, Exit(xdpExitSEND_ANSWER)},
		{"other address", plain, set(ip+19, 2), Pass, Exit(xdpExitPASS_NOT_OURS)},
		{"other port", plain, put16(udp+2, 54), Pass, Exit(xdpExitPASS_NOT_OURS)},
		{"from port 0", plain, put16(udp, 0), Pass, Exit(xdpExitPASS_SOURCE)},
		{"from loopback", plain, set(ip+12, 127), Pass, Exit(xdpExitPASS_SOURCE)},
		{"from multicast", plain, set(ip+12, 224), Pass, Exit(xdpExitPASS_SOURCE)},
		{"from nowhere", plain, set(ip+12, 0), Pass, Exit(xdpExitPASS_SOURCE)},
		{"UDP shorter than IP", plain, put16(udp+4, uint16(7+len(base))), Pass, Exit(xdpExitPASS_LENGTH)},
		{"IP longer than the frame", plain, func(b []byte) []byte { return b[:len(b)-1] }, Pass, Exit(xdpExitPASS_LENGTH)},
		{"IPv6 fragment", plain6, set(ip+6, 44), Pass, Exit(xdpExitPASS_EXTENSION)},
		{"ICMPv6", plain6, set(ip+6, 58), Pass, Exit(xdpExitPASS_NOT_UDP)},
		{"IPv6 in name only", plain6, set(ip, 0x45), Pass, Exit(xdpExitPASS_NOT_IP)},
		{"IPv6 from multicast", plain6, set(ip+8, 0xff), Pass, Exit(xdpExitPASS_SOURCE)},
		{"IPv6 without checksum", plain6, put16(ip+40+6, 0), Pass, Exit(xdpExitPASS_SOURCE)},
		{"IPv6 to another address", plain6, set(ip+39, 2), Pass, Exit(xdpExitPASS_NOT_OURS)},
		{"header cut off", plain, with(func(q []byte) []byte { return q[:11] }), Drop, Exit(xdpExitDROP_SHORT)},
		{"a response", plain, or(dns+2, 0x80), Drop, Exit(xdpExitDROP_RESPONSE)},
		{"NOTIFY", plain, or(dns+2, 4<<3), Pass, Exit(xdpExitPASS_OPCODE)},
		{"no question", plain, put16(dns+4, 0), Drop, Exit(xdpExitDROP_COUNTS)},
		{"two questions", plain, put16(dns+4, 2), Drop, Exit(xdpExitDROP_COUNTS)},
		{"an answer", plain, put16(dns+6, 1), Drop, Exit(xdpExitDROP_COUNTS)},
		{"an authority", plain, put16(dns+8, 1), Drop, Exit(xdpExitDROP_COUNTS)},
		{"pointer in the qname", plain, put16(dns+12, 0xc00c), Drop, Exit(xdpExitDROP_NAME)},
		{"label of 64 octets", plain, set(dns+12, 64), Drop, Exit(xdpExitDROP_NAME)},
		{"name without end", plain, with(func(q []byte) []byte { return q[:12+12] }), Drop, Exit(xdpExitDROP_NAME)},
		{"no qclass", plain, with(func(q []byte) []byte { return q[:len(q)-1] }), Drop, Exit(xdpExitDROP_NAME)},
		{"octets behind", plain, with(func(q []byte) []byte { return append(q, 0) }), Drop, Exit(xdpExitDROP_TRAILING)},
		{"OPT promised", plain, put16(dns+10, 1), Drop, Exit(xdpExitDROP_RECORD)},
		{"OPT cut off", plain, with(func([]byte) []byte { return opt[:len(opt)-1] }), Drop, Exit(xdpExitDROP_RECORD)},
		{"OPT too long", edns, put16(optAt+9, 1), Drop, Exit(xdpExitDROP_RECORD)},
		{"not an OPT", edns, put16(optAt+1, 250), Pass, Exit(xdpExitPASS_RECORDS)},
		{"OPT with an owner", edns, set(optAt, 1), Pass, Exit(xdpExitPASS_RECORDS)},
		{"two records", edns, put16(dns+10, 2), Pass, Exit(xdpExitPASS_RECORDS)},
		{"EDNS version 1", edns, set(optAt+6, 1), Pass, Exit(xdpExitPASS_VERSION)},
		{"an option", plain, with(func([]byte) []byte { return wire.AppendOption(bytes.Clone(opt), 3, nil) }), Pass, Exit(xdpExitPASS_OPTIONS)},
		{"class CHAOS", plain, put16(dns+len(base)-2, 3), Pass, Exit(xdpExitPASS_CLASS)},
		{"other type", plain, put16(dns+len(base)-4, 28), Pass, Exit(xdpExitPASS_MISS)},
		{"other name", plain, set(dns+13, 'x'), Pass, Exit(xdpExitPASS_MISS)},
		{"DO", edns, or(optAt+7, 0x80), Pass, Exit(xdpExitPASS_MISS)},
		{"CD", plain, or(dns+3, 0x10), Pass, Exit(xdpExitPASS_MISS)},
	} {
		t.Run(c.name, func(t *testing.T) { p.try(t, c.change(c.from()), c.v, c.exit) })
	}
}

// The longest names: what the Go parser takes is not dropped.
func TestRootLongNames(t *testing.T) {
	p := load(t, Options{Entries: 16})
	label := append([]byte{63}, bytes.Repeat([]byte("a"), 63)...)
	long := func(last int) []byte {
		q := append([]byte{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, bytes.Repeat(label, 3)...)
		q = append(append(q, byte(last)), bytes.Repeat([]byte("b"), last)...)
		return append(q, 0, 0, 1, 0, 1)
	}
	p.try(t, frame(client4, server4, long(61)), Pass, Exit(xdpExitPASS_LONG_NAME))
	p.try(t, frame(client4, server4, long(62)), Drop, Exit(xdpExitDROP_NAME))
	many := append([]byte{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, bytes.Repeat([]byte{1, 'x'}, 127)...)
	p.try(t, frame(client4, server4, append(many, 0, 0, 1, 0, 1)), Pass, Exit(xdpExitPASS_LONG_NAME))
	p.try(t, frame(client4, server4, append(many, 1, 'x', 0, 0, 1, 0, 1)), Drop, Exit(xdpExitDROP_NAME))
	p.try(t, frame(client6, server6, query(".", wire.TypeNS, 0, 1232, true)), Pass, Exit(xdpExitPASS_MISS))
}
