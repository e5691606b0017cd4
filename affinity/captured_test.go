package affinity

import (
	"fmt"
	"testing"
	"testing/fstest"

	"heimdall/affinity/cpulist"
)

// captured is a machine as its sysfs shows it.
type captured struct {
	cpus     int    // numbers from 0 on
	online   string // empty: all
	present  string // empty: all
	pack     func(id int) int
	siblings func(id int) string // nil: each CPU is a core
	core     func(id int) int    // core_id, which is not unique
	nodes    []string            // CPUs of each node; "" has memory alone
	noNodes  bool                // no NUMA in the kernel
	capacity func(id int) int    // arm64
	atom     string              // efficient cores of x86
	more     fstest.MapFS
}

func (c captured) sysfs() fstest.MapFS {
	files := fstest.MapFS{}
	put := func(name string, value any) { files[name] = &fstest.MapFile{Data: fmt.Appendln(nil, value)} }
	all := cpulist.Format(numbers(0, c.cpus-1))
	if c.online == "" {
		c.online = all
	}
	if c.present == "" {
		c.present = all
	}
	put(cpuDir+"/online", c.online)
	put(cpuDir+"/present", c.present)
	put(cpuDir+"/possible", "0-1023")
	online, _ := cpulist.Parse(c.online)
	for _, id := range online { // what is offline has no topology folder
		dir := fmt.Sprintf("%s/cpu%d/", cpuDir, id)
		put(dir+"topology/physical_package_id", c.pack(id))
		if c.core != nil {
			put(dir+"topology/core_id", c.core(id))
		}
		siblings := fmt.Sprint(id)
		if c.siblings != nil {
			siblings = c.siblings(id)
		}
		put(dir+"topology/core_cpus_list", siblings)
		put(dir+"topology/thread_siblings_list", siblings)
		if c.capacity != nil {
			put(dir+"cpu_capacity", c.capacity(id))
		}
	}
	if !c.noNodes {
		put(nodeDir+"/online", cpulist.Format(numbers(0, len(c.nodes)-1)))
		for i, list := range c.nodes {
			put(fmt.Sprintf("%s/node%d/cpulist", nodeDir, i), list)
		}
	}
	if c.atom != "" {
		put("sys/devices/cpu_atom/cpus", c.atom)
	}
	for name, file := range c.more {
		files[name] = file
	}
	return files
}

func zero(int) int { return 0 }

// What "auto", and a few shards, come to on machines of each kind.
func TestPlanOnCapturedMachines(t *testing.T) {
	// Two Xeon Gold 6130 as their firmware numbers them: even CPUs on socket 0, odd on socket 1.
	xeon := captured{
		cpus: 64, pack: func(id int) int { return id % 2 }, core: func(id int) int { return id % 32 / 2 },
		siblings: func(id int) string { return fmt.Sprintf("%d,%d", id%32, id%32+32) },
		nodes:    []string{"0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40,42,44,46,48,50,52,54,56,58,60,62", "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,37,39,41,43,45,47,49,51,53,55,57,59,61,63"},
	}
	// Two EPYC 7763 with four nodes a socket.
	var quarters []string
	for n := range 8 {
		quarters = append(quarters, fmt.Sprintf("%d-%d,%d-%d", 16*n, 16*n+15, 128+16*n, 128+16*n+15))
	}
	epyc := captured{
		cpus: 256, pack: func(id int) int { return id % 128 / 64 }, core: func(id int) int { return id % 64 },
		siblings: func(id int) string { return fmt.Sprintf("%d,%d", id%128, id%128+128) }, nodes: quarters,
	}
	// A Threadripper 2990WX: two of its four nodes have no memory.
	threadripper := captured{
		cpus: 64, pack: zero, siblings: func(id int) string { return fmt.Sprintf("%d,%d", id%32, id%32+32) },
		nodes: []string{"0-7,32-39", "16-23,48-55", "8-15,40-47", "24-31,56-63"},
		more:  fstest.MapFS{nodeDir + "/has_memory": {Data: []byte("0,2\n")}},
	}
	holes := xeon // half of socket 1 and some siblings are off
	holes.online = "0-15,17,19,32-40,42"
	holes.siblings = func(id int) string {
		if one := id % 32; one <= 8 || one == 10 {
			return fmt.Sprintf("%d,%d", one, one+32)
		}
		return fmt.Sprint(id)
	}
	holes.nodes = []string{"0,2,4,6,8,10,12,14,32,34,36,38,40,42", "1,3,5,7,9,11,13,15,17,19,33,35,37,39"}
	altra := captured{cpus: 80, pack: func(int) int { return 5388 }, core: func(id int) int { return id/2*256 + id%2*768 }, nodes: []string{"0-79"}}
	rock := captured{cpus: 8, pack: zero, noNodes: true, capacity: func(id int) int { return []int{414, 414, 414, 414, 1024, 1024, 1024, 1024}[id] }} // RK3588
	hybrid := captured{                                                                                                                               // Core i9-12900K: eight fast cores of two threads, eight efficient ones
		cpus: 24, pack: zero, nodes: []string{"0-23"}, atom: "16-23",
		siblings: func(id int) string {
			if id >= 16 {
				return fmt.Sprint(id)
			}
			return fmt.Sprintf("%d-%d", id&^1, id|1)
		},
	}
	one := captured{cpus: 1, pack: zero, nodes: []string{"0"}}
	memory := captured{cpus: 4, pack: zero, nodes: []string{"0-1", "2-3", ""}} // node 2 is a memory expander (CXL)
	guest := captured{cpus: 4, present: "0-3", online: "0-1,3", pack: func(id int) int { return id }, nodes: []string{"0-1,3"}}
	for _, c := range []struct {
		name    string
		machine captured
		allowed string // empty: all online
		spec    string
		quota   float64
		shards  string
		keep    string
		nodes   string // of the shards
		summary string
	}{
		{"two sockets", xeon, "", "auto", 0, "0-31", "32-63", "0-1", "64 CPUs, 32 cores, 2 packages, 2 NUMA nodes"},
		{"two sockets, four shards", xeon, "", "4", 0, "0-3", "4-31,36-63", "0-1", ""},
		{"two sockets, one allowed", xeon, "1,3,33,35", "auto", 0, "1,3", "33,35", "1", ""},
		{"two sockets, a quota of six", xeon, "", "auto", 6, "0-5", "6-31,38-63", "0-1", ""},
		{"eight nodes", epyc, "", "auto", 0, "0-127", "128-255", "0-7", "256 CPUs, 128 cores, 2 packages, 8 NUMA nodes"},
		{"eight nodes, eight shards", epyc, "", "8", 0, "0,16,32,48,64,80,96,112", "1-15,17-31,33-47,49-63,65-79,81-95,97-111,113-127,129-143,145-159,161-175,177-191,193-207,209-223,225-239,241-255", "0-7", ""},
		{"nodes without memory", threadripper, "", "auto", 0, "0-31", "32-63", "0-3", "64 CPUs, 32 cores, 1 packages, 4 NUMA nodes"},
		{"holes", holes, "", "auto", 0, "0-15,17,19", "32-40,42", "0-1", "28 CPUs, 18 cores, 2 packages, 2 NUMA nodes"},
		{"arm64 server", altra, "", "auto", 0, "0-79", "0-79", "0", "80 CPUs, 80 cores, 1 packages, 1 NUMA nodes"},
		{"arm64 of two kinds", rock, "", "auto", 0, "0-7", "0-7", "0", "8 CPUs, 8 cores, 1 packages, 1 NUMA nodes"},
		{"arm64 of two kinds, four shards", rock, "", "4", 0, "4-7", "0-3", "0", ""},
		{"x86 of two kinds", hybrid, "", "auto", 0, "0,2,4,6,8,10,12,14,16-23", "1,3,5,7,9,11,13,15", "0", "24 CPUs, 16 cores, 1 packages, 1 NUMA nodes"},
		{"x86 of two kinds, eight shards", hybrid, "", "8", 0, "0,2,4,6,8,10,12,14", "16-23", "0", ""},
		{"x86 of two kinds, ten shards", hybrid, "", "10", 0, "0,2,4,6,8,10,12,14,16-17", "1,3,5,7,9,11,13,15,18-23", "0", ""},
		{"one CPU", one, "", "auto", 0, "0", "0", "0", "1 CPUs, 1 cores, 1 packages, 1 NUMA nodes"},
		{"memory alone on a node", memory, "", "auto", 0, "0-3", "0-3", "0-1", "4 CPUs, 4 cores, 1 packages, 2 NUMA nodes"},
		{"a guest with a CPU off", guest, "", "auto", 0, "0-1,3", "0-1,3", "0", "3 CPUs, 3 cores, 3 packages, 1 NUMA nodes"},
	} {
		top := topologyOf(t, c.machine.sysfs())
		allowed := top.Online()
		if c.allowed != "" {
			allowed, _ = cpulist.Parse(c.allowed)
		}
		p, err := top.Plan(Request{Spec: c.spec, Pin: true, Allowed: allowed, Quota: c.quota})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		seen := map[int]bool{}
		for _, s := range p.Shards {
			seen[s.Node] = true
		}
		var nodes []int
		for node := range 64 {
			if seen[node] {
				nodes = append(nodes, node)
			}
		}
		if got := cpulist.Format(shardCPUs(p)); got != c.shards || cpulist.Format(p.Housekeeping) != c.keep || cpulist.Format(nodes) != c.nodes {
			t.Errorf("%s: shards on %s of nodes %s, housekeeping on %s; want %s of %s, %s",
				c.name, got, cpulist.Format(nodes), cpulist.Format(p.Housekeeping), c.shards, c.nodes, c.keep)
		}
		if got := top.String(); c.summary != "" && got != c.summary {
			t.Errorf("%s: %s, want %s", c.name, got, c.summary)
		}
	}
}

// Whatever the files of sysfs hold, there is a plan for the CPUs that the process has, each once, and it is made in time.
func FuzzReadTopology(f *testing.F) {
	f.Add("0-3", "0-3", "0", "0,2", "0-1", "0-1", "1024", "2-3")
	f.Add("0-8191", "0-8191", "-1", "0-8191", "0-8191", "0-8191", "0", "")
	f.Add("1", "0", "99999999999999999999", "1-", "a", "1\x00", "-5", "all")
	f.Fuzz(func(t *testing.T, online, present, pack, siblings, nodes, ofNode, capacity, atom string) {
		file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
		root := fstest.MapFS{
			cpuDir + "/online": file(online), cpuDir + "/present": file(present),
			cpuDir + "/cpu1/topology/physical_package_id": file(pack), cpuDir + "/cpu1/topology/core_cpus_list": file(siblings),
			cpuDir + "/cpu1/cpu_capacity": file(capacity), "sys/devices/cpu_atom/cpus": file(atom),
			nodeDir + "/online": file(nodes), nodeDir + "/node1/cpulist": file(ofNode),
		}
		top, err := ReadTopology(root)
		if err != nil {
			return
		}
		allowed := append(top.Online(), cpulist.End) // one that sysfs does not list
		p, err := top.Plan(Request{Spec: "auto", Pin: true, Allowed: allowed})
		if err != nil || len(p.Shards) == 0 || len(p.Housekeeping) == 0 {
			t.Fatalf("%+v, %v", p, err)
		}
		seen := map[int]bool{}
		for _, s := range p.Shards {
			if seen[s.CPU] || !contains(allowed, s.CPU) || s.Node < 0 || s.Node >= cpulist.End {
				t.Fatalf("shards %+v", p.Shards)
			}
			seen[s.CPU] = true
		}
	})
}
