package shard

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core"
	"heimdall/netio/netiotest"
	"heimdall/netio/tcp"
	"heimdall/shard/shardtest"
)

// on runs f on the shard's thread.
func (r *rig) on(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	if !r.Post(func() { f(); close(done) }) {
		t.Fatal("the mailbox is full")
	}
	select {
	case <-done:
	case <-time.After(shardtest.Patience):
		t.Fatal("the shard takes no commands")
	}
}

// A name that has been used up names nobody, even when its place is taken again.
func TestTargetsAreUsedOnce(t *testing.T) {
	ts := newTargets(2)
	a, b := ts.hold(target{port: 1}), ts.hold(target{port: 2})
	if a == 0 || b == 0 || ts.hold(target{}) != 0 {
		t.Fatalf("%x, %x", a, b)
	}
	if ts.end(a); ts.find(a) != nil || ts.find(b).port != 2 || ts.find(0) != nil {
		t.Error("after its end")
	}
	c := ts.hold(target{port: 3})
	if ts.find(a) != nil || ts.find(c) == nil || ts.find(c).port != 3 || uint32(c) != uint32(a) {
		t.Errorf("the next one in its place: %x after %x", c, a)
	}
	if ts.find(core.Target(7)|1<<32) != nil {
		t.Error("a place that is not there")
	}
}

// A datagram's client gets each of several responses, and nothing after the last one.
func TestSeveralDatagrams(t *testing.T) {
	r := newRig(t, 1, nil)
	r.run(t)
	r.on(t, func() {
		to := r.targets.hold(target{kind: datagram, peer: client(5)})
		for i, more := range []bool{true, true, false} {
			if got := r.Reply(to, []byte{byte(i)}, more); got != core.Taken {
				t.Errorf("response %d: %d", i, got)
			}
		}
		if got := r.Reply(to, []byte{9}, false); got != core.Gone {
			t.Errorf("after the last one: %d", got)
		}
	})
	for i := range 3 {
		if d, ok := r.wires[0].Await(shardtest.Patience); !ok || d.Peer != client(5) || !bytes.Equal(d.Data, []byte{byte(i)}) {
			t.Fatalf("%d: %v", i, d)
		}
	}
}

// A stream takes several responses to one message until its client is behind with reading, and goes on when it has read.
func TestSeveralOnStream(t *testing.T) {
	l, err := tcp.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := newRig(t, 0, func(o *Options) { o.Listeners = []*tcp.Listener{l} })
	held := make(chan core.Target, 1)
	build := r.opt.NewEngine
	r.opt.NewEngine = func(core.Performer) (*core.Engine, error) { return build(holding{r.Shard, held}) }
	r.run(t)
	c, err := dns.Dial("tcp", netiotest.Bound(t, l.FD()).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(shardtest.Patience))
	if err := c.WriteMsg(new(dns.Msg).SetQuestion("www.example.", dns.TypeA)); err != nil {
		t.Fatal(err)
	}
	to := <-held
	msg := make([]byte, 60000)
	sent, room := 0, core.Taken
	for ; room == core.Taken && sent < 10000; sent++ {
		r.on(t, func() { room = r.Reply(to, msg, true) })
	}
	if room != core.Full {
		t.Fatalf("after %d responses that nobody has read: %d", sent, room)
	}
	sent--
	read := 0
	for ; read < sent; read++ {
		if m, err := c.ReadMsgHeader(nil); err != nil || len(m) != len(msg) {
			t.Fatalf("response %d of %d: %d octets, %v", read, sent, len(m), err)
		}
	}
	shardtest.Until(t, "room for the last one", func() bool {
		r.on(t, func() { room = r.Reply(to, msg[:100], false) })
		return room != core.Full
	})
	if m, err := c.ReadMsgHeader(nil); room != core.Taken || err != nil || len(m) != 100 {
		t.Errorf("%d: %d octets, %v", room, len(m), err)
	}
	if r.on(t, func() { room = r.Reply(to, msg, false) }); room != core.Gone {
		t.Errorf("after the last one: %d", room)
	}
}

// holding tells of the targets that are held, and keeps responses of the Engine's from them.
type holding struct {
	*Shard
	held chan core.Target
}

func (h holding) Hold(tag uint32) core.Target {
	to := h.Shard.Hold(tag)
	h.held <- to
	return to
}

func (h holding) Reply(core.Target, []byte, bool) core.Room { return core.Taken }
