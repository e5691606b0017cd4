package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"heimdall/ebpf"
)

// What is in the way of start-up is an error of -check, which says where in the file and what to do.
func TestCheckFindsWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	busy, other := listenBoth(t, "127.0.0.1")
	defer busy.Close()
	defer other.Close()
	free := freePort(t)
	dir := t.TempDir()
	if err := os.Symlink("/dev/null", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	base := "[server]\nlisten = [%q]\n[admin]\nsocket = %q\n%s\n"
	sock := filepath.Join(dir, "a.sock")
	for name, c := range map[string]struct {
		text string
		code int
		want string
	}{
		"port in use":     {fmt.Sprintf(base, busy.LocalAddr(), sock, ""), 1, "config.toml:2: server.listen[0]"},
		"what has it":     {fmt.Sprintf(base, busy.LocalAddr(), sock, ""), 1, "ss -lntup"},
		"metrics in use":  {fmt.Sprintf(base, free, sock, fmt.Sprintf("metrics = %q", other.Addr())), 1, "config.toml:5: admin.metrics"},
		"no such address": {fmt.Sprintf(base, "192.0.2.77:1053", sock, ""), 1, "server.freebind"},
		"freebind":        {strings.Replace(fmt.Sprintf(base, "192.0.2.77:1053", sock, ""), "listen", "freebind = true\nlisten", 1), 0, "good"},
		"no interface":    {fmt.Sprintf(base, free, sock, "[xdp]\nmode = \"auto\"\ninterfaces = [\"nonesuch0\"]"), 0, "xdp.interfaces[0]: there is no interface nonesuch0"},
		"state is a link": {fmt.Sprintf(base, free, sock, fmt.Sprintf("[recursion]\ntrust_anchor_state = %q", filepath.Join(dir, "link"))), 0, "symbolic link"},
	} {
		out, code := runDaemon(t, "-check", "-config", writeFile(t, "config.toml", c.text))
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d: %s", name, code, out)
		}
	}
}

// What the running daemon of the same configuration has open is in nobody's way.
func TestCheckBesideTheRunningDaemon(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	if out, code := runDaemon(t, "-check", "-config", d.config); code != 0 {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// A user who may neither have port 53 nor write to the socket's folder is told by -check.
func TestRootCheckAsAUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skipf("becomes another user: %v", fmt.Errorf("not root: %w", ebpf.ErrNotSupported))
	}
	dir := t.TempDir()
	for at := dir; at != "/"; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil || filepath.Dir(at) == os.TempDir() {
			break
		}
	}
	config := filepath.Join(dir, "config.toml")
	text := fmt.Sprintf("[server]\nlisten = [\"127.0.0.9:53\"]\n[admin]\nsocket = %q\n", filepath.Join(dir, "a.sock"))
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(shipped(t, "heimdalld"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "heimdalld"), binary, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "heimdalld"), "-check", "-config", config)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); !ok {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"config.toml:2: server.listen[0]", "CAP_NET_BIND_SERVICE", "config.toml:4: admin.socket", "right to write"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// The default addresses are served where there is no IPv6, in a network namespace of the daemon's own.
func TestRootDefaultAddressesWithoutIPv6(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skipf("makes a network namespace: %v", fmt.Errorf("not root: %w", ebpf.ErrNotSupported))
	}
	config := writeFile(t, "config.toml", "")
	script := `ip link set lo up && echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6 && exec "$0" -check -config "$1"`
	cmd := exec.Command("unshare", "-n", "sh", "-c", script, shipped(t, "heimdalld"), config)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the default configuration: %v: %s", err, out)
	}
	only := writeFile(t, "config.toml", "[server]\nlisten = [\"[::1]:1053\"]\n")
	cmd = exec.Command("unshare", "-n", "sh", "-c", script, shipped(t, "heimdalld"), only)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "server.listen[0]") {
		t.Errorf("nothing but [::1]: %v: %s", err, out)
	}
	// And it starts.
	config = writeFile(t, "config.toml", "[recursion]\nenabled = false\n[cpu]\nshards = 1\n")
	script = `ip link set lo up && echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6 && exec "$0" -config "$1"`
	cmd = exec.Command("unshare", "-n", "sh", "-c", script, shipped(t, "heimdalld"), config)
	log := new(syncBuffer)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	until(t, "the daemon to serve", func() bool { return strings.Contains(log.String(), "serving") })
	if strings.Contains(log.String(), "[::1]") && !strings.Contains(log.String(), "no IPv6") {
		t.Errorf("the log says\n%s", log)
	}
}
