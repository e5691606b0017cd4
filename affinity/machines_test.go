package affinity

import (
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"heimdall/affinity/cpulist"
)

// machine describes a computer for a test, as sysfs would show it.
type machine struct {
	packages, nodes int // in all; nodes are spread evenly over the cores
	cores           int // in all
	threads         int // of each core
	// adjacent numbers the siblings of a core one after the other, as on some AMD,
	// POWER and virtual machines; else all first threads come before all second.
	adjacent bool
}

func (m machine) cpu(core, thread int) int {
	if m.adjacent {
		return core*m.threads + thread
	}
	return thread*m.cores + core
}

// sysfs returns the files of the machine with the given CPUs offline.
func (m machine) sysfs(offline ...int) fstest.MapFS {
	files := fstest.MapFS{}
	put := func(name, format string, args ...any) {
		files[name] = &fstest.MapFile{Data: fmt.Appendf(nil, format+"\n", args...)}
	}
	online := make([]bool, m.cores*m.threads)
	for i := range online {
		online[i] = true
	}
	for _, id := range offline {
		online[id] = false
	}
	onlineList := func(keep func(core int) bool) (list []int) {
		for id := range online {
			core := id % m.cores
			if m.adjacent {
				core = id / m.threads
			}
			if online[id] && keep(core) {
				list = append(list, id)
			}
		}
		return list
	}
	for core := range m.cores {
		siblings := cpulist.Format(onlineList(func(c int) bool { return c == core }))
		for thread := range m.threads {
			dir := fmt.Sprintf("%s/cpu%d/topology/", cpuDir, m.cpu(core, thread))
			put(dir+"physical_package_id", "%d", core*m.packages/m.cores)
			put(dir+"core_id", "%d", core%max(1, m.cores/m.packages)) // repeats in each package
			put(dir+"thread_siblings_list", "%s", siblings)
		}
	}
	put(cpuDir+"/online", "%s", cpulist.Format(onlineList(func(int) bool { return true })))
	put(cpuDir+"/present", "0-%d", len(online)-1)
	if m.nodes > 0 {
		put(nodeDir+"/online", "0-%d", m.nodes-1)
	}
	for node := range m.nodes {
		inNode := func(core int) bool { return core*m.nodes/m.cores == node }
		put(fmt.Sprintf("%s/node%d/cpulist", nodeDir, node), "%s", cpulist.Format(onlineList(inNode)))
	}
	return files
}

func topologyOf(t *testing.T, root fs.FS) *Topology {
	t.Helper()
	top, err := ReadTopology(root)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// numbers returns first to last.
func numbers(first, last int) (list []int) {
	for n := first; n <= last; n++ {
		list = append(list, n)
	}
	return list
}
