package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Each profile comes over the admin socket while queries are answered, and is what the tools of Go read. One is taken at a
// time, and the log tells who took it.
func TestProfiles(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d := start(t, forward(".", up))
	dir := t.TempDir()
	slow := exec.Command(shipped(t, "heimdallctl"), "-socket", d.socket, "-timeout", patience.String(), "profile", "cpu", "-seconds", "2", "-o", filepath.Join(dir, "cpu"))
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	refused := ""
	until(t, "a second profile to be refused", func() bool {
		out, code := d.ctl("profile", "heap", "-o", filepath.Join(dir, "heap"))
		refused = out
		return code == 1 || slow.ProcessState != nil
	})
	if !strings.Contains(refused, "another profile") {
		t.Errorf("a second profile: %s", refused)
	}
	for range 200 {
		stillRight(t, d, "www.example.")
	}
	if err := slow.Wait(); err != nil {
		t.Fatalf("the first profile: %v", err)
	}
	for _, args := range [][]string{{"heap"}, {"trace", "-seconds", "1"}} {
		d.ask("other.example.", dns.TypeA)
		if out, code := d.ctl(append(append([]string{"profile"}, args...), "-o", filepath.Join(dir, args[0]))...); code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, out)
		}
	}
	for file, look := range map[string]struct {
		tool []string
		want string
	}{
		"cpu":   {[]string{"tool", "pprof", "-raw"}, "cpu/nanoseconds"},
		"heap":  {[]string{"tool", "pprof", "-raw"}, "inuse_space/bytes"},
		"trace": {[]string{"tool", "trace", "-d=parsed"}, "Sync"},
	} {
		out, err := exec.Command("go", append(look.tool, filepath.Join(dir, file))...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), look.want) {
			t.Errorf("%s: %v: %.500s", file, err, out)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "heap")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
	if !strings.Contains(d.log.String(), "took a profile") {
		t.Error("the log does not tell of profiles")
	}
	stillRight(t, d, "www.example.")
}
