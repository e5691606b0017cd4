package affinity

import (
	"os"
	"slices"
)

// Machine is what this process has of this machine. Read only after it was made.
type Machine struct {
	Topology *Topology
	Allowed  []int   // CPUs that the process may use, ascending
	Quota    float64 // CPU time that it may use, in CPUs; 0 is no limit

	mask  []int // CPUs that it was started with, online or not; nil: sysfs tells nothing of them
	group []int // of its control group; nil: all
}

// Survey looks at the machine. Call it before any thread's affinity is changed.
func Survey() (*Machine, error) {
	allowed, err := Allowed()
	if err != nil {
		return nil, err
	}
	root := os.DirFS("/")
	groups := readCgroups(root)
	m := &Machine{Allowed: allowed, Quota: groups.quota()}
	m.group, _ = groups.cpus()
	if m.Topology, err = ReadTopology(root); err != nil {
		m.Topology = flat(allowed) // without sysfs: pinning still works
		return m, nil
	}
	// A container may show fewer or other CPUs than there are (lxcfs).
	if online := m.Topology.Online(); len(subtract(allowed, online)) == 0 {
		m.mask = startMask(root)
		if len(subtract(allowed, m.mask)) > 0 {
			m.mask = nil
		}
		m.mask = ownMask(m.mask, m.group, online, m.Topology.present)
	}
	return m, nil
}

// ownMask returns the mask of a process less what its control group alone takes from it, as the group may be given more CPUs
// while the process runs. mask has the CPUs that the kernel tells, which are of the group; group nil: there is none.
func ownMask(mask, group, online, present []int) []int {
	if mask == nil || group == nil || present == nil || len(subtract(intersect(group, online), mask)) > 0 {
		return mask
	}
	return present
}

// Again looks at the machine again: CPUs come and go, and control groups change. The mask of the process is taken to be
// what it was at the survey.
func (m *Machine) Again() *Machine {
	root := os.DirFS("/")
	groups := readCgroups(root)
	now := &Machine{Topology: m.Topology, Allowed: m.Allowed, Quota: groups.quota(), mask: m.mask}
	now.group, _ = groups.cpus()
	t, err := ReadTopology(root)
	if err != nil || m.mask == nil {
		return now
	}
	now.Topology = t
	allowed := intersect(m.mask, t.Online())
	if both := intersect(allowed, now.group); len(both) > 0 {
		allowed = both
	}
	if len(allowed) > 0 {
		now.Allowed = allowed
	}
	return now
}

// Plan plans for the machine as it was when Survey looked. spec, pin and reserved are as in Request.
func (m *Machine) Plan(spec string, pin bool, reserved []int) (*Plan, error) {
	return m.Topology.Plan(Request{Spec: spec, Pin: pin, Allowed: m.Allowed, Quota: m.Quota, Reserved: reserved, Group: m.group})
}

// Refuse returns an error that says why the process cannot use CPUs of an ascending list; nil: it can use all.
func (m *Machine) Refuse(list []int) error {
	return m.Topology.Refuse(list, Request{Allowed: m.Allowed, Group: m.group})
}

// Online lists the CPUs that are online now, as sysfs tells.
func Online() ([]int, error) { return readList(os.DirFS("/"), cpuDir+"/online") }

// Online lists the topology's CPUs: those that were online when it was read.
func (t *Topology) Online() (list []int) {
	for _, c := range t.CPUs {
		list = append(list, c.ID)
	}
	return slices.Clip(list)
}
