package preflight

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"heimdall/affinity"
	"heimdall/affinity/cpulist"
)

func interfaceUp(i *inspector, name string, report reporter) {
	if !exists(i.m, name) {
		report(i.needed(), "there is no such interface here", "correct xdp.interfaces", "ip -brief link")
		return
	}
	if state := text(i.m, netDir+name+"/operstate"); state == "down" {
		report(Warn, "it is down", "bring it up", "ip link set "+name+" up")
		return
	}
	report(OK, "it is there", "", "")
}

func xdpMode(i *inspector, name string, report reporter) {
	l, err := i.m.Link(name)
	mode := i.Config.XDP.Mode
	switch {
	case err != nil:
		report(Warn, err.Error(), "", "")
	case !l.Known:
		report(OK, fmt.Sprintf("driver %s; this kernel does not tell what it can do: xdp.mode = \"auto\" finds out", l.Driver), "", "")
	case l.Features&xdpBasic == 0 && mode == "native":
		report(Fail, fmt.Sprintf("driver %s has no native XDP", l.Driver), `set xdp.mode to "auto" or "generic": the latter works behind every driver, at several times the cost`, "")
	case l.Features&xdpBasic == 0:
		report(Warn, fmt.Sprintf("driver %s has no native XDP", l.Driver), "the program runs in generic mode, behind the driver, at several times the cost", "")
	case l.Driver == "veth":
		report(Warn, "a veth pair: native XDP, but what the program sends arrives only if the other end has generic receive offload, or an XDP program", "run `ethtool -K IFACE gro on` for the other end, or set xdp.mode to \"generic\"", "")
	case l.Features&xdpZeroCopy != 0:
		report(OK, fmt.Sprintf("driver %s: native XDP, AF_XDP without copying", l.Driver), "", "")
	case l.Features&xdpRedirect != 0:
		report(OK, fmt.Sprintf("driver %s: native XDP, AF_XDP with a copy", l.Driver), "", "")
	default:
		report(OK, fmt.Sprintf("driver %s: native XDP without AF_XDP", l.Driver), "", "")
	}
}

func otherProgram(i *inspector, name string, report reporter) {
	l, err := i.m.Link(name)
	switch {
	case err != nil:
		report(Warn, err.Error(), "", "")
	case l.XDP == 0:
		report(OK, "no XDP program is attached", "", "")
	case slices.Contains(i.Attached, name):
		report(OK, "Heimdall's own program is attached", "", "")
	default:
		what := fmt.Sprintf("program %d", l.XDP)
		if s, err := i.m.Program(l.XDP); err == nil {
			what += fmt.Sprintf(" (%q)", s)
		}
		report(i.needed(), what+" is attached", "Heimdall cannot attach its own: end what has put it there, or take it off", "ip link set dev "+name+" xdp off")
	}
}

// nativeMTU in octets is the largest MTU that drivers with one page of 4 KiB for a packet take a native program
// with: a page less the headroom (256), what the kernel keeps behind the packet (320), and the Ethernet header.
const nativeMTU = 3498

// packetHeaders in octets are those of an UDP datagram over IPv6.
const packetHeaders = 48

func mtu(i *inspector, name string, report reporter) {
	n, _ := number(i.m, netDir+name+"/mtu")
	found := fmt.Sprintf("%d octets", n)
	switch payload := i.Config.Server.UDPPayload; {
	case n < payload+packetHeaders:
		report(Warn, found, fmt.Sprintf("responses of server.udp_payload, %d octets, leave in fragments: lower it to %d", payload, max(n-packetHeaders, 512)), "")
	case n > nativeMTU && (i.Config.XDP.Mode == "native" || i.Config.XDP.Mode == "auto"):
		report(Warn, found, fmt.Sprintf("most drivers take a native XDP program with at most %d", nativeMTU), fmt.Sprintf("ip link set %s mtu %d", name, 1500))
	default:
		report(OK, found, "", "")
	}
}

func vlanOffload(i *inspector, name string, report reporter) {
	l, err := i.m.Link(name)
	vlans := vlansOn(i.m, name)
	switch {
	case err != nil:
		report(Warn, err.Error(), "", "")
	case !l.StripVLAN:
		report(OK, "VLAN tags stay in the packets", "", "")
	case len(vlans) == 0:
		report(OK, "the card takes VLAN tags off, but there is no VLAN on it", "", "")
	default:
		report(i.needed(), "the card takes the tags of "+strings.Join(vlans, ", ")+" off",
			"the XDP program does not see them, and what it sends leaves without: switch it off", "ethtool -K "+name+" rxvlan off")
	}
}

// vlansOn lists the VLAN interfaces on top of an interface.
func vlansOn(m Machine, name string) (list []string) {
	uppers, _ := fs.Glob(m.Files(), netDir+name+"/upper_*")
	for _, u := range uppers {
		upper := strings.TrimPrefix(u, netDir+name+"/upper_")
		if _, err := fs.Stat(m.Files(), "proc/net/vlan/"+upper); err == nil {
			list = append(list, upper)
		}
	}
	return list
}

func queues(i *inspector, name string, report reporter) {
	l, err := i.m.Link(name)
	have, shards := rxQueues(i.m, name), len(i.Shards)
	if err == nil && l.Queues > 0 {
		have = l.Queues
	}
	found := fmt.Sprintf("%d queues, %d shards", have, shards)
	switch {
	case have == shards:
		report(OK, found, "", "")
	case have > shards:
		report(Warn, found, "some packets are received on CPUs without a shard", l.setQueues(name, shards))
	case l.MaxQueues > have:
		report(Warn, found, "some shards' CPUs receive no packets themselves", l.setQueues(name, min(shards, l.MaxQueues)))
	default:
		report(Warn, found+"; the card has no more", "one CPU receives for several shards", "")
	}
}

func irqAffinity(i *inspector, name string, report reporter) {
	list := irqs(i.m, name)
	if len(list) == 0 {
		report(OK, "it has no interrupts of its own for its queues", "", "")
		return
	}
	var wrong []string
	for _, q := range list {
		if want := i.cpuOf(i.m, name, q.queue); want >= 0 && q.cpus != cpulist.Format([]int{want}) {
			wrong = append(wrong, fmt.Sprintf("queue %d on CPUs %s instead of %d", q.queue, q.cpus, want))
		}
	}
	if len(wrong) == 0 {
		report(OK, "each queue interrupts its shard's CPU", "", "")
		return
	}
	report(Warn, strings.Join(wrong, ", "), "a packet that is received on one CPU and answered on another costs a wake-up between them", "heimdallctl tune -apply -interface "+name)
}

// cpuOf is the CPU that a queue of an interface belongs to: those of shards on the card's NUMA node come first; -1: any.
func (o *Options) cpuOf(m Machine, name string, queue int) int {
	if len(o.Shards) == 0 {
		return -1
	}
	var nodes []int
	for _, s := range o.Shards {
		nodes = append(nodes, s.Node)
	}
	return o.Shards[affinity.Owner(m.Files(), name, queue, nodes)].CPU
}
