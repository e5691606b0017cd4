package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/control"
)

// startCopy is start with a binary of the test's own, which it may replace. It returns the path of that.
func startCopy(t *testing.T, toml string) (d *daemon, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "heimdalld")
	install(t, path, shipped(t, "heimdalld"))
	for range 5 {
		if d = tryStart(t, freePort(t), toml, "sh", "-c", `shift; exec "$0" "$@"`, path); d != nil {
			return d, path
		}
	}
	t.Fatal("the daemon does not find a port")
	return nil, ""
}

// install puts a copy of a file in the place of a binary, as packages do: beside it and renamed.
func install(t *testing.T, path, from string) {
	t.Helper()
	if out, err := exec.Command("cp", from, path+".new").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// A new process that does not come to serve changes nothing, and heimdallctl tells why. Then the right one can take over.
func TestUpgradeFails(t *testing.T) {
	t.Parallel()
	d, path := startCopy(t, "[cpu]\nshards = 2\npin = false\n"+forward(".", newUpstream(t, answerA)))
	pid := d.cmd.Process.Pid
	a := newAsker(t, d.addr, 50)
	a.run("udp", false)
	a.run("tcp", false)
	a.run("tcp", true)
	script := func(text string) {
		from := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(from, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		install(t, path, from)
	}
	good, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, binary, config, why string
	}{
		{"is no program", "\x7fELF, or not", "", "exec format error"},
		{"ends at once", "#!/bin/sh\nexit 3\n", "", "exit status 3"},
		{"is killed", "#!/bin/sh\nkill -SEGV $$\n", "", "segmentation fault"},
		{"hangs", "#!/bin/sh\nexec sleep 1000\n", "", "in time"},
		{"does not like the configuration", "", "[cache]\nmemory = \"none\"\n", "cache.memory"},
		{"does not get the address of its metrics", "", string(good) + "metrics = \"192.0.2.78:53\"\n", "192.0.2.78"}, // after it has the admin socket
		{"does not get its address", "", "[server]\nlisten = [\"192.0.2.77:53\"]\n", "192.0.2.77"},
	} {
		if c.binary != "" {
			script(c.binary)
		} else {
			install(t, path, shipped(t, "heimdalld"))
		}
		text := good
		if c.config != "" {
			text = []byte(c.config)
		}
		if err := os.WriteFile(d.config, text, 0o644); err != nil {
			t.Fatal(err)
		}
		within := "30s"
		if c.name == "hangs" {
			within = "1s"
		}
		out, code := d.ctl("upgrade", "-within", within)
		if code != 1 || !strings.Contains(out, c.why) || !strings.Contains(out, "goes on serving") {
			t.Errorf("a binary that %s: exit code %d: %s", c.name, code, out)
		}
		var st control.Status
		if d.ctlJSON(&st, "status"); st.PID != pid || st.ShardsRunning != 2 {
			t.Errorf("after a binary that %s: process %d with %d shards, not %d", c.name, st.PID, st.ShardsRunning, pid)
		}
		a.more(50)
	}
	if err := os.WriteFile(d.config, good, 0o644); err != nil {
		t.Fatal(err)
	}
	install(t, path, shipped(t, "heimdalld"))
	if u := d.upgrade(); u.PID == pid {
		t.Errorf("the right binary: %+v", u)
	}
	a.more(50)
	a.end()
}

// Of two who ask at once one gets an upgrade, and the other is told that one is under way.
func TestUpgradeTwiceAtOnce(t *testing.T) {
	t.Parallel()
	d, path := startCopy(t, forward(".", newUpstream(t, answerA)))
	from := filepath.Join(t.TempDir(), "slow")
	// It waits until the other one has been asked for.
	wait := filepath.Join(t.TempDir(), "wait")
	text := "#!/bin/sh\nwhile [ ! -e '" + wait + "' ]; do sleep 0.01; done\nexec '" + shipped(t, "heimdalld") + "' \"$@\"\n"
	if err := os.WriteFile(from, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	install(t, path, from)
	var first sync.WaitGroup
	var u control.Upgrade
	first.Go(func() { u = d.upgrade() })
	until(t, "the first upgrade", func() bool { return strings.Contains(d.log.String(), "upgrading") })
	if out, code := d.ctl("upgrade"); code != 1 || !strings.Contains(out, "under way") {
		t.Errorf("the second upgrade: exit code %d: %s", code, out)
	}
	if out, code := d.ctl("reload"); code != 1 || !strings.Contains(out, "under way") {
		t.Errorf("a reload meanwhile: exit code %d: %s", code, out)
	}
	if err := os.WriteFile(wait, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	first.Wait()
	if u.PID == 0 || u.PID == d.cmd.Process.Pid {
		t.Errorf("%+v", u)
	}
	if r := d.ask("www.example.", dns.TypeA); len(r.Answer) != 1 {
		t.Error(r)
	}
}

// When the old process dies in the midst, the new one goes on with what it has.
func TestUpgradeWhoseOldProcessDies(t *testing.T) {
	t.Parallel()
	d, path := startCopy(t, "[cpu]\nshards = 2\npin = false\n"+forward(".", newUpstream(t, answerA)))
	from, stage := filepath.Join(t.TempDir(), "slow"), t.TempDir()
	// It holds before it looks at what it is given, which waits in its socket.
	text := "#!/bin/sh\necho $$ >'" + stage + "/pid.new'\nmv '" + stage + "/pid.new' '" + stage + "/pid'\n" +
		"while [ ! -e '" + stage + "/go' ]; do sleep 0.01; done\nexec '" + shipped(t, "heimdalld") + "' \"$@\"\n"
	if err := os.WriteFile(from, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	install(t, path, from)
	ctl := exec.Command(shipped(t, "heimdallctl"), "-socket", d.socket, "upgrade")
	if err := ctl.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the new process", func() bool { _, err := os.Stat(stage + "/pid"); return err == nil })
	d.cmd.Process.Signal(syscall.SIGKILL)
	ctl.Wait()
	if err := os.WriteFile(stage+"/go", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var st control.Status
	until(t, "the new process to serve", func() bool {
		c := dns.Client{Timeout: time.Second} // what comes while it opens its sockets may be lost
		r, _, err := c.Exchange(question("www.example.", dns.TypeA), d.addr)
		return err == nil && len(r.Answer) == 1
	})
	d.ctlJSON(&st, "status")
	d.owns(st.PID)
	if st.PID == d.cmd.Process.Pid || st.ShardsRunning != 2 {
		t.Errorf("process %d with %d shards", st.PID, st.ShardsRunning)
	}
}

// The group of the admin socket may look, but only root and the daemon's own user start a process by it.
func TestRootUpgradeIsForTheOwner(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, answerA)))
	ctl := filepath.Join(t.TempDir(), "heimdallctl")
	install(t, ctl, shipped(t, "heimdallctl"))
	for _, dir := range []string{filepath.Dir(filepath.Dir(ctl)), filepath.Dir(filepath.Dir(d.socket))} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	as := func(args ...string) string {
		cmd := exec.Command(ctl, append([]string{"-socket", d.socket}, args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 0}}
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if out := as("status"); !strings.Contains(out, "heimdalld") {
		t.Fatalf("the socket's group may not look: %s", out)
	}
	if out := as("upgrade"); !strings.Contains(out, "only root") {
		t.Errorf("upgrade: %s", out)
	}
	var st control.Status
	if d.ctlJSON(&st, "status"); st.PID != d.cmd.Process.Pid {
		t.Errorf("process %d, not %d", st.PID, d.cmd.Process.Pid)
	}
}
