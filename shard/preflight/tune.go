package preflight

import (
	"fmt"
	"slices"
	"strconv"

	"heimdall/affinity/cpulist"
)

// Action is one change of the machine.
type Action struct {
	What    string // what it sets, such as "net.core.rmem_max"
	Why     string
	Old     string // in force
	New     string // that is wanted
	Command string // that does it, for a shell
	Undo    string // that takes it back
	do      func(Machine) error
}

// Done tells whether there is nothing to do.
func (a *Action) Done() bool { return a.Old == a.New }

// Apply makes the change.
func (a *Action) Apply(m Machine) error { return a.do(m) }

// TuningPlan lists the settings that suit the configuration, including those that the machine has already. The numbers of
// queues come first: they change the interrupts, which therefore need another plan afterwards.
func TuningPlan(m Machine, o Options) (plan []Action) {
	c := o.Config
	plan = append(plan, atLeast(m, "net.core.rmem_max", "net/core/rmem_max", int(c.Server.RcvBuf), "so that sockets get the receive buffer of server.rcvbuf")...)
	plan = append(plan, atLeast(m, "net.core.wmem_max", "net/core/wmem_max", int(c.Server.SndBuf), "so that sockets get the send buffer of server.sndbuf")...)
	if c.XDP.Mode != "off" && c.XDP.ReversePath != "off" {
		for _, family := range []string{"ipv4", "ipv6"} {
			plan = append(plan, atLeast(m, "net."+family+".conf.lo.forwarding", "net/"+family+"/conf/lo/forwarding", 1, "so that xdp.reverse_path finds the way back to clients")...)
		}
	}
	names := unique(c.XDP.Interfaces, o.Interfaces)
	if slices.ContainsFunc(names, func(name string) bool { return spreads(m, name) }) {
		plan = append(plan, atLeast(m, "net.core.netdev_max_backlog", "net/core/netdev_max_backlog", spreadBacklog, "packets that the kernel spreads over CPUs (RPS) wait in this queue")...)
	}
	for _, name := range names {
		if a, ok := queueAction(m, &o, name); ok {
			plan = append(plan, a)
		}
	}
	for _, name := range names {
		for _, q := range irqs(m, name) {
			if cpu := o.cpuOf(m, name, q.queue); cpu >= 0 {
				plan = append(plan, fileAction(fmt.Sprintf("CPU of %s, queue %d", name, q.queue), "so that a packet is received where its shard runs",
					"proc/irq/"+q.number+"/smp_affinity_list", q.cpus, cpulist.Format([]int{cpu})))
			}
		}
	}
	return plan
}

// spreadBacklog is the length in packets of the queue of a CPU that gets packets from others: a full batch of each
// of 64 NAPI polls; the kernel's default of 1000 is for a slower network.
const spreadBacklog = 4096

// spreads tells whether the kernel spreads the packets of an interface over CPUs by itself.
func spreads(m Machine, name string) bool {
	for q := range rxQueues(m, name) {
		mask := text(m, fmt.Sprintf("%s%s/queues/rx-%d/rps_cpus", netDir, name, q))
		if slices.ContainsFunc([]byte(mask), func(c byte) bool { return c != '0' && c != ',' }) {
			return true
		}
	}
	return false
}

// atLeast raises a sysctl to a number; nothing if it cannot be read.
func atLeast(m Machine, name, file string, want int, why string) []Action {
	have, ok := number(m, "proc/sys/"+file)
	if !ok {
		return nil
	}
	a := fileAction(name, why, "proc/sys/"+file, strconv.Itoa(have), strconv.Itoa(max(have, want)))
	a.Command, a.Undo = "sysctl -w "+name+"="+a.New, "sysctl -w "+name+"="+a.Old
	return []Action{a}
}

func fileAction(what, why, path, old, new string) Action {
	return Action{
		What: what, Why: why, Old: old, New: new, Command: "echo " + new + " > /" + path, Undo: "echo " + old + " > /" + path,
		do: func(m Machine) error { return m.Write(path, new) },
	}
}

// queueAction gives each shard a queue, if the card has so many.
func queueAction(m Machine, o *Options, name string) (Action, bool) {
	l, err := m.Link(name)
	if err != nil || l.Queues == 0 || l.MaxQueues <= 1 || len(o.Shards) == 0 {
		return Action{}, false
	}
	want := min(len(o.Shards), l.MaxQueues)
	return Action{
		What: "queues of " + name, Why: "one for each shard", Old: strconv.Itoa(l.Queues), New: strconv.Itoa(want),
		Command: l.setQueues(name, want), Undo: l.setQueues(name, l.Queues),
		do: func(m Machine) error { return m.SetQueues(name, want) },
	}, true
}
