package ebpf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

func TestRootAnswerOctets(t *testing.T) {
	p := load(t, Options{Entries: 16})
	a := addressA(p.now())
	a.AD = true
	p.publish(t, a)
	a.DO = true
	p.publish(t, a)
	for _, c := range []struct {
		name  string
		query []byte
		flags uint16
	}{
		{"plain", query("wWw.eXample.", wire.TypeA, 0, 0, false), 0x8180},
		{"EDNS", query("www.example.", wire.TypeA, 0, 4096, false), 0x8180},
		{"EDNS with DO", query("www.EXAMPLE.", wire.TypeA, 0, 512, true), 0x81a0},
		{"AD", query("www.example.", wire.TypeA, wire.FlagAD, 100, false), 0x81a0},
		{"bits without meaning", query("www.example.", wire.TypeA, wire.FlagTC|wire.FlagAA|wire.FlagRA|1<<6|5, 0, false), 0x8180},
	} {
		for _, in := range [][]byte{frame(client4, server4, c.query), frame(client6, server6, c.query), frame(client6, server6, c.query, 0x8100)} {
			got, now := p.answer(t, in)
			var q wire.Query
			if q.Parse(c.query) != wire.QueryOK {
				t.Fatal("bad query")
			}
			want := append(bytes.Clone(c.query[:q.End]), a.Records...)
			wire.SetFlags(want, c.flags)
			wire.SetCount(want, wire.Answer, 1)
			wire.SetCount(want, wire.Additional, 0)
			binary.BigEndian.PutUint32(want[q.End+6:], 200-(now-a.Stored))
			if q.EDNS {
				want = wire.AppendOPT(want, wire.OPT{UDPSize: 1232, DO: q.DO})
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s:\n got %x\nwant %x", c.name, got, want)
			}
		}
	}
}

// Records of every length, in the entry and beside it.
func TestRootAnswerLengths(t *testing.T) {
	p := load(t, Options{Entries: 1024})
	if err := p.SetPayload(1400); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := 0; n <= MaxRecords+1; n++ {
		if n > 0 && n < 11 {
			continue
		}
		a := addressA(p.now())
		a.Name = dnametest.Name(fmt.Sprintf("%0*d.example.", 1+n%50, n))
		a.Records = make([]byte, n)
		for i := range a.Records {
			a.Records[i] = byte(rnd.Uint32())
		}
		a.TTLs = nil
		for off := 6; off+4 <= n && len(a.TTLs) < maxTTLs; off += 16 {
			a.TTLs = append(a.TTLs, uint16(off))
		}
		if len(a.Name) > MaxName || n > MaxRecords {
			if a.Fits() {
				t.Fatalf("name of %d and records of %d octets fit", len(a.Name), n)
			}
			continue
		}
		p.publish(t, a)
		q := wire.AppendQuery(nil, 7, 0, a.Name, wire.TypeA, wire.ClassIN)
		end := len(q)
		q = wire.AppendOPT(q, wire.OPT{UDPSize: 1400})
		in := frame(client6, server6, q)
		got, now := p.answer(t, in)
		want := bytes.Clone(a.Records)
		for _, off := range a.TTLs {
			ttl := binary.BigEndian.Uint32(want[off:])
			binary.BigEndian.PutUint32(want[off:], ttl-min(ttl, now-a.Stored))
		}
		if len(got) != end+n+wire.OPTLen || !bytes.Equal(got[end:end+n], want) {
			t.Fatalf("%d octets:\n got %x\nwant %x", n, got[end:], want)
		}
	}
}

// The kernel's coarse clock lags: an answer may have been stored in a second that it has not reached. It is new then.
func TestRootAnswerOfTheNextSecond(t *testing.T) {
	p := load(t, Options{Entries: 16})
	q := query("www.example.", wire.TypeA, 0, 0, false)
	in := frame(client4, server4, q)
	for range 20 {
		a := addressA(p.now())
		a.Stored = p.now() + 1
		p.publish(t, a)
		got, now := p.answer(t, in)
		if now >= a.Stored {
			continue // it has reached it
		}
		if ttl := binary.BigEndian.Uint32(got[len(q)+6:]); ttl != 200 {
			t.Errorf("TTL %d, want all 200", ttl)
		}
		return
	}
	t.Error("a second began in each of 20 runs")
}

// What decides whether an answer is given, one thing at a time.
func TestRootAnswerLife(t *testing.T) {
	p := load(t, Options{Entries: 16})
	in := frame(client4, server4, query("www.example.", wire.TypeA, 0, 0, false))
	now := p.now()
	p.publish(t, addressA(now))
	p.try(t, in, Send, Exit(xdpExitSEND_ANSWER))

	old := addressA(now)
	old.Expires = now
	p.publish(t, old)
	p.try(t, in, Pass, Exit(xdpExitPASS_EXPIRED))

	p.publish(t, addressA(now))
	before := p.Generation()
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	p.try(t, in, Pass, Exit(xdpExitPASS_FLUSHED))
	if _, err := p.Publish(before, now, []Answer{addressA(now)}); err != nil {
		t.Fatal(err)
	}
	p.try(t, in, Pass, Exit(xdpExitPASS_FLUSHED)) // looked up before the flush
	p.publish(t, addressA(now))
	p.try(t, in, Send, Exit(xdpExitSEND_ANSWER))

	if err := p.EnableAnswers(false); err != nil {
		t.Fatal(err)
	}
	p.try(t, in, Pass, Exit(xdpExitPASS_DISABLED))
	if err := p.EnableAnswers(true); err != nil {
		t.Fatal(err)
	}
	a := addressA(now)
	p.table.clear(p.table.find(uint64(p.Key(&a))))
	p.try(t, in, Pass, Exit(xdpExitPASS_MISS))

	a.Open = true
	p.publish(t, a)
	if out := p.try(t, in, Send, Exit(xdpExitSEND_ANSWER)); wire.Flags(out[42:])&wire.FlagRA == 0 {
		t.Error("no RA for a client that may ask")
	}
	if err := p.SetClients(Clients{}); err != nil {
		t.Fatal(err)
	}
	if out := p.try(t, in, Send, Exit(xdpExitSEND_ANSWER)); wire.Flags(out[42:])&wire.FlagRA != 0 {
		t.Error("RA for a client that may not ask")
	}
	p.publish(t, addressA(now))
	p.try(t, in, Pass, Exit(xdpExitPASS_CLIENT))
}

func TestRootRefresh(t *testing.T) {
	p := load(t, Options{Entries: 16})
	in := frame(client4, server4, query("www.example.", wire.TypeA, 0, 0, false))
	a := addressA(p.now())
	a.Refresh = p.now()
	p.publish(t, a)
	before, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if _, _, err := p.Try(in); err != nil {
			t.Fatal(err)
		}
	}
	s, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	passed, sent := s[xdpExitPASS_REFRESH]-before[xdpExitPASS_REFRESH], s[xdpExitSEND_ANSWER]-before[xdpExitSEND_ANSWER]
	if passed == 0 || passed > 100 || passed+sent != 1000 {
		t.Errorf("%d passed, %d answered: want one a second passed", passed, sent)
	}
}

// A response that would have to be truncated is the shards' business.
func TestRootPayload(t *testing.T) {
	p := load(t, Options{Entries: 16})
	a := addressA(p.now())
	a.Records = bytes.Repeat([]byte{1}, 480)
	p.publish(t, a)
	len0 := 12 + len(a.Name) + 4
	for _, c := range []struct {
		records int
		size    uint16
		exit    xdpExit
	}{
		{512 - len0, 0, xdpExitSEND_ANSWER},
		{513 - len0, 0, xdpExitPASS_SIZE},
		{512 - len0 - 11, 300, xdpExitSEND_ANSWER},
		{513 - len0 - 11, 300, xdpExitPASS_SIZE},
		{513 - len0 - 11, 513, xdpExitSEND_ANSWER},
		{512, 540, xdpExitPASS_SIZE},
		{512, 9999, xdpExitSEND_ANSWER},
	} {
		a.Records = bytes.Repeat([]byte{1}, c.records)
		p.publish(t, a)
		v := Pass
		if c.exit == xdpExitSEND_ANSWER {
			v = Send
		}
		p.try(t, frame(client4, server4, query("www.example.", wire.TypeA, 0, c.size, false)), v, Exit(c.exit))
	}
	if err := p.SetPayload(512); err != nil {
		t.Fatal(err)
	}
	p.try(t, frame(client4, server4, query("www.example.", wire.TypeA, 0, 9999, false)), Pass, Exit(xdpExitPASS_SIZE))
}

// More answers than there is room for: the idle ones go, the used ones stay.
func TestRootFull(t *testing.T) {
	const room = 256
	p := load(t, Options{Entries: room})
	now := p.now()
	list := make([]Answer, 2*room)
	for i := range list {
		list[i] = addressA(now)
		list[i].Name = dnametest.Name(fmt.Sprintf("n%d.example.", i))
		if i%2 == 0 {
			list[i].Records = bytes.Repeat([]byte{1}, 300) // beside
		}
	}
	n, err := p.Publish(1, now, list[:room])
	if err != nil || n != room || p.Answers() != room {
		t.Fatalf("published %d, holds %d, want %d: %v", n, p.Answers(), room, err)
	}
	if n, err := p.Publish(1, now, list[room:]); err != nil || n != 0 {
		t.Errorf("published %d while all are in use: %v", n, err)
	}
	for i := range room / 2 {
		p.table.slots[p.table.find(uint64(p.Key(&list[i])))].Used = now + 10
	}
	if n, err := p.Publish(1, now+10, list[room:room+room/4]); err != nil || n != room/4 || p.Answers() != room {
		t.Errorf("published %d, holds %d: %v", n, p.Answers(), err)
	}
	for i := range room / 2 {
		if p.table.find(uint64(p.Key(&list[i]))) < 0 {
			t.Errorf("used answer %d is gone", i)
		}
	}
	// Bodies go with their answers.
	bodies, entries := 0, 0
	var number uint64
	var b xdpBody
	for it := p.objs.Bodies.Iterate(); it.Next(&number, &b); {
		bodies++
	}
	for i := range p.table.slots {
		if e := &p.table.slots[i]; e.Serial != 0 && e.Marks&markBeside != 0 {
			entries++
		}
	}
	if bodies != entries {
		t.Errorf("%d bodies of %d answers", bodies, entries)
	}
}

// Octets of two versions of an answer are never mixed, however often it is replaced.
func TestRootReplaced(t *testing.T) {
	for _, barriers := range []bool{false, true} {
		t.Run(fmt.Sprintf("barriers=%v", barriers), func(t *testing.T) { replace(t, load(t, Options{Entries: 16, barriers: barriers})) })
	}
}

func replace(t *testing.T, p *tier0) {
	var versions [2]Answer
	for i := range versions {
		versions[i] = addressA(p.now())
		versions[i].Records = bytes.Repeat([]byte{byte(1 + i)}, 48)
		versions[i].TTLs = nil
		p.publish(t, versions[i])
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				p.Publish(1, p.now(), versions[n%2:n%2+1])
			}
		}
	}()
	in := frame(client4, server4, query("www.example.", wire.TypeA, 0, 0, false))
	seen := map[byte]int{}
	for range 30_000 {
		v, out, err := p.Try(in)
		if err != nil {
			t.Fatal(err)
		}
		if v == Send {
			got := out[len(in):]
			if !bytes.Equal(got, bytes.Repeat(got[:1], 48)) {
				t.Fatalf("a mixture: %x", got)
			}
			seen[got[0]]++
		}
	}
	close(stop)
	<-stopped
	if len(seen) != 2 {
		t.Errorf("saw %v", seen)
	}
}

func TestRootClients(t *testing.T) {
	p := load(t, Options{Entries: 16})
	p.publish(t, addressA(p.now()))
	pre := netip.MustParsePrefix
	err := p.SetClients(Clients{
		Ask:  []netip.Prefix{pre("198.51.0.0/16"), pre("203.0.113.0/24"), pre("2001:db8::/32"), pre("::/8")},
		Deny: []netip.Prefix{pre("198.51.100.128/25"), pre("::ffff:203.0.113.7/128"), pre("2001:db8:1:2::/64")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		client string
		v      Verdict
		exit   xdpExit
	}{
		{"198.51.100.2", Send, xdpExitSEND_ANSWER},
		{"198.51.100.127", Send, xdpExitSEND_ANSWER},
		{"198.51.100.128", Drop, xdpExitDROP_DENIED},
		{"198.52.100.128", Pass, xdpExitPASS_CLIENT},
		{"203.0.113.7", Drop, xdpExitDROP_DENIED},
		{"203.0.113.8", Send, xdpExitSEND_ANSWER},
		{"10.0.0.1", Pass, xdpExitPASS_CLIENT},
		{"2001:db8:1::2", Send, xdpExitSEND_ANSWER},
		{"2001:db8:1:2::2", Drop, xdpExitDROP_DENIED},
		{"2001:db9::2", Pass, xdpExitPASS_CLIENT},
	} {
		t.Run(c.client, func(t *testing.T) {
			from, to := netip.AddrPortFrom(netip.MustParseAddr(c.client), 4000), server4
			if from.Addr().Is6() {
				to = server6
			}
			p.try(t, frame(from, to, query("www.example.", wire.TypeA, 0, 0, false)), c.v, Exit(c.exit))
		})
	}
}
