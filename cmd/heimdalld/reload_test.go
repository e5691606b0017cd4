package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// reloaded is what heimdallctl -json reload prints.
type reloaded struct {
	Applied      []string
	NeedsRestart []string `json:"needs_restart"`
}

// reloads counts the lines of the log that a reload by signal leaves.
func reloads(d *daemon) int { return strings.Count(d.log.String(), "msg=reloaded by=SIGHUP") }

// A reload changes where names are resolved and who may ask, and keeps the cache.
func TestReloadChangesServersAndClients(t *testing.T) {
	t.Parallel()
	first := newUpstream(t, nil)
	second := newUpstream(t, answerOther)
	address := func(r *dns.Msg) string {
		if len(r.Answer) != 1 {
			return ""
		}
		return r.Answer[0].(*dns.A).A.String()
	}
	d := start(t, forward(".", first))
	stillRight(t, d, "cached.example.")
	d.write("[recursion]\nallow = [\"127.0.0.1/32\"]\n" + forward(".", second))
	var r reloaded
	d.ctlJSON(&r, "reload")
	if got := fmt.Sprint(r.Applied); !strings.Contains(got, "recursion.allow") || !strings.Contains(got, `forward "."`) || len(r.NeedsRestart) != 0 {
		t.Errorf("%+v", r)
	}
	if got := address(d.ask("new.example.", dns.TypeA)); got != "192.0.2.2" {
		t.Errorf("a new name has %q", got)
	}
	if got := address(d.ask("cached.example.", dns.TypeA)); got != "192.0.2.1" || first.Count("cached.example.") != 1 {
		t.Errorf("a cached name has %q", got)
	}
	other := dialFrom(t, "udp", "127.0.0.2", d.addr)
	ask := func() *dns.Msg {
		if err := other.WriteMsg(question("cached.example.", dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		r, err := other.ReadMsg()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := ask(); r.Rcode != dns.RcodeRefused {
		t.Errorf("a client that may no longer ask: %v", r)
	}
	d.write(forward(".", second))
	d.cmd.Process.Signal(syscall.SIGHUP)
	until(t, "the reload by signal", func() bool { return reloads(d) == 1 })
	if r := ask(); r.Rcode != dns.RcodeSuccess {
		t.Errorf("a client that may ask again: %v", r)
	}
}

// A reload changes the payload size that servers are offered.
func TestReloadChangesThePayload(t *testing.T) {
	t.Parallel()
	offered := make(chan uint16, 10)
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if o := q.IsEdns0(); o != nil {
			offered <- o.UDPSize()
		}
		answerA(w, q)
	})
	d := start(t, forward(".", up))
	stillRight(t, d, "a.example.")
	d.write("[server]\nudp_payload = 1400\n" + forward(".", up))
	d.ctlJSON(new(reloaded), "reload")
	stillRight(t, d, "b.example.")
	if first, second := <-offered, <-offered; first != 1232 || second != 1400 {
		t.Errorf("%d and %d octets are offered", first, second)
	}
}

// A file with an error changes nothing. The error names line and key.
func TestReloadOfABadFile(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, forward(".", up))
	stillRight(t, d, "cached.example.")
	good, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(string(good), "[server]", "[server]\nudp_payload = 1", 1)
	bad = strings.Replace(bad, up.Addr.String(), "127.0.0.1:1", 1)
	if err := os.WriteFile(d.config, []byte(bad), 0o644); err != nil {
		t.Fatal(err)
	}
	out, code := d.ctl("reload")
	if code != 1 || !strings.Contains(out, "config.toml:2: server.udp_payload") || !strings.Contains(out, "nothing was changed") {
		t.Errorf("exit code %d: %s", code, out)
	}
	d.cmd.Process.Signal(syscall.SIGHUP)
	until(t, "the error in the log", func() bool {
		return strings.Contains(d.log.String(), "not reloaded") && strings.Contains(d.log.String(), "config.toml:2: server.udp_payload")
	})
	stillRight(t, d, "cached.example.")
	stillRight(t, d, "new.example.")
	if err := os.Remove(d.config); err != nil {
		t.Fatal(err)
	}
	if out, code := d.ctl("reload"); code != 1 || !strings.Contains(out, d.config) {
		t.Errorf("no file: exit code %d: %s", code, out)
	}
	stillRight(t, d, "newer.example.")
}

// What needs a restart is named, every time, until the restart.
func TestReloadNamesWhatNeedsARestart(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, forward(".", up))
	d.write("[cache]\nmemory = \"8MiB\"\nprefetch = 20\n[tcp]\nmax_connections = 2000\n" + forward(".", up))
	for i := range 2 {
		var r reloaded
		d.ctlJSON(&r, "reload")
		if fmt.Sprint(r.NeedsRestart) != "[tcp.max_connections cache.memory]" {
			t.Errorf("needs a restart: %v", r.NeedsRestart)
		}
		if want := [2]string{"[cache.prefetch]", "[]"}[i]; fmt.Sprint(r.Applied) != want {
			t.Errorf("applied: %v, want %s", r.Applied, want)
		}
	}
	if out, code := d.ctl("reload"); code != 0 || !strings.Contains(out, "needs a restart: cache.memory") {
		t.Errorf("exit code %d: %s", code, out)
	}
	d.write(forward(".", up))
	var r reloaded
	d.ctlJSON(&r, "reload")
	if len(r.NeedsRestart) != 0 || fmt.Sprint(r.Applied) != "[cache.prefetch]" {
		t.Errorf("back to what it was: %+v", r)
	}
}

// Clients that ask all the time, for cached and new names over UDP and TCP, do not notice reloads.
func TestReloadLosesNoQuery(t *testing.T) {
	t.Parallel()
	ups := [2]*upstream{newUpstream(t, nil), newUpstream(t, nil)}
	toml := "[cpu]\nshards = 2\npin = false\n"
	d := start(t, toml+forward(".", ups[0]))
	stillRight(t, d, "cached.example.")
	stop := make(chan struct{})
	var all sync.WaitGroup
	for client := range 4 {
		all.Go(func() {
			c, err := dns.Dial([]string{"udp", "tcp"}[client%2], d.addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := "cached.example."
				if i%2 == 0 {
					name = fmt.Sprintf("n%d.c%d.example.", i, client)
				}
				q := question(name, dns.TypeA)
				c.SetDeadline(time.Now().Add(patience))
				if err := c.WriteMsg(q); err != nil {
					t.Error(err)
					return
				}
				if r, err := c.ReadMsg(); err != nil || r.Id != q.Id || r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1 {
					t.Errorf("query %d of client %d: %v, %v", i, client, r, err)
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	for i := range 20 {
		d.write(toml + forward(".", ups[(i+1)%2]))
		if i%2 == 0 {
			var r reloaded
			d.ctlJSON(&r, "reload")
			if fmt.Sprint(r.Applied) != `[forward "."]` {
				t.Errorf("reload %d: %+v", i, r)
			}
			continue
		}
		d.cmd.Process.Signal(syscall.SIGHUP)
		until(t, "the reload by signal", func() bool { return reloads(d) == i/2+1 })
	}
	close(stop)
	all.Wait()
	if n := ups[0].Count("cached.example.") + ups[1].Count("cached.example."); n > 2 {
		t.Errorf("a cached name was asked for %d times by 2 shards", n)
	}
	if ups[0].Count("") == 0 || ups[1].Count("") == 0 {
		t.Errorf("the servers were asked %d and %d times", ups[0].Count(""), ups[1].Count(""))
	}
	unhurt(t, d)
}

// A failure goes with the forwarder that caused it: once another is configured, the name is answered.
func TestFailureEndsWithItsForwarder(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, rcode(dns.RcodeServerFailure))))
	for range 2 { // the second time out of the cache
		if r := d.ask("www.example.", dns.TypeA); r.Rcode != dns.RcodeServerFailure {
			t.Fatal(r)
		}
	}
	d.write(forward(".", newUpstream(t, answerA)))
	if out, code := d.ctl("reload"); code != 0 {
		t.Fatal(out)
	}
	if r := d.ask("www.example.", dns.TypeA); r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1 {
		t.Error(r)
	}
}
