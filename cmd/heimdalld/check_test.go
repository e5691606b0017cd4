package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// -check finds every error of a file, each with its line and key, and opens nothing.
func TestCheck(t *testing.T) {
	t.Parallel()
	bad := writeFile(t, "bad.toml", `[server]
listen = ["127.0.0.1:53000", "nonsense"]
lisen = []

[cache]
memory = "256"
max_ttl = "8d"

[resolver]
in_flight = 0

[[forward]]
zone = "a..b."
servers = ["192.0.2.1:99999"]

[[forward]]
servers = ["192.0.2.1"]
`)
	out, code := runDaemon(t, "-check", "-config", bad)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		"bad.toml:2: server.listen", "bad.toml:3: server.lisen", "bad.toml:6: cache.memory", "bad.toml:7: cache.max_ttl",
		"bad.toml:10: resolver.in_flight", "bad.toml:13: forward[0].zone", "bad.toml:14: forward[0].servers", "forward[1].zone",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if out, code := runDaemon(t, "-config", bad); code != 1 || !strings.Contains(out, "bad.toml:6: cache.memory") {
		t.Errorf("start-up with the same file: exit code %d: %s", code, out)
	}
	broken := writeFile(t, "broken.toml", "[server]\nlisten = [\"127.0.0.1:1053\"\n[cache]\n")
	if out, code := runDaemon(t, "-check", "-config", broken); code != 1 || !strings.Contains(out, "broken.toml:") {
		t.Errorf("not TOML: exit code %d: %s", code, out)
	}
}

// -check of a good file says so, beside the daemon that has it in use.
func TestCheckBesideTheDaemon(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	if out, code := runDaemon(t, "-check", "-config", d.config); code != 0 || !strings.Contains(out, "good") {
		t.Errorf("exit code %d: %s", code, out)
	}
	stillRight(t, d, "www.example.")
}

// What start-up would fail on beyond the text is found as well.
func TestCheckFindsWhatStartUpWould(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"no such CPU":          {"[cpu]\nshards = \"900-901\"\n", "config.toml:2: cpu.shards"},
		"no such address":      {"[server]\nlisten = [\n\"127.0.0.1:1053\",\n\"192.0.2.77:1053\"]\n", "config.toml:4: server.listen[1]"},
		"no such folder":       {"[admin]\nsocket = \"/nonexistent/x/a.sock\"\n", "config.toml:2: admin.socket"},
		"the socket is a file": {fmt.Sprintf("[admin]\nsocket = %q\n", file), "config.toml:2: admin.socket"},
		"metrics elsewhere":    {"[admin]\nmetrics = \"192.0.2.77:9153\"\n", "config.toml:2: admin.metrics"},
	} {
		out, code := runDaemon(t, "-check", "-config", writeFile(t, "config.toml", c.text))
		if code != 1 || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d: %s", name, code, out)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-version"}, 0, "heimdalld"},
		{[]string{"-help"}, 0, "-config"},
		{[]string{"-nonsense"}, 2, "nonsense"},
		{[]string{"serve"}, 2, "serve"},
		{[]string{"-log", "loud"}, 2, "loud"},
		{[]string{"-config", "/nonexistent.toml"}, 1, "/nonexistent.toml"},
		{[]string{"-config", t.TempDir()}, 1, "directory"},
		{[]string{"-check", "-config", "/nonexistent.toml"}, 1, "/nonexistent.toml"},
	} {
		if out, code := runDaemon(t, c.args...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, c.code, out)
		}
	}
}
