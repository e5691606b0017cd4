package preflight

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Files are written below the root, and only those that are there.
func TestThisMachineWrites(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "proc/sys/net/core")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "rmem_max"), []byte("212992\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	m := ThisMachine(root)
	plan := TuningPlan(m, options())
	if len(plan) != 1 || plan[0].Done() {
		t.Fatalf("plan %+v", plan)
	}
	if err := plan[0].Apply(m); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "rmem_max")); string(got) != "4194304\n" {
		t.Errorf("the file has %q, %v", got, err)
	}
	if err := m.Write("proc/sys/net/core/wmem_max", "1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Every machine has a loopback interface, without a program.
func TestThisMachineLink(t *testing.T) {
	m := ThisMachine("/")
	l, err := m.Link("lo")
	if err != nil || l.XDP != 0 {
		t.Errorf("lo: %+v, %v", l, err)
	}
	if _, major, minor := version(m); (major > 6 || major == 6 && minor >= 3) && !l.Known {
		t.Error("the kernel tells what drivers can do, and was not heard")
	}
	if _, err := m.Link("hd-no-such"); err == nil {
		t.Error("an interface that is not there has a link")
	}
	if err := m.SetQueues("lo", 1); err == nil {
		t.Error("lo has queues to set")
	}
	for _, f := range m.Features() {
		if f.Name == "" {
			t.Error("a feature without a name")
		}
	}
}
