package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"heimdall/core/config"
	"heimdall/shard/preflight"
)

// fakeMachine has a sysctl that is too low, and a card whose queues are too few until they are set: it then has the
// interrupts of two.
type fakeMachine struct {
	files  fstest.MapFS
	queues int
	refuse bool
	log    []string // of a verifier that rejects a program
}

func newFakeMachine() *fakeMachine {
	m := &fakeMachine{files: fstest.MapFS{}, queues: 1}
	for path, text := range map[string]string{
		"proc/sys/net/core/rmem_max": "212992", "proc/sys/kernel/osrelease": "6.1.0",
		"sys/class/net/eth0/mtu": "1500", "proc/irq/40/smp_affinity_list": "3", "proc/irq/41/smp_affinity_list": "3",
	} {
		m.files[path] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return m
}

func (m *fakeMachine) Files() fs.FS {
	text := " 40: 1 PCI-MSI eth0-TxRx-0\n"
	if m.queues > 1 {
		text += " 41: 1 PCI-MSI eth0-TxRx-1\n"
	}
	m.files["proc/interrupts"] = &fstest.MapFile{Data: []byte(text)}
	return m.files
}

func (m *fakeMachine) Features() []preflight.Feature {
	return []preflight.Feature{{Name: "XDP programs"}}
}

func (m *fakeMachine) SandboxLacks() []string { return nil }

func (m *fakeMachine) Programs() []preflight.Feature {
	f := preflight.Feature{Name: "the program"}
	if m.log != nil {
		f.Err = &preflight.Rejection{Words: m.log[len(m.log)-1], Log: m.log, Cause: fs.ErrInvalid}
	}
	return []preflight.Feature{f}
}

func (m *fakeMachine) Filters() ([]string, error) { return nil, nil }

func (m *fakeMachine) Write(path, value string) error {
	if m.refuse {
		return errors.New("permission denied")
	}
	m.files[path] = &fstest.MapFile{Data: []byte(value)}
	return nil
}

func (m *fakeMachine) Link(string) (preflight.Link, error) {
	return preflight.Link{Driver: "ice", Known: true, Features: 1, Queues: m.queues, MaxQueues: 8}, nil
}

func (m *fakeMachine) SetQueues(_ string, n int) error {
	m.queues = n
	return nil
}

func (m *fakeMachine) Program(uint32) (string, error) { return "", fs.ErrNotExist }

func noDaemon(context.Context, string) (net.Conn, error) { return nil, fs.ErrNotExist }

// runOn runs a command on a machine, with a configuration for one shard, whose daemon does not run.
func runOn(t *testing.T, m preflight.Machine, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte("[cpu]\nshards = 1\n[admin]\nsocket = \"none\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code = run(context.Background(), &environment{
		args: append(args, "-config", path, "-interface", "eth0"), out: &o, errOut: &e, socket: "/nonexistent", machine: m, dial: noDaemon,
	})
	return code, o.String(), e.String()
}

func TestDoctor(t *testing.T) {
	code, out, errOut := runOn(t, newFakeMachine(), "doctor")
	if code != exitOK || errOut != "" {
		t.Fatalf("exit code %d, %s", code, errOut)
	}
	for _, want := range []string{"ok    kernel: Linux 6.1.0\n", "warn  rmem_max: 212992 bytes", "        sysctl -w net.core.rmem_max=4194304\n", "eth0 mtu: 1500 octets"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	_, out, _ = runOn(t, newFakeMachine(), "-json", "doctor")
	var list []preflight.Finding
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) < 10 || list[0].Check != "kernel" || list[0].Verdict != preflight.OK {
		t.Errorf("-json: %v: %s", err, out)
	}
}

func TestTune(t *testing.T) {
	m := newFakeMachine()
	if code, out, errOut := runOn(t, m, "tune", "-print"); code != exitOK || !strings.Contains(out, "\nsysctl -w net.core.rmem_max=4194304\n") || strings.Contains(out, "done") {
		t.Fatalf("exit code %d, output %s%s", code, out, errOut)
	}
	m.refuse = true
	code, out, errOut := runOn(t, m, "tune", "-apply")
	if code != exitFailed || !strings.Contains(out, "# FAILED: net.core.rmem_max from 212992 to 4194304: permission denied") || !strings.Contains(errOut, "changes failed") {
		t.Errorf("refused: exit code %d, output %s%s", code, out, errOut)
	}
	m.refuse = false
	if code, out, _ := runOn(t, m, "tune", "-apply"); code != exitOK || !strings.Contains(out, "# done: net.core.rmem_max from 212992 to 4194304") || !strings.Contains(out, "# to take it back:\n") {
		t.Errorf("exit code %d, output %s", code, out)
	}
	code, out, _ = runOn(t, m, "tune", "-apply", "-json")
	var list []change
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != exitOK || len(list) == 0 {
		t.Fatalf("-json: exit code %d, %v: %s", code, err, out)
	}
	for _, c := range list {
		if c.State != "right" {
			t.Errorf("a second time: %+v", c)
		}
	}
}

// Interrupts that a change of the queues brings are set too, and what is done is taken back from the end.
func TestTuneFollowsQueues(t *testing.T) {
	m := newFakeMachine()
	o := preflight.Options{Config: config.Default(), PID: "self", Interfaces: []string{"eth0"}, Shards: []preflight.Shard{{CPU: 0}, {CPU: 1}}}
	changes, failed := makeChanges(m, o, true)
	var done []string
	for _, c := range changes {
		if c.State == "done" {
			done = append(done, c.What+"="+c.New)
		}
	}
	if got, want := strings.Join(done, ", "), "net.core.rmem_max=4194304, queues of eth0=2, CPU of eth0, queue 0=0, CPU of eth0, queue 1=1"; got != want || failed > 0 {
		t.Errorf("done %s, %d failed; want %s", got, failed, want)
	}
	var b bytes.Buffer
	showChanges(&b, changes)
	if !strings.HasSuffix(b.String(), "\necho 3 > /proc/irq/40/smp_affinity_list\nethtool -L eth0 combined 1\nsysctl -w net.core.rmem_max=212992\n") {
		t.Errorf("%s", b.String())
	}
}

func TestDoctorConfiguration(t *testing.T) {
	for _, args := range [][]string{{"doctor", "-config", "/nonexistent"}, {"tune", "-print", "-config", "/nonexistent"}} {
		if code, _, errOut := runTool("/nonexistent", args...); code != exitFailed || !strings.Contains(errOut, "no such file") {
			t.Errorf("%q: exit code %d, %s", args, code, errOut)
		}
	}
	bad := filepath.Join(t.TempDir(), "bad.toml")
	os.WriteFile(bad, []byte("[cpu]\nshards = \"many\"\n"), 0o644)
	if code, _, errOut := runTool("/nonexistent", "doctor", "-config", bad); code != exitFailed || !strings.Contains(errOut, "cpu.shards") {
		t.Errorf("exit code %d, %s", code, errOut)
	}
}

// The verifier's reason is told in one line, and its whole log with -v.
func TestDoctorRejection(t *testing.T) {
	m := newFakeMachine()
	m.log = []string{"0: (61) r2 = *(u32 *)(r1 +0)", "1: (61) r0 = *(u32 *)(r2 +0)", "invalid access to packet"}
	const words = "the kernel's verifier rejects the program: invalid access to packet\n"
	_, out, _ := runOn(t, m, "doctor")
	if !strings.Contains(out, words) || !strings.Contains(out, "heimdallctl doctor -v") || strings.Contains(out, m.log[0]) {
		t.Errorf("without -v:\n%s", out)
	}
	_, out, _ = runOn(t, m, "doctor", "-v")
	if !strings.Contains(out, words) || !strings.Contains(out, "        | "+strings.Join(m.log, "\n        | ")+"\n") {
		t.Errorf("with -v:\n%s", out)
	}
	for args, want := range map[string]bool{"-json doctor": false, "-json doctor -v": true} {
		if _, out, _ = runOn(t, m, strings.Fields(args)...); strings.Contains(out, `"log":`) != want {
			t.Errorf("%s:\n%s", args, out)
		}
	}
}
