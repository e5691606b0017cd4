package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Machine is where and when figures were taken.
type Machine struct {
	CPU            string    `json:"cpu"`
	CPUs           int       `json:"cpus"`
	ThreadsPerCore string    `json:"threads_per_core"`
	MemoryBytes    uint64    `json:"memory_bytes"`
	Virtual        bool      `json:"virtual"`
	Governor       string    `json:"governor"`
	Kernel         string    `json:"kernel"`
	RmemMax        string    `json:"net_core_rmem_max"`
	Go             string    `json:"go"`
	Date           time.Time `json:"date"`
}

// thisMachine reads the facts of this machine. What it cannot read is "unknown".
func thisMachine(now time.Time) Machine {
	m := Machine{
		CPU:            "unknown",
		CPUs:           runtime.NumCPU(),
		ThreadsPerCore: "1",
		Governor:       firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
		Kernel:         firstLine("/proc/sys/kernel/osrelease"),
		RmemMax:        firstLine("/proc/sys/net/core/rmem_max"),
		Go:             runtime.Version(),
		Date:           now.UTC().Truncate(time.Second),
	}
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		name, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(name) {
		case "model name":
			m.CPU = strings.TrimSpace(value)
		case "flags":
			m.Virtual = strings.Contains(value+" ", " hypervisor ")
		case "processor":
			if online, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
				m.CPUs = max(m.CPUs, online+1)
			}
		}
	}
	if siblings := firstLine("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list"); strings.ContainsAny(siblings, ",-") {
		m.ThreadsPerCore = "2 or more"
	}
	var system unix.Sysinfo_t
	if unix.Sysinfo(&system) == nil {
		m.MemoryBytes = uint64(system.Totalram) * uint64(system.Unit)
	}
	return m
}

// firstLine returns the first line of a file, or "unknown".
func firstLine(path string) string {
	text, err := os.ReadFile(path)
	line, _, _ := strings.Cut(string(text), "\n")
	if err != nil || line == "" {
		return "unknown"
	}
	return line
}
