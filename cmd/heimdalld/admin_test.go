package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// Every command of heimdallctl prints text for people and JSON for programs.
func TestEveryCommand(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, forward(".", up))
	stillRight(t, d, "www.example.")
	for _, c := range []struct {
		args string
		text []string // in the text
		json string   // in the JSON
	}{
		{"status", []string{fmt.Sprint("process ", d.cmd.Process.Pid), d.config, d.addr, "1 of 1 running"}, `"shards_running": 1`},
		{"shards", []string{"SHARD", "running", "replies by RCODE", "NOERROR"}, `"batch_sizes"`},
		{"cache lookup www.example A", []string{"www.example.", "192.0.2.1", "NOERROR"}, `"records"`},
		{"cache stats", []string{"engine segment", "ENTRIES"}, `"engine": "segment"`},
		{"upstreams", []string{up.Addr.String(), "forward", "up"}, `"state": "up"`},
		{"reload", []string{d.config, "nothing has changed"}, `"applied"`},
		{"top -n 1 -interval 100ms", []string{"queries/s", "SHARD"}, `"interval_seconds"`},
		{"cache flush nothing.example", []string{"flushed nothing.example.", "0 entries"}, `"removed": 0`},
		{"cache flush", []string{"flushed everything", "entries removed"}, `"removed"`},
	} {
		out, code := d.ctl(strings.Fields(c.args)...)
		if code != 0 {
			t.Errorf("%s: exit code %d: %s", c.args, code, out)
		}
		for _, want := range c.text {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not in:\n%s", c.args, want, out)
			}
		}
		out, code = d.ctl(append([]string{"-json"}, strings.Fields(c.args)...)...)
		if code != 0 || !json.Valid([]byte(out)) || !strings.Contains(out, c.json) {
			t.Errorf("%s: exit code %d, want %s in: %s", c.args, code, c.json, out)
		}
	}
}

// Scripts rely on the exit codes.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"cache lookup nothing.example A", 1, "not in the cache"},
		{"cache lookup a..b A", 1, "a..b"},
		{"cache lookup www.example NONSENSE", 1, "NONSENSE"},
		{"cache lookup www.example", 2, "NAME and a TYPE"},
		{"cache flush --subtree", 2, "subtree"},
		{"nonsense", 2, "nonsense"},
		{"status extra", 2, "extra"},
		{"-nonsense status", 2, "nonsense"},
		{"top -n -1", 2, "negative"},
		{"-socket /nonexistent.sock status", 3, "/nonexistent.sock"},
		{"-help", 0, "heimdallctl"},
		{"completion bash", 0, "heimdallctl"},
	} {
		if out, code := d.ctl(strings.Fields(c.args)...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d, want %d: %s", c.args, code, c.code, out)
		}
	}
}

func TestCacheLookupAndFlush(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, forward(".", up))
	names := []string{"example.", "a.example.", "b.a.example.", "xa.example.", "other."}
	cached := func() (list []string) {
		for _, n := range names {
			if _, code := d.ctl("cache", "lookup", n, "a"); code == 0 {
				list = append(list, n)
			}
		}
		return list
	}
	for _, n := range names {
		d.ask(n, dns.TypeA)
	}
	if got := cached(); len(got) != len(names) {
		t.Fatalf("cached: %v", got)
	}
	var entry struct {
		Name    string
		Entries []struct {
			Rcode        string
			TTL          int
			Hits         int
			OriginalTTL  int `json:"original_ttl"`
			Bytes        int
			Stale, DO    bool
			Records      []string
			ExtendedCode string `json:"ede"`
		}
	}
	d.ask("other.", dns.TypeA)
	d.ctlJSON(&entry, "cache", "lookup", "OTHER", "A")
	if e := entry.Entries; entry.Name != "other." || len(e) != 1 || e[0].Rcode != "NOERROR" || e[0].TTL > 3600 || e[0].TTL < 3000 ||
		e[0].Hits != 1 || e[0].OriginalTTL != 3600 || e[0].Bytes == 0 || e[0].Stale || e[0].DO || len(e[0].Records) != 1 || !strings.Contains(e[0].Records[0], "192.0.2.1") {
		t.Errorf("%+v", entry)
	}
	for _, c := range []struct {
		args, left string
		removed    int
	}{
		{"xa.EXAMPLE", "[example. a.example. b.a.example. other.]", 1},
		{"a.example --subtree", "[example. other.]", 2},
		{"example", "[other.]", 1},
		{"", "[]", 1},
	} {
		var flushed struct{ Removed int }
		d.ctlJSON(&flushed, append([]string{"cache", "flush"}, strings.Fields(c.args)...)...)
		if got := cached(); fmt.Sprint(got) != c.left || flushed.Removed != c.removed {
			t.Errorf("flush %s: left %v, removed %d", c.args, got, flushed.Removed)
		}
	}
	for _, n := range names {
		d.ask(n, dns.TypeA)
		if asked := up.Count(n); asked != 2 {
			t.Errorf("%s was asked for %d times", n, asked)
		}
	}
}

// upstreams tells which servers are up, which are down, and how they fail.
func TestUpstreamStates(t *testing.T) {
	t.Parallel()
	good, bad, silentOne := newUpstream(t, nil), newUpstream(t, rcode(dns.RcodeServerFailure)), newUpstream(t, silent)
	unasked := newUpstream(t, nil)
	d := start(t, "[resolver]\ntimeout = \"5s\"\n"+forward("good.", good)+forward("bad.", bad)+forward("silent.", silentOne)+
		strings.ReplaceAll(forward("unasked.", unasked), "[[forward]]", "[[stub]]"))
	type server struct {
		Address, State                         string
		Queries, Responses, Timeouts, Failures int
		SRTT                                   float64 `json:"srtt_us"`
	}
	servers := func() map[string]server {
		var list struct {
			Groups []struct {
				Zone, Kind string
				Servers    []server
			}
		}
		d.ctlJSON(&list, "upstreams")
		m := map[string]server{}
		for _, g := range list.Groups {
			m[g.Kind+" "+g.Zone] = g.Servers[0]
		}
		return m
	}
	stillRight(t, d, "www.good.")
	d.ask("www.bad.", dns.TypeA)
	until(t, "the silent server to be down", func() bool {
		d.ask(fmt.Sprintf("n%d.silent.", silentOne.Count("")), dns.TypeA)
		return servers()["forward silent."].State == "down"
	})
	list := servers()
	if s := list["forward good."]; s.State != "up" || s.Queries != 1 || s.Responses != 1 || s.SRTT <= 0 || s.Address != good.Addr.String() {
		t.Errorf("good: %+v", s)
	}
	if s := list["forward bad."]; s.State != "up" || s.Failures == 0 {
		t.Errorf("bad: %+v", s)
	}
	if s := list["forward silent."]; s.Timeouts == 0 || s.Responses != 0 {
		t.Errorf("silent: %+v", s)
	}
	if s := list["stub unasked."]; s.State != "unknown" || s.Queries != 0 {
		t.Errorf("unasked: %+v", s)
	}
	silentOne.Set(answerA)
	until(t, "the server to be up again", func() bool {
		d.ask(fmt.Sprintf("again%d.silent.", silentOne.Count("")), dns.TypeA)
		return servers()["forward silent."].State == "up"
	})
}

// The socket is for its owner and group alone.
func TestAdminSocketMode(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	info, err := os.Lstat(d.socket)
	if err != nil || info.Mode() != os.ModeSocket|0o660 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
}

// Each server's column tells what it sent that answered nothing, and what had to be asked for over TCP.
func TestUpstreamCounters(t *testing.T) {
	t.Parallel()
	kinds := map[string]struct {
		handler               func(dns.ResponseWriter, *dns.Msg)
		mismatches, truncated bool
	}{
		"good":           {handler: answerA},
		"truncating":     {handler: truncatedThen(answerA), truncated: true},
		"wrong-id":       {handler: lie(func(r *dns.Msg) { r.Id++ }), mismatches: true},
		"wrong-name":     {handler: lie(func(r *dns.Msg) { r.Question[0].Name = "other.example." }), mismatches: true},
		"wrong-case":     {handler: lie(func(r *dns.Msg) { r.Question[0].Name = swapCase(r.Question[0].Name) }), mismatches: true},
		"no-qr":          {handler: lie(func(r *dns.Msg) { r.Response = false }), mismatches: true},
		"eleven":         {handler: octets(func(b []byte) []byte { return b[:11] }), mismatches: true},
		"another-source": {handler: from(t, "127.0.0.9:0")}, // The kernel drops it: the socket is connected.
	}
	toml := "[resolver]\ntimeout = \"1s\"\n"
	for name, k := range kinds {
		up := newUpstream(t, k.handler)
		toml += forward(name+".", up)
	}
	d := start(t, toml)
	var all sync.WaitGroup
	for name := range kinds {
		all.Go(func() { exchange(d.addr, question("www."+name+".", dns.TypeA), "udp") })
	}
	all.Wait()
	var list struct {
		Groups []struct {
			Zone    string
			Servers []struct{ Mismatches, Truncated int }
		}
	}
	d.ctlJSON(&list, "upstreams")
	if len(list.Groups) != len(kinds) {
		t.Fatalf("%+v", list)
	}
	for _, g := range list.Groups {
		k, s := kinds[strings.TrimSuffix(g.Zone, ".")], g.Servers[0]
		if (s.Mismatches > 0) != k.mismatches || (s.Truncated > 0) != k.truncated {
			t.Errorf("%s %+v: mismatches wanted: %v, truncated: %v", g.Zone, s, k.mismatches, k.truncated)
		}
	}
}
