package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"heimdall/shard/preflight"
)

// inside runs heimdallctl in a namespace, and returns its output and exit code.
func inside(t *testing.T, namespace string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", namespace, shipped(t, "heimdallctl")}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// diagnose runs the doctor and returns its findings by interface and check.
func diagnose(t *testing.T, namespace string, want int, args ...string) map[string]preflight.Finding {
	t.Helper()
	out, code := inside(t, namespace, append([]string{"-json", "doctor"}, args...)...)
	var list []preflight.Finding
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != want {
		t.Fatalf("doctor %q: exit code %d, want %d, %v:\n%s", args, code, want, err, out)
	}
	by := map[string]preflight.Finding{}
	for _, f := range list {
		by[strings.TrimSpace(f.Subject+" "+f.Check)] = f
	}
	return by
}

// The doctor looks at a running daemon in a namespace, and at one that is yet to be started there.
func TestRootDoctor(t *testing.T) {
	t.Parallel()
	l := newLimitLab(t, "native", "")
	by := diagnose(t, l.server, 0, "-socket", l.socket)
	nic := vethServer + " "
	for check, want := range map[string]preflight.Verdict{
		"kernel": preflight.OK, "features": preflight.OK, "programs": preflight.OK, "capabilities": preflight.OK, "memlock": preflight.OK,
		nic + "interface": preflight.OK, nic + "xdp_program": preflight.OK, nic + "mtu": preflight.OK, nic + "vlan_offload": preflight.OK, nic + "irq_affinity": preflight.OK,
	} {
		if f := by[check]; f.Verdict != want {
			t.Errorf("%s: %+v, want %s", check, f, want)
		}
	}
	if f := by[nic+"xdp_program"]; !strings.Contains(f.Found, "own") {
		t.Errorf("the daemon's own program: %q", f.Found)
	}

	// A configuration of another daemon finds the program in its way.
	other := filepath.Join(t.TempDir(), "config.toml")
	text := fmt.Sprintf("[xdp]\nmode = \"native\"\ninterfaces = [%q, \"hd-missing\"]\n[admin]\nsocket = \"none.sock\"\n", vethServer)
	if err := os.WriteFile(other, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	by = diagnose(t, l.server, 1, "-config", other)
	if f := by[nic+"xdp_program"]; f.Verdict != preflight.Fail || !strings.Contains(f.Found, "heimdall") {
		t.Errorf("another daemon's program: %+v", f)
	}
	if f := by["hd-missing interface"]; f.Verdict != preflight.Fail {
		t.Errorf("a missing interface: %+v", f)
	}
	out, code := inside(t, l.server, "doctor", "-config", other)
	if code != 1 || !strings.Contains(out, "fail  "+nic+"xdp_program") || !strings.Contains(out, "ip link set dev "+vethServer+" xdp off") || !strings.Contains(out, "2 of ") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if out, code := inside(t, l.server, "-socket", "/nonexistent", "doctor"); code != 3 || !strings.Contains(out, "-config") {
		t.Errorf("without a daemon and a file: exit code %d:\n%s", code, out)
	}
}

// What tune sets, of what a namespace has for itself: the queues of hd-a veth pair.
func TestRootTune(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("takes root, to make a network namespace")
	}
	ns := fmt.Sprintf("hd-tune-%d", os.Getpid())
	t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() })
	for _, line := range []string{
		"netns add " + ns,
		"link add name hd-a netns " + ns + " numrxqueues 4 numtxqueues 4 type veth peer name hd-b netns " + ns + " numrxqueues 4 numtxqueues 4",
		"-n " + ns + " link set hd-a up", "-n " + ns + " link set hd-b up",
	} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, []byte("[server]\nrcvbuf = \"4KiB\"\nsndbuf = \"4KiB\"\n[cpu]\nshards = 2\npin = false\n[admin]\nsocket = \"none.sock\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tune := func(how string) string {
		t.Helper()
		out, code := inside(t, ns, "tune", how, "-config", config, "-interface", "hd-a")
		if code != 0 {
			t.Fatalf("tune %s: exit code %d:\n%s", how, code, out)
		}
		return out
	}
	wanted, undo := "ethtool -L hd-a rx 2 tx 2\n", "# to take it back:\nethtool -L hd-a rx 4 tx 4\n"
	for range 2 { // to print changes nothing
		if out := tune("-print"); !strings.Contains(out, wanted) || strings.Contains(out, undo) {
			t.Fatalf("tune -print lacks %q:\n%s", wanted, out)
		}
	}
	if out := tune("-apply"); !strings.Contains(out, "# done: queues of hd-a from 4 to 2") || !strings.HasSuffix(out, undo) {
		t.Errorf("tune -apply lacks %q:\n%s", undo, out)
	}
	if out := tune("-apply"); !strings.Contains(out, "# queues of hd-a is right: 2") || strings.Contains(out, "done") {
		t.Errorf("tune -apply, a second time:\n%s", out)
	}
	by := diagnose(t, ns, 0, "-config", config, "-interface", "hd-a")
	if f := by["hd-a queues"]; f.Verdict != preflight.OK {
		t.Errorf("the doctor afterwards: %+v", f)
	}
	for _, args := range [][]string{{"tune"}, {"tune", "-print", "-apply"}} {
		if out, code := inside(t, ns, args...); code != 2 || !strings.Contains(out, "either -print or -apply") {
			t.Errorf("%q: exit code %d: %s", args, code, out)
		}
	}
}
