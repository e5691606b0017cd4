package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// link is a veth pair between the namespace of a daemon, 192.0.2.1, and that of its clients, 192.0.2.2 and .3.
type link struct {
	t              *testing.T
	server, client string // namespaces
	d              *daemon
}

// linkServer is the name of the server's end.
const linkServer = "hd-limit"

// linkMetrics is where the daemon tells its metrics.
const linkMetrics = "192.0.2.1:9153"

// startLink starts the daemon in a namespace, with its XDP program attached in a mode. It serves *.limit.test.
func startLink(t *testing.T, mode, limit string) *link {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("takes root, to make network namespaces")
	}
	l := &link{t: t, server: fmt.Sprintf("hd-ls-%s-%d", mode, os.Getpid()), client: fmt.Sprintf("hd-lc-%s-%d", mode, os.Getpid())}
	t.Cleanup(func() {
		exec.Command("ip", "netns", "del", l.server).Run()
		exec.Command("ip", "netns", "del", l.client).Run()
	})
	for _, line := range []string{
		"netns add " + l.server, "netns add " + l.client,
		"link add " + linkServer + " netns " + l.server + " numrxqueues 1 numtxqueues 1 type veth peer name c netns " + l.client + " numrxqueues 1 numtxqueues 1",
		"-n " + l.server + " link set lo up",
		"-n " + l.server + " addr add 192.0.2.1/24 dev " + linkServer, "-n " + l.server + " link set " + linkServer + " up",
		"-n " + l.client + " addr add 192.0.2.2/24 dev c", "-n " + l.client + " addr add 192.0.2.3/24 dev c", "-n " + l.client + " link set c up",
	} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
	l.d = &daemon{t: t, addr: "192.0.2.1:53", dir: t.TempDir(), log: new(syncBuffer), exited: make(chan struct{})}
	l.d.config, l.d.socket = filepath.Join(l.d.dir, "config.toml"), filepath.Join(l.d.dir, "admin.sock")
	zone := "$TTL 300\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n* A 192.0.2.99\n"
	if err := os.WriteFile(filepath.Join(l.d.dir, "zone"), []byte(zone), 0o644); err != nil {
		t.Fatal(err)
	}
	l.configure(mode, limit)
	l.d.cmd = exec.Command("ip", "netns", "exec", l.server, shipped(t, "heimdalld"), "-config", l.d.config)
	l.d.cmd.Stdout, l.d.cmd.Stderr = l.d.log, l.d.log
	if err := l.d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { l.d.cmd.Wait(); close(l.d.exited) }()
	t.Cleanup(func() {
		l.d.cmd.Process.Kill()
		<-l.d.exited
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", l.d.log)
		}
	})
	until(t, "the daemon to serve", func() bool {
		if l.d.ended() {
			t.Fatalf("the daemon has ended:\n%s", l.d.log)
		}
		_, code := l.d.ctl("status")
		return code == 0
	})
	return l
}

func (l *link) configure(mode, limit string) {
	l.t.Helper()
	text := fmt.Sprintf("[server]\nlisten = [%q]\n[cpu]\nshards = 1\n[recursion]\nenabled = false\n[xdp]\nmode = %q\ninterfaces = [%q]\nanswer_cache = false\n%s\n"+
		"[admin]\nsocket = %q\nmetrics = %q\n[[zone]]\nname = \"limit.test.\"\nfile = \"zone\"\n", l.d.addr, mode, linkServer, limit, l.d.socket, linkMetrics)
	if err := os.WriteFile(l.d.config, []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

// metrics returns what the daemon tells Prometheus.
func (l *link) metrics() string {
	l.t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return l.connect("tcp", "192.0.2.2", linkMetrics)
	}}}
	r, err := client.Get("http://" + linkMetrics + "/metrics")
	if err != nil {
		l.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(body)
}

func (l *link) reload(mode, limit string) {
	l.t.Helper()
	l.configure(mode, limit)
	if out, code := l.d.ctl("reload"); code != 0 {
		l.t.Fatalf("reload: %s", out)
	}
}

// dial connects a client's address to the daemon.
func (l *link) dial(network, from string) *dns.Conn {
	l.t.Helper()
	conn, err := l.connect(network, from, l.d.addr)
	if err != nil {
		l.t.Fatal(err)
	}
	return &dns.Conn{Conn: conn, UDPSize: 4096}
}

func (l *link) connect(network, from, to string) (conn net.Conn, err error) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends in its namespace
		ns, err := os.Open("/run/netns/" + l.client)
		if err == nil {
			defer ns.Close()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			dialer := net.Dialer{Timeout: patience, LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}
			if network == "tcp" {
				dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
			}
			conn, err = dialer.Dial(network, to)
		}
		done <- err
	}()
	if err = <-done; err == nil {
		l.t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

// flood sends n queries for random names from an address without waiting for answers.
func (l *link) flood(from string, n int) {
	l.t.Helper()
	c := l.dial("udp", from)
	for i := range n {
		if err := c.WriteMsg(question(fmt.Sprintf("r%d.limit.test.", i), dns.TypeA)); err != nil {
			l.t.Fatal(err)
		}
	}
}

// answered asks n questions from an address, one after the other, and returns how many were answered in full and
// with TC.
func (l *link) answered(network, from string, n int, patience time.Duration) (full, truncated int) {
	l.t.Helper()
	c := l.dial(network, from)
	for i := range n {
		q := question(fmt.Sprintf("g%d.limit.test.", i), dns.TypeA)
		if err := c.WriteMsg(q); err != nil {
			l.t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(patience))
		r, err := c.ReadMsg()
		switch {
		case err != nil || r.Id != q.Id:
		case r.Truncated:
			truncated++
		case len(r.Answer) == 1:
			full++
		}
	}
	return full, truncated
}

// exits returns the counters of the XDP program.
func (l *link) exits() map[string]uint64 {
	l.t.Helper()
	var x struct {
		Interfaces []struct{ Name, Mode string }
		Exits      []struct {
			Name    string
			Packets uint64
		}
	}
	l.d.ctlJSON(&x, "xdp", "-interval", "100ms")
	if len(x.Interfaces) != 1 || x.Interfaces[0].Name != linkServer {
		l.t.Fatalf("the program is attached to %v", x.Interfaces)
	}
	m := map[string]uint64{"mode " + x.Interfaces[0].Mode: 1}
	for _, e := range x.Exits {
		m[e.Name] = e.Packets
	}
	return m
}

// A flood from one address is dropped in the kernel, and its neighbour gets all its answers.
func TestRootLimitInKernel(t *testing.T) {
	for _, mode := range []string{"native", "generic"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			l := startLink(t, mode, slowLimit+"slip = 0\n")
			l.flood("192.0.2.3", 5000)
			if full, _ := l.answered("udp", "192.0.2.2", 15, patience); full != 15 {
				t.Errorf("the other client got %d of 15 answers", full)
			}
			if full, _ := l.answered("tcp", "192.0.2.3", 10, patience); full != 10 {
				t.Errorf("%d of 10 answers over TCP", full)
			}
			by := l.exits()
			// A second is worth one query.
			if n := by["drop_limit"]; by["mode "+mode] != 1 || n < 4960 || n > 4980 {
				t.Errorf("%d dropped in the kernel, want 4980: %v", n, by)
			}
			if n := dropped(l.d)["limited"]; n > 0 {
				t.Errorf("%d were limited by a shard too", n)
			}
			metrics := l.metrics()
			for _, want := range []string{
				fmt.Sprintf(`heimdall_xdp_packets_total{exit="drop_limit"} %d`, by["drop_limit"]), `heimdall_xdp_packets_total{exit="send_answer"} 0`,
				fmt.Sprintf(`heimdall_xdp_attached{interface=%q,mode=%q} 1`, linkServer, mode), "heimdall_xdp_answers 0",
			} {
				if !strings.Contains(metrics, want+"\n") {
					t.Errorf("the metrics lack %s:\n%s", want, metrics)
				}
			}
			// A reload changes rate and lists while the program stays attached.
			l.reload(mode, "[limit]\ndeny = [\"192.0.2.3/32\"]\n")
			if full, _ := l.answered("udp", "192.0.2.3", 5, 20*time.Millisecond); full > 0 {
				t.Errorf("%d of 5 answers to a denied client", full)
			}
			if by := l.exits(); by["drop_denied"] != 5 {
				t.Errorf("%d denied in the kernel, want 5", by["drop_denied"])
			}
			l.reload(mode, slowLimit+"exempt = [\"192.0.2.3/32\"]\n")
			if full, _ := l.answered("udp", "192.0.2.3", 60, patience); full != 60 {
				t.Errorf("%d of 60 answers to an exempt client", full)
			}
			l.reload(mode, "")
			if full, _ := l.answered("udp", "192.0.2.3", 60, patience); full != 60 {
				t.Errorf("%d of 60 answers without a limit", full)
			}
		})
	}
}

// The kernel answers with TC what it limits, and what goes around it, such as fragments, the shards limit.
func TestRootLimitSlipInKernel(t *testing.T) {
	l := startLink(t, "generic", slowLimit+"slip = 1\n")
	full, truncated := l.answered("udp", "192.0.2.3", 60, patience)
	if full < 20 || full > 40 || full+truncated != 60 {
		t.Errorf("%d of 60 answered, %d with TC; want 20 and 40", full, truncated)
	}
	if by := l.exits(); by["send_slip"] != uint64(truncated) {
		t.Errorf("%d slipped in the kernel, %d came", by["send_slip"], truncated)
	}
	// Two queries a second are the shards': with the IP option "no operation" the program passes them.
	l.reload("generic", slowLimit+"slip = 0\n")
	c := l.dial("udp", "192.0.2.3")
	raw, err := c.Conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if err := unix.SetsockoptString(int(fd), unix.IPPROTO_IP, unix.IP_OPTIONS, "\x01\x01\x01\x01"); err != nil {
			t.Error(err)
		}
	})
	for i := range 500 {
		if err := c.WriteMsg(question(fmt.Sprintf("r%d.limit.test.", i), dns.TypeA)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the shards to limit", func() bool { return dropped(l.d)["limited"] > 0 })
	if by := l.exits(); by["pass_ip_options"] != 500 {
		t.Errorf("%d with IP options were passed, want 500", by["pass_ip_options"])
	}
}
