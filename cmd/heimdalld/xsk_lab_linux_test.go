package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"heimdall/core/control"
)

// veth is a pair of interfaces in two network namespaces, with the shipped daemon at one end and clients at the other.
// The daemon forwards what is not below zone. to an upstream in its namespace.
type veth struct {
	server, client string // namespaces
	dir            string
	upstream       *upstream
	*daemon        // once serve has been called
}

// The addresses of the server and the ends of the pair.
const (
	wireIPv4 = "192.0.2.1:53"
	wireIPv6 = "[2001:db8::1]:53"
	wireNIC  = "hd-server"
)

var wires atomic.Int32

// newWire makes the namespaces, with a number of queues in each direction.
func newWire(t *testing.T, queues int) *veth {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("takes root, to make network namespaces")
	}
	n := wires.Add(1)
	w := &veth{server: fmt.Sprintf("hd-xs-%d-%d", os.Getpid(), n), client: fmt.Sprintf("hd-xc-%d-%d", os.Getpid(), n), dir: t.TempDir()}
	t.Cleanup(func() {
		exec.Command("ip", "netns", "del", w.server).Run()
		exec.Command("ip", "netns", "del", w.client).Run()
	})
	many := fmt.Sprintf("numrxqueues %d numtxqueues %d", queues, queues)
	for _, line := range []string{
		"ip netns add " + w.server,
		"ip netns add " + w.client,
		"ip link add " + wireNIC + " netns " + w.server + " " + many + " type veth peer name hd-client netns " + w.client + " " + many,
		"ip -n " + w.server + " link set lo up",
		"ip -n " + w.server + " addr add 192.0.2.1/24 dev " + wireNIC,
		"ip -n " + w.server + " addr add 2001:db8::1/64 nodad dev " + wireNIC,
		"ip -n " + w.server + " link set " + wireNIC + " up",
		"ip -n " + w.client + " addr add 192.0.2.2/24 dev hd-client",
		"ip -n " + w.client + " addr add 2001:db8::2/64 nodad dev hd-client",
		"ip -n " + w.client + " link set hd-client up",
	} {
		words := strings.Fields(line)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
	}
	inNamespace(t, w.server, func() { w.upstream = newUpstream(t, nil) })
	return w
}

// inNamespace calls f on a thread in a network namespace. What it opens stays there.
func inNamespace(t *testing.T, name string, f func()) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		err := fmt.Errorf("the test has failed")
		defer func() { done <- err }()
		runtime.LockOSThread() // and never unlocked: the thread ends in its namespace
		ns, e := os.Open("/run/netns/" + name)
		if e != nil {
			err = e
			return
		}
		defer ns.Close()
		if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err == nil {
			f()
		}
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// serve starts the daemon. The text ends with [xdp], without interfaces.
func (w *veth) serve(t *testing.T, text string) {
	t.Helper()
	w.serveBy(t, []string{"ip", "netns", "exec", w.server}, text)
}

// serveBy starts it by a command that runs others in the namespace.
func (w *veth) serveBy(t *testing.T, command []string, text string) {
	t.Helper()
	d := &daemon{t: t, dir: w.dir, log: new(syncBuffer), exited: make(chan struct{})}
	d.config, d.socket = filepath.Join(d.dir, "config.toml"), filepath.Join(d.dir, "admin.sock")
	w.daemon = d
	zone := "$ORIGIN zone.\n@ 3600 SOA ns admin 1 2 3 4 5\n@ NS ns\nwww A 192.0.2.7\n"
	for _, size := range []int{1100, 3000} { // octets of text
		zone += fmt.Sprintf("big%d TXT%s\n", size, strings.Repeat(" "+strings.Repeat("x", 100), size/100))
	}
	if err := os.WriteFile(filepath.Join(d.dir, "zone"), []byte(zone), 0o644); err != nil {
		t.Fatal(err)
	}
	text = fmt.Sprintf(`[server]
listen = [%q, %q]
udp_payload = 4096
[recursion]
validation = false
allow = ["0.0.0.0/0", "::/0"]
[admin]
socket = %q
%s
interfaces = [%q]
[[zone]]
name = "zone."
file = "zone"
`, wireIPv4, wireIPv6, d.socket, text, wireNIC) + forward(".", w.upstream)
	if err := os.WriteFile(d.config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	d.cmd = exec.Command(command[0], append(command[1:], shipped(t, "heimdalld"), "-config", d.config)...)
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { d.cmd.Wait(); close(d.exited) }()
	t.Cleanup(func() {
		d.cmd.Process.Kill()
		<-d.exited
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", d.log)
		}
	})
	until(t, "the daemon to serve", func() bool {
		select {
		case <-d.exited:
			t.Fatalf("the daemon did not start:\n%s", d.log)
		default:
		}
		return strings.Contains(d.log.String(), "msg=serving")
	})
}

// dial opens a UDP socket in the client's namespace.
func (w *veth) dial(t *testing.T, to string) (conn net.Conn) {
	t.Helper()
	var err error
	inNamespace(t, w.client, func() { conn, err = net.Dial("udp", to) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// query asks over UDP until there is a response, as a client does.
func (w *veth) query(t *testing.T, to string, q *dns.Msg) *dns.Msg {
	t.Helper()
	c := dns.Client{Timeout: 2 * time.Second, UDPSize: 4096}
	conn := w.dial(t, to)
	var last error
	for range 5 {
		r, _, err := c.ExchangeWithConn(q, &dns.Conn{Conn: conn, UDPSize: 4096})
		if err == nil {
			return r
		}
		last = err
	}
	t.Fatalf("%s at %s: %v", q.Question[0].String(), to, last)
	return nil
}

// queues lists the receive queues of all shards.
func (w *veth) queues(t *testing.T) (all [][]control.Queue) {
	t.Helper()
	var s control.Shards
	w.ctlJSON(&s, "shards")
	for i := range s.Shards {
		all = append(all, s.Shards[i].Queues)
	}
	return all
}

// received is how many queries came by AF_XDP.
func (w *veth) received(t *testing.T) (n uint64) {
	t.Helper()
	for _, q := range slices.Concat(w.queues(t)...) {
		n += q.Received
	}
	return n
}

// attached tells whether an XDP program is on the server's interface.
func (w *veth) attached(t *testing.T) bool {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), "ip", "-n", w.server, "link", "show", "dev", wireNIC).CombinedOutput()
	if err != nil {
		t.Fatalf("ip link: %v: %s", err, out)
	}
	return strings.Contains(string(out), "xdp")
}
