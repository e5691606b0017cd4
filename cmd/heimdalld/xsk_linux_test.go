package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/control"
)

// xskConfig is a configuration with AF_XDP and without hot answers, so that each query comes to a shard.
func xskConfig(mode, backend, shards string) string {
	return fmt.Sprintf("[cpu]\nshards = %s\npin = false\n[io]\nbackend = %q\n[xdp]\nmode = %q\nanswer_cache = false", shards, backend, mode)
}

// collect asks all that a client may ask, over IPv4 and IPv6, and returns the responses as texts. TTLs, which
// depend on the moment, are left out.
func collect(t *testing.T, w *xskLab) (texts []string) {
	t.Helper()
	for _, to := range []string{vethIPv4, vethIPv6} {
		for _, name := range []string{"www.zone.", "none.zone.", "big1100.zone.", "big3000.zone.", "miss.test.", "miss.test.", "localhost."} {
			for _, size := range []uint16{0, 512, 1232, 4096} {
				q := question(name, dns.TypeA)
				if strings.HasPrefix(name, "big") {
					q = question(name, dns.TypeTXT)
				}
				q.Id = uint16(len(texts))
				if size > 0 {
					q.SetEdns0(size, false)
				}
				r := w.query(t, to, q)
				for _, rr := range slices.Concat(r.Answer, r.Ns) {
					rr.Header().Ttl = 0
				}
				texts = append(texts, fmt.Sprintf("%s %d octets at %s: %v", name, size, to, r))
			}
		}
	}
	return texts
}

// Clients get the same from AF_XDP as from kernel sockets, and it is AF_XDP that they get it from.
func TestRootXSKResponses(t *testing.T) {
	w := newXSKLab(t, 1)
	w.serve(t, xskConfig("native", "mmsg", "1"))
	want := collect(t, w)
	if n := len(slices.Concat(w.queues(t)...)); n != 0 {
		t.Errorf("%d AF_XDP sockets with the backend mmsg", n)
	}
	w.stop(syscall.SIGTERM)
	for _, x := range []struct{ mode, backend string }{{"native", "xsk"}, {"generic", "xsk"}, {"native", "auto"}} {
		t.Run(x.mode+" "+x.backend, func(t *testing.T) {
			w.serve(t, xskConfig(x.mode, x.backend, "1"))
			got := collect(t, w)
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("AF_XDP sent\n%s\nkernel sockets sent\n%s", got[i], want[i])
				}
			}
			queues := slices.Concat(w.queues(t)...)
			if len(queues) != 1 || queues[0].Interface != vethServer {
				t.Fatalf("queues %v", queues)
			}
			// Neither 1 of 7 nor 1 of 4 is beyond the MTU.
			if q := &queues[0]; q.Received < uint64(len(want)) || q.Sent < uint64(len(want)*9/10) || q.Sent >= q.Received {
				t.Errorf("%+v of %d queries", *q, len(want))
			}
			var s control.Status
			w.ctlJSON(&s, "status")
			if s.Backend != "AF_XDP and kernel sockets" || len(s.Warnings) > 0 {
				t.Errorf("packets by %q, warnings %v", s.Backend, s.Warnings)
			}
			w.stop(syscall.SIGTERM)
			if w.program(t) != "" {
				t.Error("the program is still attached")
			}
		})
	}
}

// One queue for each shard, several for one, and shards without a queue.
func TestRootXSKQueues(t *testing.T) {
	for _, x := range []struct{ queues, shards int }{{2, 1}, {1, 2}, {4, 4}, {4, 3}} {
		if *cards != "" && x.queues == 4 && x.shards == 3 {
			continue // there it is the first
		}
		t.Run(fmt.Sprintf("%d queues, %d shards", x.queues, x.shards), func(t *testing.T) {
			w := newXSKLab(t, x.queues)
			queues := len(w.list(t, "rx"))
			shards := x.shards + queues - x.queues // a card has the queues it has
			w.serve(t, xskConfig("native", "xsk", strconv.Itoa(shards)))
			const clients = 24 // each with its own port, by which the queue is chosen
			for i := range clients {
				w.query(t, []string{vethIPv4, vethIPv6}[i%2], question("www.zone.", dns.TypeA))
				w.query(t, vethIPv4, question(fmt.Sprintf("miss%d.test.", i), dns.TypeA))
			}
			for i, got := range w.queues(t) {
				t.Logf("shard %d has %+v", i, got)
				want := queues / shards
				if i < queues%shards {
					want++
				}
				if len(got) != want {
					t.Errorf("shard %d has %d queues, want %d", i, len(got), want)
				}
				for _, q := range got {
					if q.Received == 0 || q.Sent != q.Received {
						t.Errorf("%+v", q)
					}
				}
			}
			if n := w.received(t); n < 2*clients {
				t.Errorf("%d queries of %d came by AF_XDP", n, 2*clients)
			}
		})
	}
}

// A reload keeps the sockets; what is killed leaves nothing behind, and the next one can have the queue.
func TestRootXSKReloadAndKill(t *testing.T) {
	w := newXSKLab(t, 1)
	config := strings.Replace(xskConfig("native", "xsk", "1"), "[xdp]", "busy_poll = \"20us\"\n[xdp]", 1)
	w.serve(t, config)
	w.query(t, vethIPv4, question("www.zone.", dns.TypeA))
	if out, code := w.ctl("reload"); code != 0 {
		t.Fatalf("reload: %s", out)
	}
	before := w.received(t)
	w.query(t, vethIPv4, question("www.zone.", dns.TypeA))
	if n := w.received(t); n <= before {
		t.Errorf("%d queries by AF_XDP after the reload, %d before", n, before)
	}
	w.stop(syscall.SIGKILL)
	until(t, "the program to be detached", func() bool { return w.program(t) == "" })
	w.serve(t, config)
	w.query(t, vethIPv6, question("www.zone.", dns.TypeA))
	if w.received(t) == 0 {
		t.Error("the next daemon does not get the queue")
	}
}

// With AF_XDP the number of shards waits for a restart, and nothing else does.
func TestRootXSKKeepsTheShards(t *testing.T) {
	w := newXSKLab(t, 1)
	w.serve(t, xskConfig("native", "xsk", "1"))
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer("shards = 1", "shards = 2", "udp_payload = 4096", "udp_payload = 512").Replace(string(text))
	if err := os.WriteFile(w.config, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	var out control.Reload
	w.ctlJSON(&out, "reload")
	if !slices.Equal(out.Applied, []string{"server.udp_payload"}) || !slices.Equal(out.NeedsRestart, []string{"cpu.shards"}) ||
		!strings.Contains(strings.Join(out.Warnings, "\n"), "the number of shards is not changed while the daemon runs: AF_XDP") {
		t.Errorf("%+v", out)
	}
	q := question("big1100.zone.", dns.TypeTXT)
	q.SetEdns0(4096, false)
	if r := w.query(t, vethIPv4, q); !r.Truncated {
		t.Errorf("the new size does not apply: %v", r)
	}
	var s shardList
	if w.ctlJSON(&s, "shards"); len(s.Shards) != 1 || w.received(t) == 0 {
		t.Errorf("%d shards, %d queries by AF_XDP", len(s.Shards), w.received(t))
	}
}

// What has come when the daemon is told to end gets its response.
func TestRootXSKDrain(t *testing.T) {
	w := newXSKLab(t, 1)
	w.serve(t, xskConfig("native", "xsk", "1"))
	conn := w.Dial(t, "udp", "", vethIPv4)
	const queries = 100 // the client's socket holds as many responses
	q := question("www.zone.", dns.TypeA)
	w.query(t, vethIPv4, q)                     // both ends know the other's link address then
	w.cmd.Process.Signal(syscall.SIGSTOP)       // so that the queries are there before it is told to end
	defer w.cmd.Process.Signal(syscall.SIGCONT) // whatever fails
	for i := range queries {
		q.Id = uint16(i)
		b, err := q.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	w.cmd.Process.Signal(syscall.SIGTERM)
	if code := w.stop(syscall.SIGCONT); code != 0 {
		t.Errorf("exit code %d", code)
	}
	seen := map[uint16]bool{}
	conn.SetReadDeadline(time.Now().Add(patience))
	for b := make([]byte, 512); len(seen) < queries; {
		n, err := conn.Read(b)
		if err != nil {
			t.Fatalf("%d responses of %d: %v", len(seen), queries, err)
		}
		r := new(dns.Msg)
		if err := r.Unpack(b[:n]); err != nil {
			t.Fatal(err)
		}
		seen[r.Id] = true
	}
}

// What cannot be had is told, and kernel sockets serve: here the daemon does not see its namespace's interfaces in
// /sys.
func TestRootXSKFallsBack(t *testing.T) {
	w := newXSKLab(t, 1)
	w.serveBy(t, []string{"nsenter", "--net=/run/netns/" + w.server}, xskConfig("native", "xsk", "1"))
	w.query(t, vethIPv4, question("www.zone.", dns.TypeA))
	w.query(t, vethIPv6, question("miss.test.", dns.TypeA))
	var s control.Status
	w.ctlJSON(&s, "status")
	if s.Backend != "kernel sockets" || len(s.Warnings) != 1 || !strings.HasPrefix(s.Warnings[0], "AF_XDP is off, ") {
		t.Errorf("packets by %q, warnings %q", s.Backend, s.Warnings)
	}
}
