package main

import (
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"heimdall/core/control"
)

// tierSetup is how a daemon with two shards is told to receive packets.
type tierSetup struct{ mode, backend, steer string }

// tierSetups has each xdp.mode with each io.backend that goes with it, and with each xdp.steer.
var tierSetups = []tierSetup{
	{"off", "auto", "flow"}, {"off", "mmsg", "cpu"}, {"off", "auto", "name"},
	{"auto", "auto", "flow"}, {"auto", "mmsg", "cpu"}, {"auto", "xsk", "name"},
	{"native", "auto", "cpu"}, {"native", "mmsg", "name"}, {"native", "xsk", "flow"},
	{"generic", "auto", "name"}, {"generic", "mmsg", "flow"}, {"generic", "xsk", "cpu"},
}

// kernel tells whether the XDP program is to run.
func (s tierSetup) kernel() bool { return s.mode != "off" }

// raw tells whether queries are to come by AF_XDP. xdp.mode "auto" is "native" on a veth pair.
func (s tierSetup) raw() bool {
	return s.backend == "xsk" || s.backend == "auto" && (s.mode == "native" || s.mode == "auto") && s.steer != "name"
}

// tierCounts are the counters that tell which tier has served.
type tierCounts struct {
	kernel, raw, tcp uint64   // answers of the XDP program; queries by AF_XDP, and over TCP
	shard            []uint64 // queries, by shard
}

// shards is how many queries all of them got.
func (c *tierCounts) shards() (n uint64) {
	for _, s := range c.shard {
		n += s
	}
	return n
}

func (c tierCounts) String() string {
	return fmt.Sprintf("the kernel answered %d, the shards got %v, %d of them by AF_XDP and %d over TCP", c.kernel, c.shard, c.raw, c.tcp)
}

// tiers reads the counters.
func (w *xskLab) tiers(t *testing.T, s tierSetup) (c tierCounts) {
	t.Helper()
	if s.kernel() {
		c.kernel = w.exits()["send_answer"]
	}
	var all control.Shards
	w.ctlJSON(&all, "shards")
	for i := range all.Shards {
		c.shard = append(c.shard, all.Shards[i].Queries)
		c.tcp += all.Shards[i].TCPQueries
		for _, q := range all.Shards[i].Queues {
			c.raw += q.Received
		}
	}
	return c
}

// since returns the tiers' counts of what f does, which begin with those of the last call.
func (w *xskLab) since(t *testing.T, s tierSetup, last *tierCounts, f func()) tierCounts {
	t.Helper()
	f()
	now := w.tiers(t, s)
	did := tierCounts{kernel: now.kernel - last.kernel, raw: now.raw - last.raw, tcp: now.tcp - last.tcp}
	for i, n := range now.shard {
		did.shard = append(did.shard, n-last.shard[i])
	}
	*last = now
	return did
}

// Clients in another namespace are served by each tier, with every xdp.mode, io.backend and xdp.steer, and the counters
// say by which. The daemon may warn of nothing but that a network card cannot steer by name.
func TestRootTiers(t *testing.T) {
	w := newXSKLab(t, 2)
	for _, s := range tierSetups {
		if *cards != "" && (s.mode == "off" || s.backend == "mmsg" || s.mode == "auto" && s.backend == "auto") {
			continue // there the driver does the same as with any other program
		}
		t.Run(fmt.Sprintf("%s %s %s", s.mode, s.backend, s.steer), func(t *testing.T) {
			w.serve(t, fmt.Sprintf("[cpu]\nshards = \"0,1\"\n[io]\nbackend = %q\n[xdp]\nmode = %q\nsteer = %q", s.backend, s.mode, s.steer))
			w.resolverTier(t, s)
			counts := w.tiers(t, s)
			w.hotTier(t, s, &counts)
			w.shardTier(t, s, &counts)
			w.streamTier(t, s, &counts)
			w.steered(t, s, &counts)
			var status control.Status
			w.ctlJSON(&status, "status")
			if want := map[bool]string{true: "AF_XDP and kernel sockets", false: "kernel sockets"}[s.raw()]; status.Backend != want {
				t.Errorf("packets by %q, want %q", status.Backend, want)
			}
			for _, text := range status.Warnings {
				if !strings.Contains(text, "not by the name") {
					t.Errorf("warning: %s", text)
				}
			}
			if s.kernel() {
				if got := w.xdp().Interfaces[0].Mode; got != map[bool]string{true: "native", false: "generic"}[s.mode != "generic"] {
					t.Errorf("the program runs in %s mode", got)
				}
			}
			w.stop(syscall.SIGTERM)
		})
	}
}

const tierQueries = 10

// hotTier asks for a name of a zone, whose answer is in the kernel from the start.
func (w *xskLab) hotTier(t *testing.T, s tierSetup, last *tierCounts) {
	t.Helper()
	var before uint64
	if *cards != "" {
		before = w.driverCounts(t, "xdp_tx")
	}
	got := w.since(t, s, last, func() {
		for i := range tierQueries {
			r := w.query(t, []string{vethIPv4, vethIPv6}[i%2], question("www.zone.", dns.TypeA))
			if len(r.Answer) != 1 || r.Answer[0].(*dns.A).A.String() != "192.0.2.7" || !r.Authoritative {
				t.Fatalf("%v", r)
			}
		}
	})
	t.Logf("%d queries for a hot name: %v", tierQueries, got)
	if s.kernel() && (got.kernel < tierQueries || got.shards() > 0) || !s.kernel() && got.shards() < tierQueries {
		t.Error("another tier was to answer")
	}
	// The detour of veth is veth's alone: other drivers send the frame themselves that has come.
	if *cards != "" && s.mode != "generic" {
		if sent := w.driverCounts(t, "xdp_tx") - before; sent != got.kernel {
			t.Errorf("the driver has sent %d of %d answers by XDP_TX", sent, got.kernel)
		}
	}
}

// shardTier asks for what is too long for the kernel.
func (w *xskLab) shardTier(t *testing.T, s tierSetup, last *tierCounts) {
	t.Helper()
	got := w.since(t, s, last, func() {
		for i := range tierQueries {
			r := w.query(t, []string{vethIPv4, vethIPv6}[i%2], question("big1100.zone.", dns.TypeTXT).SetEdns0(1400, false))
			if len(r.Answer) != 1 || r.Len() < 1100 {
				t.Fatalf("%v", r)
			}
		}
	})
	t.Logf("%d queries for a long answer: %v", tierQueries, got)
	if got.kernel > 0 || got.shards() < tierQueries || (got.raw > 0) != s.raw() || s.raw() && got.raw < tierQueries {
		t.Errorf("AF_XDP in use: %v", s.raw())
	}
}

// resolverTier asks for names that have to be asked for elsewhere.
func (w *xskLab) resolverTier(t *testing.T, s tierSetup) {
	t.Helper()
	for i := range tierQueries {
		name := fmt.Sprintf("miss%d.%s.%s.%s.far.example.", i, s.mode, s.backend, s.steer)
		if r := w.query(t, []string{vethIPv4, vethIPv6}[i%2], question(name, dns.TypeA)); len(r.Answer) != 1 || r.Authoritative {
			t.Fatalf("%v", r)
		}
		if w.upstream.Count(name) == 0 {
			t.Errorf("the upstream was not asked for %s", name)
		}
	}
}

// streamTier asks over TCP, which goes around the program and AF_XDP.
func (w *xskLab) streamTier(t *testing.T, s tierSetup, last *tierCounts) {
	t.Helper()
	got := w.since(t, s, last, func() {
		for i := range tierQueries {
			conn := &dns.Conn{Conn: w.Dial(t, "tcp", "", []string{vethIPv4, vethIPv6}[i%2])}
			if err := conn.WriteMsg(question("big3000.zone.", dns.TypeTXT)); err != nil {
				t.Fatal(err)
			}
			if r, err := conn.ReadMsg(); err != nil || len(r.Answer) != 1 || r.Len() < 3000 {
				t.Fatalf("%v: %v", err, r)
			}
			conn.Close()
		}
	})
	t.Logf("%d queries over TCP: %v", tierQueries, got)
	if got.tcp != tierQueries || got.kernel > 0 || got.raw > 0 {
		t.Error("they were to come through kernel sockets")
	}
}

// steered asks for one long answer from many ports of a client on the second CPU, and looks which shards are asked.
func (w *xskLab) steered(t *testing.T, s tierSetup, last *tierCounts) {
	t.Helper()
	if s.raw() {
		return // the network card has chosen
	}
	const queries = 4 * tierQueries
	got := w.since(t, s, last, func() {
		for range queries {
			conn := w.Dial(t, "udp", "", vethIPv4)
			writeOn(t, conn, 1)
		}
	})
	t.Logf("%d queries for one name, all from CPU 1: %v", queries, got)
	busiest := slices.Max(got.shard)
	switch {
	case len(got.shard) != 2 || got.shards() < queries:
		t.Errorf("the shards got %v of %d queries", got.shard, queries)
	case s.steer == "cpu" && *cards == "" && got.shard[1] < queries*3/4: // not all: another CPU may be in the middle of receiving
		t.Errorf("the shards on CPU 0 and 1 got %v of %d queries that CPU 1 received", got.shard, queries)
	case s.steer == "flow" && busiest > queries*9/10:
		t.Errorf("the shards got %v of %d queries from as many ports", got.shard, queries)
	case s.steer == "name" && busiest != got.shards():
		t.Errorf("the shards got %v of %d queries for one name", got.shard, queries)
	}
}

// writeOn sends a query on a CPU, which receives it too at the other end of a veth pair, and waits for the response. A
// network card's interrupts have CPUs of their own.
func writeOn(t *testing.T, conn net.Conn, cpu int) {
	t.Helper()
	q := question("big1100.zone.", dns.TypeTXT).SetEdns0(1400, false)
	for range 5 {
		done := make(chan error, 1)
		go func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with its mask
			var set unix.CPUSet
			set.Set(cpu)
			err := unix.SchedSetaffinity(0, &set)
			if err == nil {
				err = (&dns.Conn{Conn: conn}).WriteMsg(q)
			}
			done <- err
		}()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		if r, err := (&dns.Conn{Conn: conn, UDPSize: 4096}).ReadMsg(); err == nil {
			if r.Id != q.Id || len(r.Answer) != 1 {
				t.Fatalf("%v", r)
			}
			return
		}
	}
	t.Fatal("no response")
}
