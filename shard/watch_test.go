package shard

import (
	"testing"

	"heimdall/netio"
	"heimdall/shard/shardtest"
)

// spy is a port that notes on the shard's thread whether it has been out of the poller, and how often it was looked at.
type spy struct {
	netio.Port
	shard *Shard
	index int
	left  bool
	looks int
}

func (s *spy) Recv(in []netio.Datagram) int {
	s.left = s.left || s.shard.watches[s.index].off
	s.looks++
	return s.Port.Recv(in)
}

// A port that stays busy leaves the poller and comes back when it is quiet; one that has nothing is not looked at.
func TestBusyPortsLeaveThePoller(t *testing.T) {
	r := newRig(t, 2, nil)
	spies := [2]*spy{}
	for i := range spies {
		spies[i] = &spy{Port: r.opt.Ports[i], shard: r.Shard, index: i}
		r.opt.Ports[i] = spies[i]
	}
	ask := func(wire, n int) {
		t.Helper()
		for i := range n {
			r.wires[wire].Put(netio.Datagram{Data: query(t, uint16(i), "localhost."), Peer: client(i % 200)})
		}
	}
	await := func(wire, n int) {
		t.Helper()
		for i := range n {
			if _, ok := r.wires[wire].Await(shardtest.Patience); !ok {
				t.Fatalf("port %d: %d responses of %d", wire, i, n)
			}
		}
	}
	const many = 200 // at 4 in a batch: 50 rounds
	ask(0, many)
	r.run(t)
	await(0, many)
	on := func(f func()) {
		t.Helper()
		done := make(chan struct{})
		if !r.Post(func() { f(); close(done) }) {
			t.Fatal("the mailbox is full")
		}
		<-done
	}
	shardtest.Until(t, "the port to come back", func() (back bool) {
		on(func() { back = !r.watches[0].off })
		return back
	})
	on(func() {
		if !spies[0].left {
			t.Errorf("the busy port stayed in the poller for %d looks", spies[0].looks)
		}
		if spies[1].left || spies[1].looks > 1 {
			t.Errorf("the idle port was looked at %d times", spies[1].looks)
		}
	})
	for wire := range 2 {
		ask(wire, 3)
		await(wire, 3)
	}
}
