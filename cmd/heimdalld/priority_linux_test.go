package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// lowThreads returns how many of the daemon's threads others come before, and how many do not let them.
func lowThreads(t *testing.T, d *daemon) (low, normal int) {
	t.Helper()
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // It has ended.
		}
		const nice = 16 // after the name, which ends with the last parenthesis: proc_pid_stat(5)
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		n, err := strconv.Atoi(fields[nice])
		if err != nil {
			t.Fatal(err)
		}
		if n >= 10 {
			low++
		} else {
			normal++
		}
	}
	return low, normal
}

// Signatures are checked by threads that the shards' come before. Without validation, as start has it, there are
// none.
func TestVerifierPriority(t *testing.T) {
	t.Parallel()
	d := startWith(t, func(port string) string {
		return fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:%s\"]\n[recursion]\nvalidation = true\n[admin]", port)
	})
	until(t, "threads of low priority, beside others", func() bool {
		low, normal := lowThreads(t, d)
		return low > 0 && normal > 0
	})
	if low, _ := lowThreads(t, start(t, "")); low > 0 {
		t.Errorf("without validation %d threads have a low priority", low)
	}
}
