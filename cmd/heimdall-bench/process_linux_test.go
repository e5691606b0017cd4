package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

// TestProcess reads the figures of this process and of a child that stands still.
func TestProcess(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	me := []int{os.Getpid()}
	if got := family(me); !slices.Contains(got, child.Process.Pid) || !slices.Contains(got, me[0]) {
		t.Errorf("family %v lacks %d or its child %d", got, me[0], child.Process.Pid)
	}
	before := cpuTimes(me)
	sum := 0
	for i := range 50_000_000 {
		sum += i ^ sum
	}
	if ran := cpuSince(before, cpuTimes(me)); ran < 1e6 || sum == 1 {
		t.Errorf("%d ns of CPU time for 50 million steps", ran)
	}
	if ran := cpuSince(map[string]uint64{"gone": 7e9, "same": 5}, map[string]uint64{"same": 9, "new": 3}); ran != 7 {
		t.Errorf("%d ns, want 4 of the old thread and 3 of the new one", ran)
	}
	if size := proportionalSize(me); size < 1<<20 {
		t.Errorf("%d bytes of memory", size)
	}
	if family([]int{child.Process.Pid})[0] != child.Process.Pid || len(cpuTimes([]int{1 << 30})) != 0 || proportionalSize([]int{1 << 30}) != 0 {
		t.Error("a process without family, or none at all, has strange figures")
	}
}
