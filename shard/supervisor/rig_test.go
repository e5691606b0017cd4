package supervisor

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"heimdall/core/config"
	"heimdall/shard/settings"
	"heimdall/shard/shardtest"

	"github.com/miekg/dns"
)

const patience = shardtest.Patience

var until = shardtest.Until

// rig is a supervisor with one shard on real sockets, and a server that answers every name.
type rig struct {
	*Supervisor
	t    testing.TB
	addr string
	log  *shardtest.Buffer
	up   *shardtest.Upstream
}

func newRig(t testing.TB) *rig {
	t.Helper()
	return newRigWith(t, func(*config.Config) {})
}

// newRigWith is newRig with a change of the configuration, which is called for each try.
func newRigWith(t testing.TB, change func(*config.Config)) *rig {
	t.Helper()
	r := &rig{t: t, log: new(shardtest.Buffer), up: shardtest.NewUpstream(t, nil)}
	for range 5 { // a free port may be taken before it is wanted
		r.addr = shardtest.FreePort(t)
		o := r.options(r.up.Addr.String())
		change(o.Config)
		var err error
		if r.Supervisor, err = Start(t.Context(), o); err == nil {
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
	c, _, err := settings.Load(path)
	if err != nil {
		r.t.Fatal(err)
	}
	return Options{Config: c, Path: path, Log: slog.New(slog.NewTextHandler(r.log, nil))}
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
