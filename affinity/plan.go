package affinity

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
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
	// Housekeeping are the CPUs for every other thread: those that are allowed and
	// have no shard, or all that are allowed when none are left or shards are not
	// pinned. Ascending, never empty.
	Housekeeping []int
	// Topology is the machine the plan is for.
	Topology *Topology
}

// Request is what a plan is made from.
type Request struct {
	// Spec is "auto", a count, or a CPU list such as "0-3,8"; a list of one CPU is
	// written "4-4", because "4" is a count. Auto is one shard for each physical
	// core, but no more than Quota has CPUs.
	Spec string
	// Pin gives each shard a CPU of its own. Without it a list only counts shards.
	Pin bool
	// Allowed are the CPUs that the process may use, ascending.
	Allowed []int
	// Quota is the CPU time that the process may use, in CPUs; 0 is no limit.
	Quota float64
}

// Machine is what this process has of this machine. Read only after it was made.
type Machine struct {
	Topology *Topology
	Allowed  []int   // CPUs that the process may use, ascending
	Quota    float64 // CPU time that it may use, in CPUs; 0 is no limit
}

// Survey looks at the machine. Call it before any thread's affinity is changed.
func Survey() (*Machine, error) {
	allowed, err := Allowed()
	if err != nil {
		return nil, err
	}
	root := os.DirFS("/")
	t, err := ReadTopology(root)
	if err != nil {
		t = flat(allowed) // without sysfs: pinning still works
	}
	return &Machine{Topology: t, Allowed: allowed, Quota: readCgroups(root).quota()}, nil
}

// Plan plans for the machine as it was when Survey looked. spec and pin are as in Request.
func (m *Machine) Plan(spec string, pin bool) (*Plan, error) {
	return m.Topology.Plan(Request{Spec: spec, Pin: pin, Allowed: m.Allowed, Quota: m.Quota})
}

// Plan places shards on physical cores first, then on their SMT siblings, by turns
// on every NUMA node. It fails when r.Spec cannot be read or, if r.Pin is set,
// asks for CPUs that are not allowed or for more shards than there are such CPUs.
func (t *Topology) Plan(r Request) (*Plan, error) {
	if len(r.Allowed) == 0 {
		return nil, errors.New("place shards: no CPU is allowed")
	}
	order := t.order(r.Allowed)
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
	if rest := subtract(r.Allowed, chosen); len(rest) > 0 {
		p.Housekeeping = rest
	}
	return p, nil
}

// choose reads the spec. order is every allowed CPU, best first; chosen are the
// CPUs of the shards, which is shorter than count only when shards are not pinned.
func (t *Topology) choose(r Request, order []int) (chosen []int, count int, err error) {
	spec := strings.TrimSpace(r.Spec)
	if spec == "auto" {
		count = t.cores(r.Allowed)
		if r.Quota > 0 {
			count = min(count, max(1, int(r.Quota)))
		}
		return order[:count], count, nil
	}
	if count, err := strconv.Atoi(spec); err == nil {
		switch {
		case count < 1 || count > maxCPUs:
			return nil, 0, fmt.Errorf("%d shards: want 1 to %d", count, maxCPUs)
		case r.Pin && count > len(order):
			return nil, 0, fmt.Errorf("%d shards on CPUs of their own: only %d CPUs are allowed (%s); ask for fewer or do not pin",
				count, len(order), FormatList(r.Allowed))
		}
		return order[:min(count, len(order))], count, nil
	}
	list, err := ParseList(spec)
	if err != nil {
		return nil, 0, fmt.Errorf(`shards are "auto", a count or a CPU list: %w`, err)
	}
	if len(list) == 0 {
		return nil, 0, errors.New(`shards are "auto", a count or a CPU list, not empty`)
	}
	if missing := subtract(list, r.Allowed); r.Pin && len(missing) > 0 {
		return nil, 0, fmt.Errorf("shards on CPUs %s: %s not allowed or not online (allowed: %s)",
			FormatList(list), FormatList(missing), FormatList(r.Allowed))
	}
	return list, len(list), nil
}

// order lists the allowed CPUs in the order shards should take them: the first
// thread of every core before the second of any, and among those the nodes by turns.
func (t *Topology) order(allowed []int) []int {
	type rank struct{ thread, turn, node, id int }
	threads := map[int]int{}  // by core: allowed threads so far
	turns := map[[2]int]int{} // by node and thread: CPUs so far
	var ranks []rank
	for _, id := range allowed {
		core, node := t.core(id), t.node(id)
		thread := threads[core]
		threads[core]++
		key := [2]int{node, thread}
		ranks = append(ranks, rank{thread, turns[key], node, id})
		turns[key]++
	}
	slices.SortFunc(ranks, func(a, b rank) int {
		return cmp.Or(a.thread-b.thread, a.turn-b.turn, a.node-b.node, a.id-b.id)
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
