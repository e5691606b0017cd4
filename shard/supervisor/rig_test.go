package supervisor

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// patience bounds every wait. It is a guard against hanging, not a claim about speed.
const patience = 30 * time.Second

// rig is a supervisor with one shard on real sockets, and a server that answers every name.
type rig struct {
	*Supervisor
	t    *testing.T
	addr string
	log  *syncBuffer

	mu    sync.Mutex
	asked map[string]int
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, log: new(syncBuffer), asked: map[string]int{}}
	up, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &dns.Server{PacketConn: up, Handler: r}
	go srv.ActivateAndServe()
	t.Cleanup(func() { srv.Shutdown() })
	for range 5 { // a free port may be taken before it is wanted
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r.addr = l.Addr().String()
		l.Close()
		if r.Supervisor, err = Start(t.Context(), r.options(up.LocalAddr().String())); err == nil {
			t.Cleanup(r.Stop)
			return r
		}
		t.Log(err)
	}
	t.Fatal("the supervisor does not start")
	return nil
}

func (r *rig) options(up string) Options {
	r.t.Helper()
	dir := r.t.TempDir()
	path := filepath.Join(dir, "config.toml")
	text := fmt.Sprintf("[server]\nlisten = [%q]\n[cpu]\nshards = 1\npin = false\n[cache]\nmemory = \"1MiB\"\n[admin]\nsocket = %q\n[recursion]\nvalidation = false\n[[forward]]\nzone = \".\"\nservers = [%q]\n",
		r.addr, filepath.Join(dir, "admin.sock"), up)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
	c, _, err := LoadConfig(path)
	if err != nil {
		r.t.Fatal(err)
	}
	return Options{Config: c, Path: path, Log: slog.New(slog.NewTextHandler(r.log, nil))}
}

// ServeDNS implements dns.Handler.
func (r *rig) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	r.mu.Lock()
	r.asked[dns.CanonicalName(q.Question[0].Name)]++
	r.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	m.RecursionAvailable = true
	m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 3600}, A: net.IPv4(192, 0, 2, 1)}}
	w.WriteMsg(m)
}

func (r *rig) count(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[name]
}

// dial connects to the shard.
func (r *rig) dial(network string) *dns.Conn {
	r.t.Helper()
	c, err := dns.DialTimeout(network, r.addr, patience)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// answered sends a query, if name is not empty, and checks the response.
func (r *rig) answered(c *dns.Conn, name string) {
	r.t.Helper()
	c.SetDeadline(time.Now().Add(patience))
	if name != "" {
		if err := c.WriteMsg(new(dns.Msg).SetQuestion(name, dns.TypeA)); err != nil {
			r.t.Fatal(err)
		}
	}
	if m, err := c.ReadMsg(); err != nil || len(m.Answer) != 1 {
		r.t.Fatalf("%s: %v, %v", name, m, err)
	}
}

func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
