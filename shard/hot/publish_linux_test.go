package hot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/local"
	"heimdall/core/policy"
	"heimdall/core/wire"
	"heimdall/core/zone"
	"heimdall/ebpf"
)

// tiers are tier 0 and tier 1 over the same cache.
type tiers struct {
	epoch   time.Time
	engine  *core.Engine
	program *ebpf.Program
	visitor visitor
}

func newTiers(t testing.TB, payload uint16) *tiers {
	t.Helper()
	ti := &tiers{epoch: time.Now().Add(-time.Hour)}
	var err error
	if ti.program, err = ebpf.Load(ebpf.Options{Epoch: ti.epoch, Seed: ebpf.Seed{5}, Entries: 4096}); err != nil {
		if errors.Is(err, ebpf.ErrNotSupported) && !errors.As(err, new(*ebpf.Rejection)) {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { ti.program.Close() })
	all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	err = errors.Join(
		ti.program.SetEndpoints([]netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}),
		ti.program.SetClients(ebpf.Clients{Ask: all}), ti.program.SetPayload(payload))
	if err != nil {
		t.Fatal(err)
	}
	answers, err := cache.NewAnswers(cache.AnswersOptions{Memory: make([]byte, 8<<20), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	ti.engine = core.New(core.Options{
		Rules:   core.Rules{ACL: policy.NewACL(all), Local: local.NewTable(local.Options{}), UDPPayload: payload, Recursion: true},
		Answers: answers, Queue: policy.NewFairQueue(policy.FairOptions{InFlight: 1, Parked: 1, Share: 100, IPv4Bits: 24, IPv6Bits: 56}), Waiters: 1,
	})
	return ti
}

func (ti *tiers) now() int64 { return int64(time.Since(ti.epoch)) + 1 }

// coarse is now by the program's clock, which is the kernel's coarse one: it lags by up to a tick.
func (ti *tiers) coarse() int64 {
	var coarse, fine unix.Timespec
	if err := errors.Join(unix.ClockGettime(unix.CLOCK_MONOTONIC_COARSE, &coarse), unix.ClockGettime(unix.CLOCK_MONOTONIC, &fine)); err != nil {
		panic(err)
	}
	return ti.now() - (fine.Nano() - coarse.Nano())
}

// put caches a random response, of some age, to a question.
func (ti *tiers) put(rnd *rand.Rand, k *cache.Key, m cache.Meta) bool {
	var b wire.Builder
	b.Reset(make([]byte, 4096), 4096)
	flags := wire.FlagQR | wire.FlagAA*uint16(rnd.IntN(2))
	owner, ttl := k.Name, func() uint32 { return 600 + rnd.Uint32N(5000) }
	zone := owner.Suffix(min(owner.Labels(), 1))
	negative := rnd.IntN(4)
	if negative == 0 {
		flags |= uint16(wire.RcodeNXDomain)
	}
	b.Header(1, flags)
	b.Question(k.Name, k.Type, k.Class)
	for rnd.IntN(4) == 0 && len(owner) < 100 {
		target := append(dname.Name{5, 'a', 'l', 'i', byte('a' + rnd.IntN(26)), 's'}, zone...)
		b.RR(wire.Answer, owner, wire.TypeCNAME, wire.ClassIN, ttl(), target)
		owner = target
	}
	if negative < 2 {
		soa := append(bytes.Clone(zone), zone...)
		soa = append(soa, make([]byte, 16)...)
		b.RR(wire.Authority, zone, wire.TypeSOA, wire.ClassIN, ttl(), binary.BigEndian.AppendUint32(soa, ttl()))
	} else {
		for range 1 + rnd.IntN(1+rnd.IntN(20)) {
			size := 4
			if k.Type == wire.TypeAAAA {
				size = 16
			}
			rdata := make([]byte, size)
			if k.Type == wire.TypeTXT {
				rdata = make([]byte, 2+rnd.IntN(90))
				rdata[0] = byte(len(rdata) - 1)
			}
			for i := range rdata {
				if i > 0 || k.Type != wire.TypeTXT {
					rdata[i] = byte(rnd.Uint32())
				}
			}
			b.RR(wire.Answer, owner, k.Type, wire.ClassIN, ttl(), rdata)
		}
		if rnd.IntN(3) == 0 {
			b.RR(wire.Authority, zone, wire.TypeNS, wire.ClassIN, ttl(), append(dname.Name{2, 'n', 's'}, zone...))
			b.RR(wire.Additional, append(dname.Name{2, 'n', 's'}, zone...), wire.TypeA, wire.ClassIN, ttl(), []byte{1, 2, 3, 4})
		}
	}
	a := ti.engine.Answers()
	return a.Put(a.Hash(k), k, b.Finish(), m, uint32(ti.now()/1e9)-rnd.Uint32N(50)) == cache.Stored
}

// handle is what tier 1 makes of a query.
func (ti *tiers) handle(msg []byte) []byte { return ti.handleAt(ti.now(), msg) }

func (ti *tiers) handleAt(now int64, msg []byte) []byte {
	req := []core.Request{{Msg: msg, Client: netip.MustParseAddr("::ffff:198.51.100.2").As16(), Buf: make([]byte, 0, 4096)}}
	ti.engine.Handle(now, req)
	return req[0].Response
}

// try is what tier 0 makes of it; nil: it passes the query.
func (ti *tiers) try(t *testing.T, msg []byte) []byte {
	t.Helper()
	size := uint16(8 + len(msg))
	f := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 198, 51, 100, 2, 192, 0, 2, 1, 0x20, 0, 0, 53, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(f[16:], 20+size)
	binary.BigEndian.PutUint16(f[38:], size)
	v, out, err := ti.program.Try(append(f, msg...))
	if err != nil || v == ebpf.Drop {
		t.Fatalf("verdict %d: %v", v, err)
	}
	if v == ebpf.Pass {
		return nil
	}
	return out[len(f):]
}

// publish has the visitor look up what is asked and publishes it.
func (ti *tiers) publish(t *testing.T) int {
	t.Helper()
	v := &ti.visitor
	v.found, v.octets = v.found[:0], v.octets[:0]
	v.lookUp(ti.engine, uint32(ti.now()/1e9))
	v.prepare(0, func(*ebpf.Answer) bool { return false })
	n, err := ti.program.Publish(ti.program.Generation(), v.now, v.list)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What tier 0 answers is octet for octet what tier 1 answers, and it answers all that it can.
func TestRootTiersAgree(t *testing.T) {
	for _, payload := range []uint16{1232, 512, 700} {
		t.Run(fmt.Sprint(payload), func(t *testing.T) { testTiers(t, newTiers(t, payload)) })
	}
}

func testTiers(t *testing.T, ti *tiers) {
	rnd := rand.New(rand.NewPCG(7, uint64(ti.engine.UDPPayload)))
	types := []wire.Type{wire.TypeA, wire.TypeAAAA, wire.TypeTXT, wire.TypeA}
	var keys []cache.Key
	for i := range 1500 {
		text := fmt.Sprintf("n%d.%.*s.test%d.", i, rnd.IntN(50), "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", i%7)
		name, err := dname.ParseText(nil, text)
		if err != nil {
			continue // an empty label
		}
		k := cache.Key{Name: name, Type: types[rnd.IntN(4)], Class: wire.ClassIN, DO: rnd.IntN(2) == 0, CD: rnd.IntN(4) == 0}
		if ti.put(rnd, &k, cache.Meta{AD: rnd.IntN(2) == 0}) {
			keys = append(keys, k)
		}
	}
	published := 0
	for batch := range slices.Chunk(keys, 100) {
		v := &ti.visitor
		v.asked = v.asked[:0]
		for i := range batch {
			k := &batch[i]
			if len(k.Name) <= ebpf.MaxName {
				v.asked = append(v.asked, ebpf.Question{Name: k.Name, Type: uint16(k.Type), DO: k.DO, CD: k.CD})
			}
		}
		published += ti.publish(t)
	}
	if published < len(keys)/2 {
		t.Fatalf("published %d of %d", published, len(keys))
	}
	answered, possible := 0, 0
	for range 20000 {
		k := &keys[rnd.IntN(len(keys))]
		qname := bytes.Clone(k.Name)
		for i, c := range qname {
			if 'a' <= c && c <= 'z' && rnd.IntN(2) == 0 {
				qname[i] = c - 'a' + 'A'
			}
		}
		flags := uint16(rnd.Uint32()) & (wire.FlagRD | wire.FlagAD | wire.FlagTC | wire.FlagAA | wire.FlagRA | wire.RcodeMask | 1<<6)
		if k.CD {
			flags |= wire.FlagCD
		}
		q := wire.AppendQuery(nil, uint16(rnd.Uint32()), flags, qname, k.Type, wire.ClassIN)
		if k.DO || rnd.IntN(2) == 0 {
			q = wire.AppendOPT(q, wire.OPT{UDPSize: uint16(rnd.Uint32N(2000)), DO: k.DO})
			if rnd.IntN(8) == 0 {
				q = wire.AppendOption(q, wire.OptionPadding, make([]byte, rnd.IntN(9)))
			}
		}
		before := ti.handleAt(ti.coarse(), q)
		got := ti.try(t, q)
		after := ti.handle(q)
		if wire.Flags(before)&wire.FlagTC == 0 && len(k.Name) <= ebpf.MaxName {
			possible++
		}
		if got == nil {
			continue
		}
		answered++
		// A second may have begun meanwhile.
		if !bytes.Equal(got, before) && !bytes.Equal(got, after) {
			t.Fatalf("query %x:\ntier 0 %x\ntier 1 %x", q, got, before)
		}
	}
	if answered < possible*7/10 {
		t.Errorf("tier 0 answered %d of %d", answered, possible)
	}
	t.Logf("%d published of %d; %d answered in the kernel of %d that fit", published, len(keys), answered, possible)
}

// Answers out of zones: names that are asked for become hot, are the same octets, and tell RA to those who may
// use recursion.
func TestRootTiersAgreeOnZones(t *testing.T) {
	ti := newTiers(t, 1232)
	b := zone.NewBuilder(dnametest.Name("example."), zone.Options{})
	add := func(owner string, typ wire.Type, rdata []byte) {
		t.Helper()
		if err := b.Add(dnametest.Name(owner), typ, wire.ClassIN, 300, rdata); err != nil {
			t.Fatal(err)
		}
	}
	soa := append(dnametest.Name("ns.example."), dnametest.Name("host.example.")...)
	add("example.", wire.TypeSOA, append(soa, make([]byte, 20)...))
	add("example.", wire.TypeNS, dnametest.Name("ns.example."))
	add("example.", wire.TypeMX, append([]byte{0, 10}, dnametest.Name("a1.example.")...))
	add("ns.example.", wire.TypeA, []byte{192, 0, 2, 1})
	add("*.wild.example.", wire.TypeTXT, []byte("\x03abc"))
	add("alias.example.", wire.TypeCNAME, dnametest.Name("a2.example."))
	for i := range 50 {
		for k := range 1 + i%40 {
			add(fmt.Sprintf("a%d.example.", i), wire.TypeA, []byte{10, 0, byte(i), byte(k)})
		}
	}
	z, problems := b.Finish(func(size int) ([]byte, error) { return make([]byte, size), nil })
	if z == nil {
		t.Fatal(problems)
	}
	ti.engine.Zones = zone.NewSet([]*zone.Zone{z})
	if err := ti.program.SetMinHits(1); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(8, 9))
	answered := 0
	for range 20000 {
		text := []string{fmt.Sprintf("a%d.example.", rnd.IntN(60)), "example.", "alias.Example.", fmt.Sprintf("x%d.wild.example.", rnd.IntN(9)), "ns.example."}[rnd.IntN(5)]
		typ := []wire.Type{wire.TypeA, wire.TypeA, wire.TypeMX, wire.TypeNS, wire.TypeTXT, wire.TypeSOA}[rnd.IntN(6)]
		q := wire.AppendQuery(nil, uint16(rnd.Uint32()), uint16(rnd.Uint32())&(wire.FlagRD|wire.FlagCD|wire.FlagAD), dnametest.Name(text), typ, wire.ClassIN)
		if rnd.IntN(2) == 0 {
			q = wire.AppendOPT(q, wire.OPT{UDPSize: uint16(rnd.Uint32N(2000)), DO: rnd.IntN(2) == 0})
		}
		want, got := ti.handle(q), ti.try(t, q)
		if got != nil {
			if answered++; !bytes.Equal(got, want) {
				t.Fatalf("query %x:\ntier 0 %x\ntier 1 %x", q, got, want)
			}
			continue
		}
		var err error
		if ti.visitor.asked, ti.visitor.names, err = ti.program.Nominees(ti.visitor.asked[:0], ti.visitor.names, 10); err != nil {
			t.Fatal(err)
		}
		ti.publish(t)
	}
	if answered < 10000 {
		t.Errorf("tier 0 answered %d of 20000", answered)
	}
}

func TestMinHits(t *testing.T) {
	for _, c := range []struct {
		configured, room int
		hurried          bool
		want             int
	}{
		{4, 1000, false, 1}, {4, 251, false, 1}, {4, 250, false, 4}, {4, 0, false, 4}, {65535, 0, false, 65535},
		{4, 1000, true, 2}, {4, 251, true, 2}, {4, 250, true, 4}, {1, 1000, true, 1}, {1, 0, true, 1},
	} {
		if got := minHits(c.configured, c.room, 1000, c.hurried); int(got) != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
