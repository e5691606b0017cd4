package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/affinity"
	"heimdall/core"
	"heimdall/core/control"
	"heimdall/netio"
	"heimdall/netio/netiotest"
	"heimdall/netio/outbound"
	"heimdall/shard"
	"heimdall/shard/admin"
	"heimdall/shard/settings"
	"heimdall/shard/worker"
)

// die makes the first shard panic on its own thread.
func (r *rig) die() {
	r.t.Helper()
	err := r.workers()[0].Do(context.Background(), func(*shard.Shard) { panic("for the test") })
	if !errors.Is(err, worker.ErrRestarting) {
		r.t.Fatalf("a command that panics returns %v", err)
	}
}

// A shard that panics is started again and counted, its sockets stay open, and what clients send meanwhile is
// answered afterwards.
func TestPanicKeepsTheSockets(t *testing.T) {
	r := newRig(t)
	r.answered(r.dial("udp"), "cached.example.")
	r.answered(r.dial("tcp"), "cached.example.")
	w := r.workers()[0]
	hold, newEngine := make(chan struct{}), w.Shard.NewEngine
	w.Shard.NewEngine = func(p core.Performer) (*core.Engine, error) { <-hold; return newEngine(p) }
	r.die()
	until(t, "the restart", func() bool { return w.State() == worker.Starting })
	var waiting []*dns.Conn
	for i := range 20 {
		c := r.dial([]string{"udp", "tcp"}[i%2])
		if err := c.WriteMsg(new(dns.Msg).SetQuestion(fmt.Sprintf("n%d.example.", i/4), dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, c)
	}
	close(hold)
	for _, c := range waiting {
		r.answered(c, "")
	}
	if n := w.History.Restarts(); n != 1 {
		t.Errorf("%d restarts are counted", n)
	}
	until(t, "the shard to run", func() bool { return w.State() == worker.Running })
	if log := r.log.String(); !strings.Contains(log, "for the test") || !strings.Contains(log, "restart_test.go") {
		t.Errorf("neither cause nor stack in the log:\n%s", log)
	}
	list, err := admin.New(r.adminOptions()).Shards(t.Context())
	if err != nil || list.Shards[0].Restarts != 1 || list.Shards[0].State != control.ShardRunning {
		t.Errorf("%+v, %v", list, err)
	}
}

// A shard whose CPU has gone is started again on others.
func TestRestartWithoutItsCPU(t *testing.T) {
	r := newRig(t)
	r.answered(r.dial("udp"), "n.example.")
	w := r.workers()[0]
	w.Shard.Pin = true
	to := w.Seat()
	to.CPU = 8191 // the greatest number that a CPU may have
	w.Assign(to)
	r.die()
	r.answered(r.dial("udp"), "n.example.")
	r.answered(r.dial("tcp"), "more.example.")
	until(t, "the shard to run", func() bool { return w.State() == worker.Running })
	if n, log := w.History.Restarts(), r.log.String(); n != 1 || !strings.Contains(log, "not on its CPU") || !strings.Contains(log, "CPU 8191") {
		t.Errorf("%d restarts; the log:\n%s", n, log)
	}
}

// The next shard has an empty cache in the same memory, and all works as before, restart after restart.
func TestRestartsLeaveNothingBehind(t *testing.T) {
	r := newRig(t)
	use := func() {
		c, stream := r.dial("udp"), r.dial("tcp")
		defer c.Close()
		defer stream.Close()
		for i := range 300 {
			r.answered(c, fmt.Sprintf("n%d.example.", i))
		}
		before := r.up.Count("n299.example.")
		r.answered(c, "n299.example.")
		r.answered(stream, "n299.example.")
		if after := r.up.Count("n299.example."); after != before {
			t.Errorf("a name just cached was asked for again")
		}
	}
	use()
	r.die()
	use()
	descriptors := openFiles(t)
	for range 3 {
		r.die()
		use()
	}
	// A shard has 64 source ports at most, opened as they are needed: each one's are closed with it.
	if after := openFiles(t); after > descriptors+20 {
		t.Errorf("%d descriptors were open, %d are", descriptors, after)
	}
	if n := r.workers()[0].History.Restarts(); n != 4 {
		t.Errorf("%d restarts are counted", n)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// A reload while a shard is being started again reaches it.
func TestReloadDuringRestart(t *testing.T) {
	r := newRig(t)
	w := r.workers()[0]
	hold, newEngine := make(chan struct{}), w.Shard.NewEngine
	w.Shard.NewEngine = func(p core.Performer) (*core.Engine, error) {
		e, err := newEngine(p) // with the old rules
		<-hold
		return e, err
	}
	r.die()
	until(t, "the restart", func() bool { return w.State() == worker.Starting })
	text, err := os.ReadFile(r.path)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("[recursion]"), []byte("[recursion]\nallow = []"), 1)
	if err := os.WriteFile(r.path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := r.Reload(context.Background())
		done <- err
	}()
	time.Sleep(10 * time.Millisecond)
	close(hold)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	c := r.dial("udp")
	c.WriteMsg(new(dns.Msg).SetQuestion("www.example.", dns.TypeA))
	if m, err := c.ReadMsg(); err != nil || m.Rcode != dns.RcodeRefused {
		t.Errorf("the new rules do not apply: %v, %v", m, err)
	}
}

// aged is a port whose datagrams have waited for a second.
type aged struct{ netio.Port }

func (p aged) Recv(in []netio.Datagram) int {
	n := p.Port.Recv(in)
	for i := range in[:n] {
		in[i].Age = int64(time.Second)
	}
	return n
}

// A shard that is started again keeps what a reload has changed since its worker was made.
func TestRestartAfterReload(t *testing.T) {
	r := newRig(t)
	text, err := os.ReadFile(r.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.path, append([]byte("[io]\nshed_after = \"0s\"\n"), text...), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := r.workers()[0]
	w.Shard.Ports = []netio.Port{aged{w.Shard.Ports[0]}} // the shard that runs has the old list
	r.die()
	until(t, "the restart", func() bool { return w.State() == worker.Running })
	r.answered(r.dial("udp"), "www.example.")
}

// fakeWorker is a worker of a shard without sockets.
func fakeWorker(newEngine func(core.Performer) (*core.Engine, error), ports ...netio.Port) *worker.Worker {
	return worker.New(worker.Options{
		Epoch: time.Now(), History: new(worker.History), Log: slog.New(slog.DiscardHandler), Fresh: func(*shard.Shard) {},
		Map:   func(node, size int) ([]byte, error) { return affinity.MapLocal(node, size, false) },
		Shard: shard.Options{Batch: 8, Waiters: 8, NewEngine: newEngine, Ports: ports, Outbound: outbound.Options{Rand: settings.Random()}},
	}, worker.Seat{Placement: affinity.Placement{Node: affinity.AnyNode}, Memory: 1 << 20})
}

// badPort panics in Recv as often as it is told.
type badPort struct {
	netio.Port
	panics atomic.Int32
}

func (p *badPort) Recv(in []netio.Datagram) int {
	if p.panics.Add(-1) >= 0 {
		panic("bad port")
	}
	return p.Port.Recv(in)
}

// A packet source that panics takes the shard down as often as it does, and no more; an engine that cannot be
// made for a while is tried again.
func TestPortThatPanics(t *testing.T) {
	r := newRig(t)
	port, wire, err := netiotest.New(16)
	if err != nil {
		t.Fatal(err)
	}
	bad := &badPort{Port: port}
	var failures atomic.Int32
	w := fakeWorker(nil, bad)
	w.Shard.NewEngine = func(p core.Performer) (*core.Engine, error) {
		if failures.Add(-1) >= 0 {
			return nil, errors.New("not now")
		}
		return r.engine(w, r.newUpdate(), p)
	}
	started := make(chan error, 1)
	w.Start(started)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	defer func() { w.Stop(); w.Release(); w.Wait() }()
	raw, err := new(dns.Msg).SetQuestion("localhost.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	peer := netio.Endpoint{Addr: [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}, Port: 4242}
	for range 3 {
		failures.Store(1)
		bad.panics.Store(1)
		wire.Put(netio.Datagram{Data: raw, Peer: peer})
		d, ok := wire.Await(patience)
		m := new(dns.Msg)
		if !ok || d.Peer != peer || m.Unpack(d.Data) != nil || len(m.Answer) != 1 {
			t.Fatalf("%v, %v", d, m)
		}
	}
	if n := w.History.Restarts(); n != 3*2 {
		t.Errorf("%d restarts, want one for each of 3 panics and 3 errors", n)
	}
}
