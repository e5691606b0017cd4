package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A process is looked at through /proc. What has ended counts as nothing, so a
// figure can be too low but never somebody else's.

// family returns the processes and all their descendants.
func family(pids []int) []int {
	children := map[int][]int{}
	for pid, f := range processes() {
		children[f.parent] = append(children[f.parent], pid)
	}
	var found []int
	seen := map[int]bool{}
	for queue := append([]int{}, pids...); len(queue) > 0; queue = queue[1:] {
		if pid := queue[0]; !seen[pid] {
			seen[pid] = true
			found = append(found, pid)
			queue = append(queue, children[pid]...)
		}
	}
	return found
}

// process is one line of /proc/PID/stat.
type process struct {
	parent int
	ticks  uint64 // user and system time in units of 10 ms
}

// processes returns all processes, by ID.
func processes() map[int]process {
	all := map[int]process{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// The name in parentheses may contain anything, parentheses too.
		rest := text[bytes.LastIndexByte(text, ')')+1:]
		fields := strings.Fields(string(rest))
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || len(fields) < 13 {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		user, _ := strconv.ParseUint(fields[11], 10, 64)
		system, _ := strconv.ParseUint(fields[12], 10, 64)
		all[pid] = process{parent, user + system}
	}
	return all
}

// cpuTimes returns the time in ns that each thread of the processes has run.
func cpuTimes(pids []int) map[string]uint64 {
	times := map[string]uint64{}
	for _, pid := range pids {
		paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, path := range paths {
			text, _ := os.ReadFile(path)
			if ran, _, ok := strings.Cut(string(text), " "); ok {
				times[path], _ = strconv.ParseUint(ran, 10, 64)
			}
		}
	}
	return times
}

// cpuSince returns the time in ns that the threads that are there after have run
// since before.
func cpuSince(before, after map[string]uint64) (ns uint64) {
	for thread, ran := range after {
		if ran > before[thread] {
			ns += ran - before[thread]
		}
	}
	return ns
}

// proportionalSize returns the memory of the processes in bytes, pages that
// several share being split between them.
func proportionalSize(pids []int) (size uint64) {
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
				n, _ := strconv.ParseUint(f[1], 10, 64)
				size += n << 10
			}
		}
	}
	return size
}

// kthreadd is the parent of the kernel's threads, whose work is often the servers'.
const kthreadd = 2

// othersTime returns the time in ns that processes other than ours and the
// kernel's have run.
func othersTime(ours []int) (ns uint64) {
	all := processes()
	for _, pid := range family(append([]int{os.Getpid(), kthreadd}, ours...)) {
		delete(all, pid)
	}
	for _, p := range all {
		ns += p.ticks * 1e7
	}
	return ns
}
