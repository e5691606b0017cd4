package affinity

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"

	"heimdall/affinity/cpulist"
)

// cgroups is where the process stands in the control group hierarchies, each
// directory relative to the file system's root.
type cgroups struct {
	root   fs.FS
	v2     []string // directories of the unified hierarchy
	cpuset []string // of the version 1 controllers
	cpu    []string
}

// cgroupMount is where every distribution mounts the hierarchies.
const cgroupMount = "sys/fs/cgroup"

// readCgroups reads /proc/self/cgroup below root. A system without control groups
// gives the zero value, which limits nothing.
func readCgroups(root fs.FS) cgroups {
	g := cgroups{root: root}
	text, err := readText(root, "proc/self/cgroup")
	if err != nil {
		return g
	}
	for line := range strings.Lines(text) {
		// hierarchy-ID:controller-list:path; version 2 has ID 0 and no controllers.
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		controllers, dir := fields[1], path.Clean("/"+fields[2])
		if controllers == "" {
			g.v2 = append(ancestry(cgroupMount, dir), ancestry(cgroupMount+"/unified", dir)...)
			continue
		}
		for controller := range strings.SplitSeq(controllers, ",") {
			switch controller {
			case "cpuset":
				g.cpuset = ancestry(cgroupMount+"/"+controllers, dir)
			case "cpu":
				g.cpu = append(ancestry(cgroupMount+"/"+controllers, dir), ancestry(cgroupMount+"/cpu", dir)...)
			}
		}
	}
	return g
}

// ancestry lists a group's directory and those above it, up to the mount point.
func ancestry(mount, dir string) []string {
	list := []string{path.Join(mount, dir)}
	for dir != "/" {
		dir = path.Dir(dir)
		list = append(list, path.Join(mount, dir))
	}
	return list
}

// cpus returns the CPUs that the nearest group with a CPU set allows, or false
// when no group has one.
func (g cgroups) cpus() ([]int, bool) {
	for _, dir := range g.v2 {
		if list, err := readList(g.root, dir+"/cpuset.cpus.effective"); err == nil && len(list) > 0 {
			return list, true
		}
	}
	for _, dir := range g.cpuset {
		for _, file := range []string{"/cpuset.effective_cpus", "/cpuset.cpus"} {
			if list, err := readList(g.root, dir+file); err == nil && len(list) > 0 {
				return list, true
			}
		}
	}
	return nil, false
}

// quota returns the CPU time that the process may use, in CPUs: the least of all
// groups it is in. Zero when none of them sets a quota.
func (g cgroups) quota() float64 {
	least := math.Inf(1)
	for _, dir := range g.v2 {
		if text, err := readText(g.root, dir+"/cpu.max"); err == nil {
			limit, period, _ := strings.Cut(text, " ")
			least = min(least, ratio(limit, period))
		}
	}
	for _, dir := range g.cpu {
		limit, err := readText(g.root, dir+"/cpu.cfs_quota_us")
		if err != nil {
			continue
		}
		if period, err := readText(g.root, dir+"/cpu.cfs_period_us"); err == nil {
			least = min(least, ratio(limit, period))
		}
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}

// ratio divides two numbers; what is no positive number ("max", -1) limits nothing.
func ratio(limit, period string) float64 {
	l, errLimit := strconv.ParseUint(limit, 10, 64)
	p, errPeriod := strconv.ParseUint(period, 10, 64)
	if errLimit != nil || errPeriod != nil || l == 0 || p == 0 {
		return math.Inf(1)
	}
	return float64(l) / float64(p)
}

// startMask returns the CPUs of the process's main thread, those included that are offline, or nil.
func startMask(root fs.FS) []int {
	text, err := readText(root, "proc/self/status")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(text) {
		if list, found := strings.CutPrefix(line, "Cpus_allowed_list:"); found {
			mask, _ := cpulist.Parse(list)
			return mask
		}
	}
	return nil
}
