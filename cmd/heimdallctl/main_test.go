package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"heimdall/core/control"
)

var update = flag.Bool("update", false, "write the golden files in testdata anew")

// runTool runs one command line against the socket at path.
func runTool(path string, args ...string) (code int, out, errOut string) {
	return runWith(context.Background(), path, nil, args...)
}

func runWith(ctx context.Context, path string, keys <-chan byte, args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = run(ctx, &environment{
		args: args, out: &o, errOut: &e, socket: path,
		dial: func(ctx context.Context, path string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
		after: func(time.Duration) <-chan time.Time {
			now := make(chan time.Time, 1)
			if keys == nil {
				now <- time.Time{}
			}
			return now
		},
		terminal: func() (<-chan byte, func()) { return keys, func() {} },
		size:     func() (int, int) { return 0, 0 },
	})
	return code, o.String(), e.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestOutput(t *testing.T) {
	for _, tt := range []struct {
		name string
		args string
	}{
		{"status", "status"},
		{"status-json", "-json status"},
		{"health", "health"},
		{"health-json", "health -json"},
		{"shards", "shards"},
		{"shards-json", "shards --json"},
		{"lookup", "cache lookup www.example. a"},
		{"flush", "cache flush"},
		{"flush-name", "cache flush www.example."},
		{"flush-subtree", "cache flush -subtree example."},
		{"stats", "cache stats"},
		{"upstreams", "upstreams"},
		{"reload", "reload"},
		{"zones", "zones"},
		{"zones-json", "zones -json"},
		{"zone-reload", "zone reload example."},
		{"zone-reload-json", "zone reload example. -json"},
		{"zone-lookup", "zone lookup www.example. a"},
		{"zone-lookup-do", "zone lookup gone.example. a --do"},
		{"zone-lookup-json", "-json zone lookup www.example. a"},
		{"top", "top -n 2"},
		{"top-json", "top -json -iterations=2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errOut := runTool(start(t, &fakeDaemon{}), strings.Fields(tt.args)...)
			if code != exitOK || errOut != "" {
				t.Fatalf("exit code %d, error output %q", code, errOut)
			}
			golden(t, tt.name, out)
		})
	}
}

// TestHelp: every command is named, and the exit codes are.
func TestHelp(t *testing.T) {
	code, out, _ := runTool("/nonexistent", "-help")
	for _, want := range []string{"status", "shards", "cache", "upstreams", "reload", "top", "zones", "zone ", "xdp", "completion", "3  no daemon answers"} {
		if code != exitOK || !strings.Contains(out, want) {
			t.Errorf("-help: exit code %d, lacks %q:\n%s", code, want, out)
		}
	}
}

// TestSocketFlag: the path may follow one dash or two, with or without an equals
// sign, before or after the command.
func TestSocketFlag(t *testing.T) {
	path := start(t, &fakeDaemon{})
	for _, args := range [][]string{
		{"-socket", path, "status"}, {"--socket", path, "status"}, {"-socket=" + path, "status"},
		{"status", "-socket", path}, {"cache", "-socket", path, "stats"}, {"top", "-n1", "-socket", path},
	} {
		if code, _, errOut := runTool("/nonexistent", args...); code != exitOK {
			t.Errorf("%q: exit code %d, %s", args, code, errOut)
		}
	}
}

func TestFlushArguments(t *testing.T) {
	d := &fakeDaemon{}
	path := start(t, d)
	runTool(path, "cache", "flush")
	runTool(path, "cache", "flush", "--subtree", "example.")
	runTool(path, "cache", "flush", "--", "-json.example.")
	want := []control.CacheFlushArgs{{}, {Name: "example.", Subtree: true}, {Name: "-json.example."}}
	if !slices.Equal(d.flushed, want) {
		t.Errorf("the daemon was asked to flush %+v, want %+v", d.flushed, want)
	}
}

// TestUsageErrors: exit code 2, a reason, what to read, and no daemon asked.
func TestUsageErrors(t *testing.T) {
	for _, tt := range []struct {
		args []string
		text string
	}{
		{nil, "a command is missing"},
		{[]string{"staus"}, "status"},
		{[]string{"cache"}, "cache lookup"},
		{[]string{"cache", "lookup", "a."}, "a NAME and a TYPE"},
		{[]string{"cache", "flush", ""}, "at most one NAME"},
		{[]string{"cache", "flush", "a.", "b."}, "at most one NAME"},
		{[]string{"cache", "flush", "-subtree"}, "needs a NAME"},
		{[]string{"zone"}, "zone reload"},
		{[]string{"zones", "example."}, "example."},
		{[]string{"zone", "reload"}, "either a NAME or -all"},
		{[]string{"zone", "reload", "--all", "example."}, "either a NAME or -all"},
		{[]string{"zone", "reload", ""}, "a NAME or -all"},
		{[]string{"zone", "lookup", "example."}, "a NAME and a TYPE"},
		{[]string{"status", "now"}, "now"},
		{[]string{"-jsn", "status"}, "--jsn"},
		{[]string{"-timeout", "soon", "status"}, "soon"},
		{[]string{"top", "-interval", "1ms"}, "at least 100ms"},
		{[]string{"top", "-n", "-5"}, "not negative"},
	} {
		code, out, errOut := runTool("/nonexistent", tt.args...)
		if code != exitUsage || out != "" || !strings.Contains(errOut, tt.text) || !strings.Contains(errOut, "-help") {
			t.Errorf("%q: exit code %d, output %q, error output %q; want %d and %q", tt.args, code, out, errOut, exitUsage, tt.text)
		}
	}
}

func TestUnreachable(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	for _, tt := range []struct {
		name   string
		answer func(net.Conn) // nil: the path is used as it is
		path   string
		text   string
		hint   string
	}{
		{"missing", nil, filepath.Join(dir, "missing"), "no such socket", "start heimdalld"},
		{"stale", nil, stale, "nothing listens", "start heimdalld"},
		{"silent", func(c net.Conn) { c.Read(make([]byte, 100)); time.Sleep(time.Second) }, "", "no answer in time", "-timeout"},
		{"hangs up", func(c net.Conn) { c.Read(make([]byte, 100)) }, "", "EOF", "start heimdalld"},
		{"stranger", func(c net.Conn) { c.Read(make([]byte, 100)); fmt.Fprint(c, "220 mail.example ESMTP\r\n") }, "", "not a heimdalld", "admin.socket"},
		{"wrong data", func(c net.Conn) { c.Read(make([]byte, 100)); fmt.Fprintln(c, `{"data":[1]}`) }, "", "not a heimdalld", "admin.socket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.path
			if tt.answer != nil {
				path = filepath.Join(t.TempDir(), "s")
				l, err := net.Listen("unix", path)
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				go func() {
					if c, err := l.Accept(); err == nil {
						tt.answer(c)
						c.Close()
					}
				}()
			}
			code, out, errOut := runTool(path, "-timeout", "200ms", "status")
			if code != exitUnreachable || out != "" {
				t.Errorf("exit code %d, output %q", code, out)
			}
			for _, want := range []string{path, tt.text, tt.hint} {
				if !strings.Contains(errOut, want) {
					t.Errorf("error output %q lacks %q", errOut, want)
				}
			}
		})
	}
}

// TestRefused: the daemon's own words reach the operator, and with -json a program.
func TestRefused(t *testing.T) {
	path := start(t, &fakeDaemon{err: &control.Error{
		Code: control.CodeInvalidConfig, Message: "the configuration has 2 errors, nothing was changed", Hint: "correct it and reload again",
		Details: []string{"config.toml:3: cpu.shards: \"many\" is not a number", "config.toml:9: cache.memroy: unknown key"},
	}})
	code, out, errOut := runTool(path, "reload")
	if code != exitFailed || out != "" {
		t.Errorf("exit code %d, output %q", code, out)
	}
	golden(t, "reload-refused", errOut)

	code, out, _ = runTool(path, "-json", "reload")
	var resp control.Response
	if err := json.Unmarshal([]byte(out), &resp); err != nil || resp.Error == nil || resp.Error.Code != control.CodeInvalidConfig || len(resp.Error.Details) != 2 || code != exitFailed {
		t.Errorf("-json: exit code %d, output %q, %v", code, out, err)
	}
}

// TestLookupNotFound: exit code 1, and with -json still the data.
func TestLookupNotFound(t *testing.T) {
	path := start(t, &fakeDaemon{})
	code, out, errOut := runTool(path, "cache", "lookup", "gone.example.", "A")
	if code != exitFailed || out != "" || !strings.Contains(errOut, "gone.example. A is not in the cache") {
		t.Errorf("exit code %d, output %q, error output %q", code, out, errOut)
	}
	code, out, errOut = runTool(path, "-json", "cache", "lookup", "gone.example.", "A")
	if code != exitFailed || !strings.Contains(out, `"entries": []`) || errOut != "" {
		t.Errorf("-json: exit code %d, output %q, error output %q", code, out, errOut)
	}
}

// TestTopQuits: q ends it, other keys do not, and so does an interrupt.
func TestTopQuits(t *testing.T) {
	path := start(t, &fakeDaemon{})
	keys := make(chan byte, 2)
	keys <- 'x'
	keys <- 'q'
	code, out, errOut := runWith(context.Background(), path, keys, "top")
	if code != exitOK || errOut != "" || len(keys) != 0 || !strings.HasSuffix(out, cursorShow) {
		t.Errorf("after q: exit code %d, output %q, error output %q, %d keys left", code, out, errOut, len(keys))
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if code, _, errOut := runWith(ctx, path, make(chan byte), "top"); code != exitOK {
		t.Errorf("after an interrupt: exit code %d, error output %q", code, errOut)
	}
}

// TestCompletion: shells get a script, and types are offered after a name.
func TestCompletion(t *testing.T) {
	code, out, _ := runTool("/nonexistent", "completion", "bash")
	if code != exitOK || !strings.Contains(out, "__start_heimdallctl") {
		t.Errorf("completion bash: exit code %d, output %.80q", code, out)
	}
	_, out, _ = runTool("/nonexistent", "__complete", "cache", "lookup", "example.", "d")
	if !strings.HasPrefix(out, "DNSKEY\nDS\n:4") {
		t.Errorf("completion of a type: %q", out)
	}
}

// Whoever is not healthy makes the exit code 1; who does not answer, 3. The text says why, and cannot steer a terminal.
func TestHealthExitCodes(t *testing.T) {
	code, out, errOut := runTool(start(t, &fakeDaemon{sick: true}), "health")
	if code != exitFailed || !strings.Contains(out, "FAIL  zones: 1 of 2") || !strings.Contains(errOut, "should not get queries") || strings.Contains(out+errOut, "\x1b") {
		t.Errorf("exit code %d: %q, %q", code, out, errOut)
	}
	if code, out, errOut := runTool(start(t, &fakeDaemon{sick: true}), "health", "-json"); code != exitFailed || !strings.Contains(out, `"healthy": false`) || errOut != "" {
		t.Errorf("exit code %d: %q, %q", code, out, errOut)
	}
	if code, _, _ := runTool(filepath.Join(t.TempDir(), "none"), "health"); code != exitUnreachable {
		t.Errorf("exit code %d without a daemon", code)
	}
}
