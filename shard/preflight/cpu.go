package preflight

import (
	"fmt"
	"io/fs"
	"slices"

	"heimdall/affinity"
	"heimdall/affinity/cpulist"
)

func governors(i *inspector, report reporter) {
	var slow []int
	other := ""
	known := false
	for _, s := range i.Shards {
		g := text(i.m, fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", s.CPU))
		known = known || g != ""
		if g != "" && g != "performance" {
			slow = append(slow, s.CPU)
			other = g
		}
	}
	switch {
	case len(slow) > 0:
		slices.Sort(slow)
		report(Warn, fmt.Sprintf("%q on the shards' CPUs %s", other, cpulist.Format(slow)), "CPUs that slow down between packets answer the next ones late",
			"cpupower -c "+cpulist.Format(slow)+" frequency-set -g performance")
	case known:
		report(OK, "performance", "", "")
	default:
		report(OK, "the kernel does not change the CPUs' frequency", "", "")
	}
}

func irqbalance(i *inspector, report reporter) {
	procs, _ := fs.Glob(i.m.Files(), "proc/[0-9]*/comm")
	for _, p := range procs {
		if text(i.m, p) == "irqbalance" {
			report(Warn, "irqbalance runs", "it moves interrupts away from the shards' CPUs: stop it, or have it leave the card's interrupts alone (--banirq)",
				"systemctl disable --now irqbalance")
			return
		}
	}
	report(OK, "irqbalance does not run", "", "")
}

// shardCPUs reports shards whose CPU has gone offline since the start of the daemon.
func shardCPUs(i *inspector, report reporter) {
	online, err := cpulist.Parse(text(i.m, "sys/devices/system/cpu/online"))
	if err != nil || len(online) == 0 {
		report(OK, "the kernel does not tell which CPUs are online", "", "")
		return
	}
	var gone []int
	for _, s := range i.Shards {
		if s.CPU >= 0 && !slices.Contains(online, s.CPU) {
			gone = append(gone, s.CPU)
		}
	}
	if len(gone) == 0 {
		report(OK, "those of all shards are online", "", "")
		return
	}
	slices.Sort(gone)
	report(Warn, "offline: those of the shards on "+cpulist.Format(gone),
		fmt.Sprintf("these shards run on CPUs of others until theirs are back: bring them online (echo 1 > /sys/devices/system/cpu/cpu%d/online), or have the work divided among those that are there", gone[0]), "heimdallctl reload")
}

// numa compares the node of a card with those of the CPUs that its queues interrupt, and of the shards that serve them.
func numa(i *inspector, name string, report reporter) {
	node, ok := affinity.CardNode(i.m.Files(), name)
	if !ok {
		report(OK, "of no particular node", "", "")
		return
	}
	own := text(i.m, fmt.Sprintf("sys/devices/system/node/node%d/cpulist", node))
	here, _ := cpulist.Parse(own)
	var near, far []int // CPUs of shards
	for _, s := range i.Shards {
		if s.CPU < 0 || s.Node < 0 {
			continue
		}
		if s.Node == node {
			near = append(near, s.CPU)
		} else {
			far = append(far, s.CPU)
		}
	}
	var astray []int // queues
	for _, q := range irqs(i.m, name) {
		cpus, err := cpulist.Parse(q.cpus)
		if err == nil && len(cpus) > 0 && len(here) > 0 && !slices.ContainsFunc(cpus, func(cpu int) bool { return slices.Contains(here, cpu) }) {
			astray = append(astray, q.queue)
		}
	}
	slices.Sort(far)
	slices.Sort(astray)
	astray = slices.Compact(astray)
	found := fmt.Sprintf("the card is on node %d", node)
	if len(astray) > 0 {
		found += ", the interrupts of its queues " + cpulist.Format(astray) + " go to CPUs of other nodes"
	}
	if len(far) > 0 {
		found += fmt.Sprintf(", the shards on CPUs %s are not", cpulist.Format(far))
	}
	why := "what is received on one node and served on another crosses between them: "
	switch {
	case len(far) == 0 && len(astray) == 0:
		report(OK, found+", as are the shards", "", "")
	case len(far) > 0 && (len(near) == 0 || len(astray) == 0):
		report(Warn, found, why+fmt.Sprintf("set cpu.shards to CPUs of node %d, such as %q", node, own), "")
	default:
		report(Warn, found, why+"have its queues interrupt CPUs of its own node, where there are shards", "heimdallctl tune -apply -interface "+name)
	}
}
