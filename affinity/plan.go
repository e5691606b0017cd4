package affinity

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"heimdall/affinity/cpulist"
)

// Placement is where one shard runs.
type Placement struct {
	CPU  int // AnyCPU when shards are not pinned
	Node int // AnyNode when shards are not pinned
}

// Plan says where shards and all other threads run. Read only after it was made.
type Plan struct {
	// Shards are in ascending order of their CPUs.
	Shards []Placement
	// Housekeeping are the CPUs for every other thread, ascending, never empty: those
	// of cores without a shard, if they are at least as many as the shards; else all
	// that have no shard, SMT siblings of shards among them; all that are allowed when
	// none are left or shards are not pinned.
	Housekeeping []int
	// Topology is the machine the plan is for.
	Topology *Topology
}

// Request is what a plan is made from.
type Request struct {
	// Spec is "auto", a count, or a CPU list such as "0-3,8"; a list of one CPU is
	// written "4-4", because "4" is a count. Auto is one shard for each physical
	// core, but no more than Quota has whole CPUs, and at least one.
	Spec string
	// Pin gives each shard a CPU of its own. Without it a list only counts shards.
	Pin bool
	// Allowed are the CPUs that the process may use, ascending.
	Allowed []int
	// Quota is the CPU time that the process may use, in CPUs; 0 is no limit.
	Quota float64
	// Reserved are CPUs that only a list may give to shards, and a count when there are
	// no others: those that all other threads were given by name. Ascending.
	Reserved []int
	// Group are the CPUs of the process's control group, ascending; nil is all. Only
	// errors tell of it.
	Group []int
}

// Plan places shards on physical cores first, the fastest first, then on their SMT
// siblings, by turns on every NUMA node. It fails when r.Spec cannot be read or, if r.Pin is set,
// asks for CPUs that are not allowed or for more shards than there are such CPUs.
func (t *Topology) Plan(r Request) (*Plan, error) {
	if len(r.Allowed) == 0 {
		return nil, errors.New("place shards: no CPU is allowed")
	}
	order := t.order(subtract(r.Allowed, r.Reserved))
	if order = append(order, t.order(intersect(r.Allowed, r.Reserved))...); len(intersect(r.Reserved, r.Allowed)) == len(r.Allowed) {
		r.Reserved = nil // auto needs a CPU
	}
	chosen, count, err := t.choose(r, order)
	if err != nil {
		return nil, err
	}
	p := &Plan{Housekeeping: slices.Clone(r.Allowed), Topology: t}
	if !r.Pin {
		for range count {
			p.Shards = append(p.Shards, Placement{CPU: AnyCPU, Node: AnyNode})
		}
		return p, nil
	}
	slices.Sort(chosen)
	for _, id := range chosen {
		p.Shards = append(p.Shards, Placement{CPU: id, Node: t.node(id)})
	}
	if rest := t.spare(r.Allowed, chosen); len(rest) > 0 {
		p.Housekeeping = rest
	}
	return p, nil
}

// spare lists the allowed CPUs for all threads but the shards', which are on the chosen CPUs. A thread on the SMT sibling of
// a shard's CPU slows it down by a third or so; too few CPUs for all that is done beside the shards are worse.
func (t *Topology) spare(allowed, chosen []int) []int {
	busy := map[int]bool{} // cores with a shard
	for _, id := range chosen {
		busy[t.core(id)] = true
	}
	free := slices.DeleteFunc(slices.Clone(allowed), func(id int) bool { return busy[t.core(id)] })
	if len(free) >= len(chosen) {
		return free
	}
	return subtract(allowed, chosen)
}

// choose reads the spec. order is every allowed CPU, best first; chosen are the
// CPUs of the shards, which is shorter than count only when shards are not pinned.
func (t *Topology) choose(r Request, order []int) (chosen []int, count int, err error) {
	spec := strings.TrimSpace(r.Spec)
	if spec == "auto" {
		count = t.cores(subtract(r.Allowed, r.Reserved))
		if r.Quota > 0 {
			count = min(count, max(1, int(r.Quota)))
		}
		return order[:count], count, nil
	}
	if count, err := strconv.Atoi(spec); err == nil {
		switch {
		case count < 1 || count > cpulist.End:
			return nil, 0, fmt.Errorf("%d shards: want 1 to %d", count, cpulist.End)
		case r.Pin && count > len(order):
			return nil, 0, fmt.Errorf("%d shards on CPUs of their own: only %d CPUs are allowed (%s); ask for fewer or do not pin",
				count, len(order), cpulist.Format(r.Allowed))
		}
		return order[:min(count, len(order))], count, nil
	}
	list, err := cpulist.Parse(spec)
	if err != nil {
		return nil, 0, fmt.Errorf(`shards are "auto", a count or a CPU list: %w`, err)
	}
	if len(list) == 0 {
		return nil, 0, errors.New(`shards are "auto", a count or a CPU list, not empty`)
	}
	if !r.Pin {
		return list, len(list), nil
	}
	return list, len(list), t.Refuse(list, r)
}

// Refuse returns an error that says why the process cannot use CPUs of an ascending list; nil: it can use all. Of r it needs
// Allowed and Group.
func (t *Topology) Refuse(list []int, r Request) error {
	var reasons []string
	tell := func(cpus []int, one, several string) {
		switch len(cpus) {
		case 0:
		case 1:
			reasons = append(reasons, fmt.Sprintf("CPU %d %s", cpus[0], one))
		default:
			reasons = append(reasons, fmt.Sprintf("CPUs %s %s", cpulist.Format(cpus), several))
		}
	}
	var missing, offline, outside, others []int
	for _, id := range subtract(list, r.Allowed) {
		_, online := t.CPU(id)
		switch {
		case !online && t.present != nil && !contains(t.present, id):
			missing = append(missing, id)
		case !online:
			offline = append(offline, id)
		case r.Group != nil && !contains(r.Group, id):
			outside = append(outside, id)
		default:
			others = append(others, id)
		}
	}
	tell(missing, "does not exist", "do not exist")
	tell(offline, "is offline", "are offline")
	tell(outside, "is not in the CPU set of the control group (cpuset.cpus, AllowedCPUs=)", "are not in the CPU set of the control group (cpuset.cpus, AllowedCPUs=)")
	tell(others, "is not among those that the process was started with (taskset, CPUAffinity=)", "are not among those that the process was started with (taskset, CPUAffinity=)")
	if len(reasons) == 0 {
		return nil
	}
	return fmt.Errorf("%s; it may use %s", strings.Join(reasons, ", "), cpulist.Format(r.Allowed))
}

// order lists the allowed CPUs in the order shards should take them: the first
// thread of every core before the second of any; among those the faster ones before
// the slower, and the nodes by turns.
func (t *Topology) order(allowed []int) []int {
	type rank struct{ thread, slow, turn, node, id int }
	threads := map[int]int{}  // by core: allowed threads so far
	turns := map[[3]int]int{} // by node, thread and speed: CPUs so far
	var ranks []rank
	for _, id := range allowed {
		core, node := t.core(id), t.node(id)
		thread := threads[core]
		threads[core]++
		cpu, _ := t.CPU(id)
		key := [3]int{node, thread, cpu.Capacity}
		ranks = append(ranks, rank{thread, -cpu.Capacity, turns[key], node, id})
		turns[key]++
	}
	slices.SortFunc(ranks, func(a, b rank) int {
		return cmp.Or(a.thread-b.thread, a.slow-b.slow, a.turn-b.turn, a.node-b.node, a.id-b.id)
	})
	ids := make([]int, len(ranks))
	for i, r := range ranks {
		ids[i] = r.id
	}
	return ids
}

// cores counts the physical cores that the allowed CPUs belong to.
func (t *Topology) cores(allowed []int) int {
	seen := map[int]bool{}
	for _, id := range allowed {
		seen[t.core(id)] = true
	}
	return len(seen)
}

// core is the core of a CPU; one that sysfs does not list is a core of its own.
func (t *Topology) core(id int) int {
	if c, ok := t.CPU(id); ok {
		return c.Core
	}
	return id
}

// node is the NUMA node of a CPU; node 0 when sysfs does not list it.
func (t *Topology) node(id int) int {
	c, _ := t.CPU(id)
	return c.Node
}
