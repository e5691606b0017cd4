package preflight

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

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

func numa(i *inspector, name string, report reporter) {
	node, ok := number(i.m, netDir+name+"/device/numa_node")
	if !ok || node < 0 {
		report(OK, "of no particular node", "", "")
		return
	}
	var far []int
	for _, s := range i.Shards {
		if s.Node >= 0 && s.Node != node {
			far = append(far, s.CPU)
		}
	}
	if len(far) == 0 {
		report(OK, fmt.Sprintf("the card is on node %d, as are the shards", node), "", "")
		return
	}
	slices.Sort(far)
	cpus := text(i.m, fmt.Sprintf("sys/devices/system/node/node%d/cpulist", node))
	report(Warn, fmt.Sprintf("the card is on node %d, the shards on CPUs %s are not", node, strings.Trim(cpulist.Format(far), " ")),
		fmt.Sprintf("their packets cross from one node to the other: set cpu.shards to CPUs of that node, such as %q", cpus), "")
}
