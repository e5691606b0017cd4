package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heimdall/core/control"
)

// Profile implements control.Server.
func (d *fakeDaemon) Profile(_ context.Context, args control.ProfileArgs) (*control.Profile, error) {
	return &control.Profile{Octets: []byte("profile of " + args.Kind), Early: args.Kind == control.ProfileTrace}, d.err
}

func TestProfile(t *testing.T) {
	socket, dir := start(t, &fakeDaemon{}), t.TempDir()
	for _, tt := range []struct{ args, want string }{
		{"cpu -seconds 1", "go tool pprof"}, {"heap", "go tool pprof"}, {"trace --seconds=60", "before its time"},
	} {
		kind, _, _ := strings.Cut(tt.args, " ")
		file := filepath.Join(dir, kind)
		code, out, errOut := runTool(socket, append(append([]string{"profile"}, strings.Fields(tt.args)...), "-o", file)...)
		data, err := os.ReadFile(file)
		if code != exitOK || err != nil || string(data) != "profile of "+kind || !strings.Contains(out, tt.want) {
			t.Errorf("%s: exit code %d, %v, %q, %s%s", tt.args, code, err, data, out, errOut)
		}
	}
	if code, out, _ := runTool(socket, "profile", "heap", "-o", "-"); code != exitOK || out != "profile of heap" {
		t.Errorf("to standard output: exit code %d, %q", code, out)
	}
	for _, args := range []string{"", "mutex", "cpu -seconds 61", "cpu -seconds 0", "heap -seconds 1", "cpu heap"} {
		if code, _, errOut := runTool(socket, append([]string{"profile"}, strings.Fields(args)...)...); code != exitUsage {
			t.Errorf("%q: exit code %d, %s", args, code, errOut)
		}
	}
	if code, _, errOut := runTool(socket, "profile", "heap", "-o", filepath.Join(dir, "none", "f")); code != exitFailed {
		t.Errorf("a folder that is not there: exit code %d, %s", code, errOut)
	}
}

// A profile is not written through a link, and what it is called by itself replaces nothing.
func TestProfileReplacesNothing(t *testing.T) {
	socket, dir := start(t, &fakeDaemon{}), t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("precious", []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range []struct{ to, name string }{{"precious", "heimdall-heap.pprof"}, {"precious", "link"}, {"missing", "heimdall.trace"}} {
		if err := os.Symlink(link.to, link.name); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		args string
		code int
	}{
		{"heap", exitFailed}, {"heap -o link", exitFailed}, {"trace", exitFailed}, {"cpu", exitOK}, {"cpu", exitFailed}, {"cpu -o heimdall-cpu.pprof", exitOK},
	} {
		if code, out, errOut := runTool(socket, append([]string{"profile"}, strings.Fields(tt.args)...)...); code != tt.code {
			t.Errorf("%s: exit code %d, %s%s", tt.args, code, out, errOut)
		}
	}
	if data, err := os.ReadFile("precious"); err != nil || string(data) != "data" {
		t.Errorf("what a link leads to: %q, %v", data, err)
	}
	if _, err := os.Lstat("missing"); err == nil {
		t.Error("a file was made behind a link")
	}
	if data, err := os.ReadFile("heimdall-cpu.pprof"); err != nil || string(data) != "profile of cpu" {
		t.Errorf("the profile: %q, %v", data, err)
	}
}
