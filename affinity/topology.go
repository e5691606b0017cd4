package affinity

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"heimdall/affinity/cpulist"
)

// CPU is one logical CPU: what the kernel schedules a thread on.
type CPU struct {
	ID      int
	Package int // physical package (socket)
	Core    int // the lowest ID among its SMT siblings; unique in the machine
	Node    int // NUMA node
	// Capacity is how fast it is: 0, or less than that where the machine has faster CPUs.
	Capacity int
}

// Topology is the machine's online CPUs, by ascending ID. Read only after it was
// made; safe for concurrent use.
type Topology struct {
	CPUs    []CPU
	present []int // CPUs that there are, online or not; nil: unknown
}

const (
	cpuDir  = "sys/devices/system/cpu"
	nodeDir = "sys/devices/system/node"
)

// ReadTopology reads what sysfs says below root, which is the file system's root
// directory. What sysfs leaves out, as in some virtual machines and containers, is
// filled in with the plainest machine: each CPU a core of its own, package 0, node 0.
// So is what cannot be read, for none of it is worth not to start.
func ReadTopology(root fs.FS) (*Topology, error) {
	online, err := readList(root, cpuDir+"/online")
	if err != nil {
		return nil, fmt.Errorf("read CPU topology: %w", err)
	}
	if len(online) == 0 {
		return nil, fmt.Errorf("read CPU topology: %s/online is empty", cpuDir)
	}
	t := &Topology{}
	if present, err := readList(root, cpuDir+"/present"); err == nil && len(subtract(online, present)) == 0 {
		t.present = present
	}
	// The cores of x86 machines with two kinds have a performance counter unit for each kind.
	efficient, _ := readList(root, "sys/devices/cpu_atom/cpus")
	for _, id := range online {
		cpu := CPU{ID: id, Core: id}
		if contains(efficient, id) {
			cpu.Capacity = -1
		}
		dir := cpuDir + "/cpu" + strconv.Itoa(id) + "/topology/"
		if n, err := readInt(root, dir+"physical_package_id"); err == nil {
			cpu.Package = max(n, 0) // -1: the firmware does not say
		}
		// arm64 and RISC-V; 1024 is the fastest.
		if n, err := readInt(root, cpuDir+"/cpu"+strconv.Itoa(id)+"/cpu_capacity"); err == nil && n > 0 && n <= 1024 {
			cpu.Capacity = n - 1024
		}
		// The siblings and not core_id: that number repeats in every package, die
		// or cluster. core_cpus_list is its name since Linux 5.3.
		for _, file := range []string{"core_cpus_list", "thread_siblings_list"} {
			if siblings, err := readList(root, dir+file); err == nil && contains(siblings, id) {
				cpu.Core = siblings[0]
				break
			}
		}
		t.CPUs = append(t.CPUs, cpu)
	}
	nodes, err := readList(root, nodeDir+"/online")
	if err != nil {
		return t, nil // a kernel without NUMA: everything is node 0
	}
	for _, node := range nodes {
		// Nodes without CPUs have memory alone.
		list, _ := readList(root, nodeDir+"/node"+strconv.Itoa(node)+"/cpulist")
		for _, id := range list {
			if i, found := t.find(id); found {
				t.CPUs[i].Node = node
			}
		}
	}
	return t, nil
}

// flat is the topology of a machine about which nothing is known but its CPUs.
func flat(ids []int) *Topology {
	t := &Topology{}
	for _, id := range ids {
		t.CPUs = append(t.CPUs, CPU{ID: id, Core: id})
	}
	return t
}

// CPU returns the CPU of that number, or false when it is not online.
func (t *Topology) CPU(id int) (CPU, bool) {
	i, found := t.find(id)
	if !found {
		return CPU{}, false
	}
	return t.CPUs[i], true
}

func (t *Topology) find(id int) (at int, found bool) {
	return slices.BinarySearchFunc(t.CPUs, id, func(c CPU, id int) int { return c.ID - id })
}

// String says what the machine is made of, for a log line.
func (t *Topology) String() string {
	packages, cores, nodes := map[int]bool{}, map[int]bool{}, map[int]bool{}
	for _, c := range t.CPUs {
		packages[c.Package], cores[c.Core], nodes[c.Node] = true, true, true
	}
	return fmt.Sprintf("%d CPUs, %d cores, %d packages, %d NUMA nodes",
		len(t.CPUs), len(cores), len(packages), len(nodes))
}

// maxText bounds a file of sysfs or procfs in bytes. The longest lists of CPUs have a tenth of it.
const maxText = 1 << 20

func readText(root fs.FS, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxText))
	return strings.TrimSpace(string(b)), err
}

func readInt(root fs.FS, name string) (int, error) {
	s, err := readText(root, name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	return n, nil
}

func readList(root fs.FS, name string) ([]int, error) {
	s, err := readText(root, name)
	if err != nil {
		return nil, err
	}
	list, err := cpulist.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return list, nil
}
