package affinity

import (
	"slices"
	"strings"
	"testing"

	"heimdall/affinity/cpulist"
)

// shardCPUs returns the CPUs of a plan's shards.
func shardCPUs(p *Plan) (list []int) {
	for _, s := range p.Shards {
		list = append(list, s.CPU)
	}
	return list
}

func TestPlan(t *testing.T) {
	desktop := machine{1, 1, 8, 2, false} // siblings n and n+8
	adjacent := machine{1, 1, 4, 2, true} // siblings 2n and 2n+1
	server := machine{2, 2, 16, 2, false} // node 0: 0-7,16-23; node 1: 8-15,24-31
	plain := machine{1, 1, 4, 1, false}
	for _, c := range []struct {
		name    string
		m       machine
		allowed string
		spec    string
		quota   float64
		shards  string
		keep    string
	}{
		{"a shard a core", desktop, "0-15", "auto", 0, "0-7", "8-15"},
		{"a shard a core, adjacent", adjacent, "0-7", "auto", 0, "0,2,4,6", "1,3,5,7"},
		{"no SMT: nothing is left", plain, "0-3", "auto", 0, "0-3", "0-3"},
		{"one CPU allowed", desktop, "0", "auto", 0, "0", "0"},
		{"one CPU allowed, counted", desktop, "9", "1", 0, "9", "9"},
		{"one core allowed", desktop, "3,11", "auto", 0, "3", "11"},
		{"CPU set of siblings only", desktop, "8-11", "auto", 0, "8-11", "8-11"},
		{"both threads of some cores", desktop, "0-3,8-9", "auto", 0, "0-3", "8-9"},
		{"quota", desktop, "0-15", "auto", 2.5, "0-1", "2-7,10-15"},
		{"quota below one", desktop, "0-15", "auto", 0.5, "0", "1-7,9-15"},
		{"quota does not change a count", desktop, "0-15", "3", 1, "0-2", "3-7,11-15"},
		{"fewer than cores", desktop, "0-15", "3", 0, "0-2", "3-7,11-15"},
		{"few cores without a shard", desktop, "0-15", "6", 0, "0-5", "6-15"},
		{"as many CPUs of such cores as shards", desktop, "0-15", "5", 0, "0-4", "5-7,13-15"},
		{"cores, then siblings", desktop, "0-15", "10", 0, "0-9", "10-15"},
		{"cores, then siblings, adjacent", adjacent, "0-7", "5", 0, "0-2,4,6", "3,5,7"},
		{"all", desktop, "0-15", "16", 0, "0-15", "0-15"},
		{"nodes by turns", server, "0-31", "4", 0, "0-1,8-9", "2-7,10-15,18-23,26-31"},
		{"nodes by turns, odd", server, "0-31", "3", 0, "0-1,8", "2-7,9-15,18-23,25-31"},
		{"nodes by turns, siblings too", server, "0-31", "18", 0, "0-16,24", "17-23,25-31"},
		{"one node is short", server, "0-7,8-9", "6", 0, "0-3,8-9", "4-7"},
		{"two nodes", server, "0-31", "auto", 0, "0-15", "16-31"},
		{"list", server, "0-31", "8, 0-3", 0, "0-3,8", "4-7,9-15,20-23,25-31"},
		{"list of one", server, "0-31", "4-4", 0, "4", "0-3,5-19,21-31"},
		{"list of all", plain, "0-3", "0-3", 0, "0-3", "0-3"},
	} {
		allowed, err := cpulist.Parse(c.allowed)
		if err != nil {
			t.Fatal(err)
		}
		p, err := topologyOf(t, c.m.sysfs()).Plan(Request{Spec: c.spec, Pin: true, Allowed: allowed, Quota: c.quota})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		shards, keep := cpulist.Format(shardCPUs(p)), cpulist.Format(p.Housekeeping)
		if shards != c.shards || keep != c.keep {
			t.Errorf("%s: shards on %s, housekeeping on %s; want %s, %s",
				c.name, shards, keep, c.shards, c.keep)
		}
	}
}

func TestPlanNamesNodes(t *testing.T) {
	p, err := topologyOf(t, machine{2, 2, 16, 2, false}.sysfs()).Plan(Request{Spec: "7-8,31", Pin: true, Allowed: numbers(0, 31)})
	if err != nil {
		t.Fatal(err)
	}
	want := []Placement{{7, 0}, {8, 1}, {31, 1}}
	if !slices.Equal(p.Shards, want) {
		t.Errorf("%v, want %v", p.Shards, want)
	}
}

func TestPlanWithoutPinning(t *testing.T) {
	for spec, want := range map[string]int{"auto": 4, "1": 1, "9": 9, "0-1": 2, "90-95": 6} {
		p, err := topologyOf(t, machine{1, 1, 4, 1, false}.sysfs()).Plan(Request{Spec: spec, Allowed: numbers(0, 3)})
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		if len(p.Shards) != want || p.Shards[0] != (Placement{AnyCPU, AnyNode}) || len(p.Housekeeping) != 4 {
			t.Errorf("%s: %+v, want %d shards", spec, p, want)
		}
	}
}

func TestPlanErrors(t *testing.T) {
	for _, c := range []struct{ spec, allowed, want string }{
		{"5", "0-3", "only 4 CPUs are allowed (0-3)"},
		{"0", "0-3", "want 1 to"},
		{"-1", "0-3", "want 1 to"},
		{"99999", "0-3", "want 1 to"},
		{"0-3,8", "0-3", "CPU 8 does not exist; it may use 0-3"},
		{"2-5", "0-3", "CPUs 4-5 do not exist; it may use 0-3"},
		{"0-3", "0,2-3", "CPU 1 is not among those that the process was started with (taskset, CPUAffinity=); it may use 0,2-3"},
		{"", "0-3", "not empty"},
		{"many", "0-3", `"many" is not a number`},
		{"0,0", "0-3", "twice"},
		{"auto", "", "no CPU is allowed"},
	} {
		allowed, err := cpulist.Parse(c.allowed)
		if err != nil {
			t.Fatal(err)
		}
		_, err = topologyOf(t, machine{1, 1, 4, 1, false}.sysfs()).Plan(Request{Spec: c.spec, Pin: true, Allowed: allowed})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q of %q: error %v, want %q", c.spec, c.allowed, err, c.want)
		}
	}
}

// CPUs that were given to all other threads get shards by name only, or where there are no others.
func TestPlanLeavesReservedCPUs(t *testing.T) {
	smt := machine{1, 1, 4, 2, false}
	for _, c := range []struct{ spec, allowed, reserved, shards string }{
		{"auto", "0-7", "", "0-3"},
		{"auto", "0-7", "4-7", "0-3"},
		{"auto", "0-7", "0-3", "4-7"},
		{"auto", "0-7", "0,4", "1-3"},
		{"auto", "0-3", "0-3", "0-3"},
		{"auto", "0-1", "1", "0"},
		{"4", "0-7", "0", "1-4"},
		{"5", "0-7", "0,4", "1-3,5-6"},
		{"8", "0-7", "0,4", "0-7"},
		{"7", "0-7", "0,4", "0-3,5-7"},
		{"0-1", "0-7", "0", "0-1"},
	} {
		allowed, _ := cpulist.Parse(c.allowed)
		reserved, _ := cpulist.Parse(c.reserved)
		p, err := topologyOf(t, smt.sysfs()).Plan(Request{Spec: c.spec, Pin: true, Allowed: allowed, Reserved: reserved})
		if err != nil || cpulist.Format(shardCPUs(p)) != c.shards {
			t.Errorf("%s of %s without %s: %+v, %v, want shards on %s", c.spec, c.allowed, c.reserved, p, err, c.shards)
		}
	}
}

// Each CPU that a shard cannot have is told with its own reason.
func TestRefuse(t *testing.T) {
	top := topologyOf(t, machine{1, 1, 8, 1, false}.sysfs(2, 5, 6))
	r := Request{Spec: "0-9", Pin: true, Allowed: []int{0, 1, 3}, Group: []int{0, 1, 2, 3, 4}}
	_, err := top.Plan(r)
	want := "CPUs 8-9 do not exist, CPUs 2,5-6 are offline, CPU 7 is not in the CPU set of the control group (cpuset.cpus, AllowedCPUs=), " +
		"CPU 4 is not among those that the process was started with (taskset, CPUAffinity=); it may use 0-1,3"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := top.Refuse([]int{0, 3}, r); err != nil {
		t.Error(err)
	}
	r.Pin = false
	if p, err := top.Plan(r); err != nil || len(p.Shards) != 10 {
		t.Errorf("not pinned: %+v, %v", p, err)
	}
}

// CPUs that sysfs does not list, as in some containers, are cores of their own.
func TestPlanWithoutTopology(t *testing.T) {
	p, err := flat([]int{3, 5}).Plan(Request{Spec: "auto", Pin: true, Allowed: []int{3, 5, 7}})
	if err != nil {
		t.Fatal(err)
	}
	if got := cpulist.Format(shardCPUs(p)); got != "3,5,7" || p.Shards[2].Node != 0 {
		t.Errorf("shards %+v", p.Shards)
	}
}
