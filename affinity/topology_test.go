package affinity

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReadTopology(t *testing.T) {
	for _, c := range []struct {
		name     string
		m        machine
		offline  []int
		summary  string
		cpu      CPU // one that is telling
		siblings []int
	}{
		{"one CPU", machine{1, 1, 1, 1, false}, nil,
			"1 CPUs, 1 cores, 1 packages, 1 NUMA nodes", CPU{0, 0, 0, 0, 0}, []int{0}},
		{"two sockets of 32 cores with SMT", machine{2, 2, 64, 2, false}, nil,
			"128 CPUs, 64 cores, 2 packages, 2 NUMA nodes", CPU{100, 1, 36, 1, 0}, []int{36, 100}},
		{"two sockets, four nodes each", machine{2, 8, 128, 2, false}, nil,
			"256 CPUs, 128 cores, 2 packages, 8 NUMA nodes", CPU{255, 1, 127, 7, 0}, []int{127, 255}},
		{"adjacent siblings", machine{1, 1, 8, 2, true}, nil,
			"16 CPUs, 8 cores, 1 packages, 1 NUMA nodes", CPU{5, 0, 4, 0, 0}, []int{4, 5}},
		{"eight threads a core", machine{2, 2, 40, 8, true}, nil,
			"320 CPUs, 40 cores, 2 packages, 2 NUMA nodes", CPU{319, 1, 312, 1, 0}, numbers(312, 319)},
		{"no NUMA in the kernel", machine{1, 0, 4, 1, false}, nil,
			"4 CPUs, 4 cores, 1 packages, 1 NUMA nodes", CPU{3, 0, 3, 0, 0}, []int{3}},
		{"first thread of core 1 offline", machine{1, 1, 4, 2, false}, []int{1},
			"7 CPUs, 4 cores, 1 packages, 1 NUMA nodes", CPU{5, 0, 5, 0, 0}, []int{5}},
		{"1024 cores", machine{8, 16, 1024, 2, false}, nil,
			"2048 CPUs, 1024 cores, 8 packages, 16 NUMA nodes", CPU{2047, 7, 1023, 15, 0}, []int{1023, 2047}},
	} {
		top := topologyOf(t, c.m.sysfs(c.offline...))
		if got := top.String(); got != c.summary {
			t.Errorf("%s: %s, want %s", c.name, got, c.summary)
		}
		if got, ok := top.CPU(c.cpu.ID); !ok || got != c.cpu {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.cpu)
		}
		var siblings []int
		for _, other := range top.CPUs {
			if other.Core == c.cpu.Core {
				siblings = append(siblings, other.ID)
			}
		}
		if !slices.Equal(siblings, c.siblings) {
			t.Errorf("%s: siblings %v, want %v", c.name, siblings, c.siblings)
		}
		for _, id := range append(c.offline, len(top.CPUs)+len(c.offline), -1) {
			if _, ok := top.CPU(id); ok {
				t.Errorf("%s: CPU %d exists", c.name, id)
			}
		}
	}
}

func TestReadTopologyOfSparseSysfs(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	top := topologyOf(t, fstest.MapFS{
		cpuDir + "/online": file("0-1,4\n"),
		cpuDir + "/cpu0/topology/physical_package_id":  file("-1\n"),
		cpuDir + "/cpu4/topology/core_cpus_list":       file("1,4\n"),
		cpuDir + "/cpu1/topology/thread_siblings_list": file("not a list\n"),
	})
	want := []CPU{{ID: 0, Core: 0}, {ID: 1, Core: 1}, {ID: 4, Core: 1}}
	if !slices.Equal(top.CPUs, want) {
		t.Errorf("%+v, want %+v", top.CPUs, want)
	}
	for name, root := range map[string]fstest.MapFS{
		"nothing": {},
		"empty":   {cpuDir + "/online": file("\n")},
		"rubbish": {cpuDir + "/online": file("all\n")},
	} {
		if _, err := ReadTopology(root); err == nil || !strings.Contains(err.Error(), "topology") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
