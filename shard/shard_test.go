package shard

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/core/dname"
	"heimdall/core/local"
	"heimdall/core/policy"
	"heimdall/core/resolver"
	"heimdall/netio"
	"heimdall/netio/netiotest"
	"heimdall/netio/tcp"
	"heimdall/shard/shardtest"
)

// rig is a shard with ports in memory, which forwards to a real server.
type rig struct {
	*Shard
	wires []*netiotest.Wire
	ports []*netiotest.Port
	ended chan error
}

func newRig(t *testing.T, ports int, edit func(*Options)) *rig {
	t.Helper()
	up := shardtest.NewUpstream(t, nil)
	r := &rig{ended: make(chan error, 1)}
	o := Options{Batch: 4, Waiters: 64, NewEngine: func(p core.Performer) (*core.Engine, error) {
		return newEngine(p, up.Addr)
	}}
	o.Outbound.Rand = rand.NewPCG(1, 2)
	for range ports {
		p, w, err := netiotest.New(512)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		r.ports, r.wires = append(r.ports, p), append(r.wires, w)
		o.Ports = append(o.Ports, p)
	}
	if edit != nil {
		edit(&o)
	}
	var err error
	if r.Shard, err = New(o, time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

func newEngine(p core.Performer, up netip.AddrPort) (*core.Engine, error) {
	answers, err := cache.NewAnswers(cache.AnswersOptions{Memory: make([]byte, 1<<20), Seed: 1, MaxTTL: 86400, MaxNegativeTTL: 3600})
	if err != nil {
		return nil, err
	}
	return core.New(core.Options{
		Rules: core.Rules{
			ACL:   policy.NewACL([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}),
			Local: local.NewTable(local.Options{SpecialNames: true}), UDPPayload: 1232, Recursion: true, RefusalsPerRound: 16,
		},
		Answers: answers,
		Resolver: resolver.New(resolver.Options{MaxTasks: 64, Groups: []resolver.Group{
			{Zone: dname.Name{0}, Kind: resolver.Forward, Servers: []netip.AddrPort{up}},
		}}, rand.NewPCG(3, 4)),
		Queue:     policy.NewFairQueue(policy.FairOptions{Seed: 1, InFlight: 64, Parked: 64, Share: 100, IPv4Bits: 32, IPv6Bits: 56}),
		Performer: p, Waiters: 64,
	}), nil
}

// run starts the shard. It is stopped when the test ends.
func (r *rig) run(t *testing.T) {
	t.Helper()
	go func() { r.ended <- r.Run() }()
	t.Cleanup(func() { r.halt(t) })
	shardtest.Until(t, "the shard to run", func() bool { return r.State() == Running })
}

// halt stops the shard, which drains, and waits for its end.
func (r *rig) halt(t *testing.T) {
	t.Helper()
	r.Stop()
	r.Release()
	select {
	case <-r.Ended():
	case <-time.After(shardtest.Patience):
		t.Error("the shard does not end")
	}
}

func client(n int) netio.Endpoint {
	return netio.Endpoint{Addr: [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: byte(n)}, Port: uint16(1000 + n)}
}

func query(t *testing.T, id uint16, name string) []byte {
	t.Helper()
	q := new(dns.Msg).SetQuestion(name, dns.TypeA)
	q.Id = id
	raw, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Each client gets its response, through the port that it asked at, whether it has to wait or not.
func TestResponsesFindTheirWay(t *testing.T) {
	r := newRig(t, 3, nil)
	r.run(t)
	const each = 20
	for i := range each {
		for p, w := range r.wires {
			name := []string{"localhost.", "shared.example.", fmt.Sprintf("n%d.p%d.example.", i, p)}[i%3]
			w.Put(netio.Datagram{Data: query(t, uint16(p*100+i), name), Peer: client(p*100 + i)})
		}
	}
	for p, w := range r.wires {
		seen := map[uint16]bool{}
		for range each {
			d, ok := w.Await(shardtest.Patience)
			m := new(dns.Msg)
			if !ok || m.Unpack(d.Data) != nil || len(m.Answer) != 1 || seen[m.Id] || d.Peer != client(int(m.Id)) || int(m.Id)/100 != p {
				t.Fatalf("port %d: %v after %d: %v", p, d, len(seen), m)
			}
			seen[m.Id] = true
		}
	}
}

// What has waited too long in a receive queue is shed, once the queue has been full for a while.
func TestShedding(t *testing.T) {
	r := newRig(t, 1, func(o *Options) { o.ShedAfter = 50 * time.Millisecond })
	const queued = 400
	for i := range queued {
		r.wires[0].Put(netio.Datagram{Data: query(t, uint16(i), "localhost."), Peer: client(1), Age: int64(time.Second)})
	}
	r.run(t)
	shardtest.Until(t, "the queue to be empty", func() bool { return r.snapshot(t).Ports.Received == queued })
	s := r.snapshot(t)
	// Before the ages are known, 16 batches of 4 are answered.
	if s.Stats.Overloads != 1 || s.Stats.Shed < queued-100 || s.Ports.Sent+s.Stats.Shed != queued {
		t.Errorf("%d sent, %d shed, %d overloads", s.Ports.Sent, s.Stats.Shed, s.Stats.Overloads)
	}
	shardtest.Until(t, "ages to be measured no more", func() bool {
		r.wires[0].Put(netio.Datagram{Data: query(t, 1, "localhost."), Peer: client(1)})
		return !r.wires[0].Measuring()
	})
}

func (r *rig) snapshot(t *testing.T) (s *Snapshot) {
	t.Helper()
	done := make(chan struct{})
	if !r.Post(func() { s = r.Snapshot(); close(done) }) {
		t.Fatal("the mailbox is full")
	}
	select {
	case <-done:
	case <-time.After(shardtest.Patience):
		t.Fatal("the shard takes no commands")
	}
	return s
}

// A shard that is stopped answers what is in its queues and what is in flight, and leaves its ports open.
func TestStopAnswersWhatHasCome(t *testing.T) {
	r := newRig(t, 1, nil)
	const n = 100
	for i := range n {
		name := "localhost."
		if i%4 == 0 && i < 40 {
			name = fmt.Sprintf("n%d.example.", i)
		}
		r.wires[0].Put(netio.Datagram{Data: query(t, uint16(i), name), Peer: client(i)})
	}
	r.run(t)
	r.Stop()
	for i := range n {
		if _, ok := r.wires[0].Await(shardtest.Patience); !ok {
			t.Fatalf("%d of %d answered", i, n)
		}
	}
	r.halt(t)
	if err := <-r.ended; err != nil || r.State() != Stopped {
		t.Errorf("%v, %v", err, r.State())
	}
	if r.wires[0].Closed() {
		t.Error("the port is closed")
	}
}

// A shard that leaves resolves what is in its queues, unlike one that is stopped, and hands its streams over.
func TestLeaveResolvesWhatHasCome(t *testing.T) {
	l, err := tcp.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := newRig(t, 1, func(o *Options) { o.Listeners, o.DrainFor = []*tcp.Listener{l}, shardtest.Patience })
	to := newRig(t, 0, nil)
	to.run(t)
	r.run(t)
	stream, err := dns.Dial("tcp", netiotest.Bound(t, l.FD()).String())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	stream.SetDeadline(time.Now().Add(shardtest.Patience))
	ask := func(name string) {
		t.Helper()
		if err := stream.WriteMsg(new(dns.Msg).SetQuestion(name, dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		if m, err := stream.ReadMsg(); err != nil || len(m.Answer) != 1 {
			t.Fatalf("%s: %v, %v", name, m, err)
		}
	}
	ask("before.example.")
	const n = 50 // each a miss, many batches
	r.Post(func() {
		for i := range n {
			r.wires[0].Put(netio.Datagram{Data: query(t, uint16(i), fmt.Sprintf("n%d.example.", i)), Peer: client(i)})
		}
		r.Leave(func(m tcp.Moved) { to.Post(func() { to.Adopt(m) }) })
		r.Release()
	})
	seen := map[uint16]bool{}
	for range n {
		d, ok := r.wires[0].Await(shardtest.Patience)
		m := new(dns.Msg)
		if !ok || m.Unpack(d.Data) != nil || m.Rcode != dns.RcodeSuccess || len(m.Answer) != 1 || seen[m.Id] {
			t.Fatalf("after %d of %d: %v", len(seen), n, m)
		}
		seen[m.Id] = true
	}
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	r.ended <- nil // for halt
	ask("after.example.")
	if s := to.snapshot(t); s.TCP.Adopted != 1 || s.Stats.Streams != 1 {
		t.Errorf("%+v", s.TCP)
	}
	if s := r.Snapshot(); s.Engine.Queries != n+1 || s.Engine.Answered != n+1 || s.TCP.Moved != 1 {
		t.Errorf("%+v", s.Engine)
	}
}

// The owner of the ports gives them to the next shard.
func TestPortsOutliveTheShard(t *testing.T) {
	first := newRig(t, 1, nil)
	first.run(t)
	first.halt(t)
	first.wires[0].Put(netio.Datagram{Data: query(t, 7, "localhost."), Peer: client(7)})
	second := newRig(t, 0, func(o *Options) { o.Ports = []netio.Port{first.ports[0]} })
	second.run(t)
	if d, ok := first.wires[0].Await(shardtest.Patience); !ok || d.Peer != client(7) {
		t.Errorf("%v, %v", d, ok)
	}
}

func TestShardThatCannotStart(t *testing.T) {
	r := newRig(t, 1, func(o *Options) {
		o.ID = 3
		o.NewEngine = func(core.Performer) (*core.Engine, error) { return nil, context.DeadlineExceeded }
	})
	if err := r.Run(); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "shard 3") {
		t.Error(err)
	}
	if r.State() != Stopped {
		t.Error(r.State())
	}
}
