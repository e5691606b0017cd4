package preflight

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"heimdall/core/config"
)

// On a machine where all is well, every check says so and none has advice.
func TestInspectGood(t *testing.T) {
	got := Inspect(newFake(), options())
	if len(got) != len(checks) {
		t.Errorf("%d findings of %d checks", len(got), len(checks))
	}
	for _, f := range got {
		if f.Verdict != OK || f.Found == "" || f.Advice+f.Command != "" {
			t.Errorf("%+v", f)
		}
	}
}

// Each case changes one thing of the good machine, and changes one finding.
func TestInspectCases(t *testing.T) {
	for _, tt := range []struct {
		name  string
		check string
		want  Verdict
		text  string // in what was found, the advice or the command
		edit  func(*fake, *Options)
	}{
		{"old kernel", "kernel", Fail, "5.15 or later", func(f *fake, _ *Options) { f.set("proc/sys/kernel/osrelease", "5.10.0-28-amd64") }},
		{"old kernel without XDP", "kernel", Warn, "5.10", func(f *fake, o *Options) {
			f.set("proc/sys/kernel/osrelease", "5.10.0")
			o.Config.XDP.Mode = "off"
		}},
		{"floor", "kernel", OK, "5.15.0", func(f *fake, _ *Options) { f.set("proc/sys/kernel/osrelease", "5.15.0-generic") }},
		{"no BPF", "features", Fail, "lacks XDP programs", func(f *fake, _ *Options) { f.features[0].Err = ErrNotSupported }},
		{"no privilege", "features", Warn, "not found out: XDP programs, AF_XDP socket maps: not permitted", func(f *fake, _ *Options) {
			f.features = append(f.features, Feature{Name: "AF_XDP socket maps"})
			for n := range f.features {
				f.features[n].Err = fmt.Errorf("probe %d: %w", n, errors.Join(syscall.EPERM, errors.New("failed to set memlock rlimit")))
			}
		}},
		{"rejected", "programs", Fail, "verifier rejects the XDP program: R8 is not allowed", func(f *fake, _ *Options) {
			f.programs = []Feature{{"the XDP program", fmt.Errorf("load it: %w (%w)", ErrNotSupported, &Rejection{Words: "R8 is not allowed", Log: []string{"0: r0 = 0", "R8 is not allowed"}, Cause: syscall.EACCES})}}
		}},
		{"rejected without XDP", "programs", Warn, "heimdallctl doctor -v", func(f *fake, o *Options) {
			f.programs = []Feature{{"the other", &Rejection{Words: "R8 is not allowed", Cause: syscall.EACCES}}}
			o.Config.XDP.Mode = "off"
		}},
		{"not loaded", "programs", Fail, "the other does not load: out of ideas", func(f *fake, _ *Options) { f.programs = []Feature{{"the other", errors.New("out of ideas\nand more")}} }},
		{"not permitted", "programs", Warn, "not tried: the XDP program, the other: not permitted", func(f *fake, _ *Options) {
			for n := range f.programs {
				f.programs[n].Err = fmt.Errorf("%w: it needs root (%w)", ErrNotSupported, syscall.EPERM)
			}
		}},
		{"unknown fault", "features", Warn, "sudo", func(f *fake, _ *Options) { f.features[0].Err = errors.New("no idea\nat all") }},
		{"no BTF", "btf", OK, "only tools", func(f *fake, _ *Options) { delete(f.files, "sys/kernel/btf/vmlinux") }},
		{"io_uring off", "io_uring", OK, "switched off", func(f *fake, _ *Options) { f.set("proc/sys/kernel/io_uring_disabled", "2") }},
		{"no Landlock", "sandbox", Warn, "no Landlock", func(f *fake, _ *Options) { f.confined = []string{"this kernel has no Landlock"} }},
		{"no sandbox wanted", "sandbox", OK, "", func(f *fake, o *Options) {
			f.confined = []string{"this kernel has no Landlock"}
			o.Config.Security.Sandbox = "off"
		}},
		{"user", "capabilities", Fail, "CAP_NET_ADMIN, CAP_BPF", func(f *fake, _ *Options) {
			f.set("proc/self/status", "CapEff:\t0000000000000000")
			f.set("proc/self/limits", "Max locked memory unlimited unlimited bytes\nMax open files 1024 1048576 files")
		}},
		{"low port", "capabilities", Fail, "CAP_NET_BIND_SERVICE", func(f *fake, o *Options) {
			f.set("proc/self/status", "CapEff:\t000001fffffffbff")
			o.Config.Server.Listen = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}
		}},
		{"low port allowed", "capabilities", OK, "", func(f *fake, o *Options) {
			f.set("proc/self/status", "CapEff:\t000001fffffffbff")
			f.set("proc/sys/net/ipv4/ip_unprivileged_port_start", "53")
			o.Config.Server.Listen = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}
		}},
		{"xsk", "capabilities", Fail, "cap_net_raw+ep", func(f *fake, o *Options) {
			f.set("proc/self/status", "CapEff:\t000001ffffffdfff")
			o.Config.IO.Backend = "xsk"
		}},
		{"the daemon's own", "capabilities", OK, "", func(f *fake, o *Options) {
			f.set("proc/self/status", "CapEff:\t0000000000000000")
			f.set("proc/99/status", "CapEff:\t000001ffffffffff")
			f.set("proc/99/limits", "Max open files 1048576 1048576 files")
			o.PID = "99"
		}},
		{"strict", "source_check", Warn, `set xdp.reverse_path to "strict"`, func(f *fake, _ *Options) { f.set("proc/sys/net/ipv4/conf/eth0/rp_filter", "1") }},
		{"strict for all", "source_check", Warn, "skips rp_filter", func(f *fake, o *Options) {
			f.set("proc/sys/net/ipv4/conf/all/rp_filter", "1")
			o.Config.XDP.ReversePath = "loose"
		}},
		{"loose", "source_check", OK, "without any route", func(f *fake, _ *Options) { f.set("proc/sys/net/ipv4/conf/all/rp_filter", "2") }},
		{"strict both", "source_check", OK, "asks for no more", func(f *fake, o *Options) {
			f.set("proc/sys/net/ipv4/conf/eth0/rp_filter", "1")
			f.set("proc/sys/net/ipv4/conf/lo/forwarding", "1")
			o.Config.XDP.ReversePath = "strict"
		}},
		{"no forwarding", "source_check", Fail, "sysctl -w net.ipv4.conf.lo.forwarding=1 net.ipv6.conf.lo.forwarding=1", func(f *fake, o *Options) {
			f.set("proc/sys/net/ipv4/conf/lo/forwarding", "0")
			f.set("proc/sys/net/ipv6/conf/lo/forwarding", "0")
			o.Config.XDP.ReversePath = "strict"
		}},
		{"firewall", "netfilter", Warn, "rules on the way in: inet filter input, rules 3; ip_tables filter, rules not told", func(f *fake, _ *Options) {
			f.filters = []string{"inet filter input, rules 3"}
			f.set("proc/net/ip_tables_names", "filter")
		}},
		{"firewall unseen", "netfilter", Warn, "not found out: not permitted", func(f *fake, _ *Options) { f.unseen = syscall.EPERM }},
		{"old firewall, the new one unseen", "netfilter", Warn, "ip_tables filter, rules not told; nftables not looked at: not permitted", func(f *fake, _ *Options) {
			f.unseen = syscall.EPERM
			f.set("proc/net/ip_tables_names", "filter")
		}},
		{"firewall without XDP", "netfilter", OK, "every query meets", func(f *fake, o *Options) {
			f.filters = []string{"inet filter input, rules 3"}
			o.Config.XDP.Mode = "off"
		}},
		{"memlock", "memlock", Warn, "LimitMEMLOCK", func(f *fake, _ *Options) { f.set("proc/self/status", "CapEff:\t000001ffffffbfff") }},
		{"rmem_max", "rmem_max", Warn, "sysctl -w net.core.rmem_max=4194304", func(f *fake, o *Options) {
			f.set("proc/sys/net/core/rmem_max", "212992")
			f.set("proc/self/status", "CapEff:\t0000000000000000")
			o.Config.XDP.Mode = "off"
		}},
		{"rmem_max and CAP_NET_ADMIN", "rmem_max", OK, "CAP_NET_ADMIN", func(f *fake, _ *Options) { f.set("proc/sys/net/core/rmem_max", "212992") }},
		{"wmem_max", "wmem_max", Warn, "cannot be read", func(f *fake, _ *Options) { delete(f.files, "proc/sys/net/core/wmem_max") }},
		{"no huge pages", "huge_pages", Warn, "echo madvise", func(f *fake, _ *Options) {
			f.set("sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]")
		}},
		{"kernel without huge pages", "huge_pages", Warn, "has no", func(f *fake, _ *Options) { delete(f.files, "sys/kernel/mm/transparent_hugepage/enabled") }},
		{"huge pages unwanted", "huge_pages", OK, "false", func(f *fake, o *Options) {
			f.set("sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]")
			o.Config.Memory.HugePages = false
		}},
		{"governor", "governor", Warn, "cpupower -c 1 ", func(f *fake, _ *Options) {
			f.set("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave")
		}},
		{"virtual machine", "governor", OK, "does not change", func(f *fake, _ *Options) {
			delete(f.files, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
			delete(f.files, "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor")
		}},
		{"irqbalance", "irqbalance", Warn, "systemctl disable", func(f *fake, _ *Options) { f.set("proc/18/comm", "irqbalance") }},
		{"no network", "network", Fail, "connect it", func(_ *fake, o *Options) { o.Daemon.Network = "no route: connect it" }},
		{"wrong clock", "clock", Fail, "set it", func(_ *fake, o *Options) { o.Daemon.Clock = "the clock is wrong: it says 1970; set: set it" }},
		{"interface missing", "interface", Fail, "no such", func(_ *fake, o *Options) { o.Interfaces = []string{"eth7"} }},
		{"interface down", "interface", Warn, "ip link set eth0 up", func(f *fake, _ *Options) { f.set("sys/class/net/eth0/operstate", "down") }},
		{"no native XDP", "xdp_mode", Fail, "generic", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.Features = 0 }) }},
		{"no native XDP, auto", "xdp_mode", Warn, "generic", func(f *fake, o *Options) {
			f.edit(func(l *Link) { l.Features = 0 })
			o.Config.XDP.Mode = "auto"
		}},
		{"no zero copy", "xdp_mode", OK, "with a copy", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.Features = xdpBasic | xdpRedirect }) }},
		{"no AF_XDP", "xdp_mode", OK, "without AF_XDP", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.Features = xdpBasic }) }},
		{"kernel does not tell", "xdp_mode", OK, "finds out", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.Known = false }) }},
		{"veth", "xdp_mode", Warn, "other end", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.Driver = "veth" }) }},
		{"other program", "xdp_program", Fail, `program 7 ("l4lb")`, func(f *fake, _ *Options) { f.edit(func(l *Link) { l.XDP = 7 }) }},
		{"other program, no name", "xdp_program", Fail, "ip link set dev eth0 xdp off", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.XDP = 8 }) }},
		{"own program", "xdp_program", OK, "own", func(f *fake, o *Options) {
			f.edit(func(l *Link) { l.XDP = 7 })
			o.Attached = []string{"eth0"}
		}},
		{"jumbo", "mtu", Warn, "at most 3498", func(f *fake, _ *Options) { f.set("sys/class/net/eth0/mtu", "9000") }},
		{"jumbo, generic", "mtu", OK, "9000", func(f *fake, o *Options) {
			f.set("sys/class/net/eth0/mtu", "9000")
			o.Config.XDP.Mode = "generic"
		}},
		{"small", "mtu", Warn, "lower it to 1202", func(f *fake, _ *Options) { f.set("sys/class/net/eth0/mtu", "1250") }},
		{"VLAN offload", "vlan_offload", Fail, "eth0.5", func(f *fake, _ *Options) {
			f.edit(func(l *Link) { l.StripVLAN = true })
			f.set("sys/class/net/eth0/upper_eth0.5/mtu", "1500")
			f.set("sys/class/net/eth0/upper_bond0/mtu", "1500")
			f.set("proc/net/vlan/eth0.5", "")
		}},
		{"VLAN offload without VLANs", "vlan_offload", OK, "no VLAN", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.StripVLAN = true }) }},
		{"few queues", "queues", Warn, "ethtool -L eth0 combined 2", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.Queues = 1 }) }},
		{"separate queues", "queues", Warn, "ethtool -L eth0 rx 2 tx 2", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.Queues, l.Separate = 8, true }) }},
		{"many queues", "queues", Warn, "ethtool -L eth0 combined 2", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.Queues = 8 }) }},
		{"one queue for good", "queues", Warn, "no more", func(f *fake, _ *Options) { f.edit(func(l *Link) { l.Queues, l.MaxQueues = 1, 1 }) }},
		{"IRQ elsewhere", "irq_affinity", Warn, "queue 1 on CPUs 0-1 instead of 1", func(f *fake, _ *Options) { f.set("proc/irq/41/smp_affinity_list", "0-1") }},
		{"no IRQs", "irq_affinity", OK, "no interrupts", func(f *fake, _ *Options) { f.interrupts("eth0") }},
		{"far node", "numa", Warn, `such as "0-1"`, func(f *fake, o *Options) { o.Shards[1].Node = 1 }},
		{"a CPU of a shard is offline", "cpus", Warn, "offline: those of the shards on 1", func(f *fake, _ *Options) { f.set("sys/devices/system/cpu/online", "0,2-3") }},
		{"a CPU without a shard is offline", "cpus", OK, "online", func(f *fake, o *Options) {
			f.set("sys/devices/system/cpu/online", "0")
			o.Shards = []Shard{{0, 0}, {-1, -1}}
		}},
		{"who is online is not told", "cpus", OK, "does not tell", func(f *fake, _ *Options) { f.set("sys/devices/system/cpu/online", "all") }},
		{"no node", "numa", OK, "no particular", func(f *fake, _ *Options) { f.set("sys/class/net/eth0/device/numa_node", "-1") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, o := newFake(), options()
			tt.edit(f, &o)
			seen := false
			for _, got := range Inspect(f, o) {
				if got.Check == tt.check && got.Verdict == tt.want && strings.Contains(got.Found+" "+got.Advice+" "+got.Command, tt.text) {
					seen = true
				} else if got.Verdict != OK && got.Check != tt.check {
					t.Errorf("another finding: %+v", got)
				}
				if got.Verdict == Fail && got.Advice == "" {
					t.Errorf("no advice: %+v", got)
				}
			}
			if !seen {
				t.Errorf("no finding %s %s with %q in %+v", tt.check, tt.want, tt.text, Inspect(f, o))
			}
		})
	}
}

// The names that drivers give their interrupts.
func TestIRQs(t *testing.T) {
	for _, tt := range []struct {
		actions []string
		want    []int // queue of each interrupt from 40 on; -1: none
	}{
		{[]string{"eth0-TxRx-0", "eth0-TxRx-1", "eth0"}, []int{0, 1, -1}},
		{[]string{"eth0-rx-1", "eth0-tx-1", "eth0-rx-0"}, []int{1, -1, 0}},
		{[]string{"ice-eth0-TxRx-12", "eth01-TxRx-3", "xeth0-4"}, []int{12, -1, -1}},
		{[]string{"virtio0-config", "virtio0-input.0", "virtio0-output.0", "virtio1-input.1"}, []int{-1, -1, -1, -1}},
	} {
		f := newFake()
		f.interrupts(tt.actions...)
		got := map[string]int{}
		for _, q := range irqs(f, "eth0") {
			got[q.number] = q.queue
		}
		for i, want := range tt.want {
			n, ok := got[[]string{"40", "41", "42", "43"}[i]]
			if !ok {
				n = -1
			}
			if n != want {
				t.Errorf("%s: queue %d, want %d", tt.actions[i], n, want)
			}
		}
	}
}

func TestTuningPlan(t *testing.T) {
	f, o := newFake(), options()
	for _, a := range TuningPlan(f, o) {
		if !a.Done() {
			t.Errorf("on a good machine: %+v", a)
		}
	}
	f.set("proc/sys/net/core/rmem_max", "212992")
	f.set("proc/irq/40/smp_affinity_list", "0-1")
	f.set("sys/class/net/eth0/queues/rx-1/rps_cpus", "00000000,00000003")
	f.edit(func(l *Link) { l.Queues = 1 })
	var commands, undo []string
	for _, a := range TuningPlan(f, o) {
		if a.Done() {
			continue
		}
		commands, undo = append(commands, a.Command), append(undo, a.Undo)
		if err := a.Apply(f); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"sysctl -w net.core.rmem_max=4194304", "sysctl -w net.core.netdev_max_backlog=4096", "ethtool -L eth0 combined 2", "echo 0 > /proc/irq/40/smp_affinity_list"}; !slices.Equal(commands, want) {
		t.Errorf("commands %q", commands)
	}
	if want := []string{"sysctl -w net.core.rmem_max=212992", "sysctl -w net.core.netdev_max_backlog=1000", "ethtool -L eth0 combined 1", "echo 0-1 > /proc/irq/40/smp_affinity_list"}; !slices.Equal(undo, want) {
		t.Errorf("undo %q", undo)
	}
	if want := []string{"proc/sys/net/core/rmem_max=4194304", "proc/sys/net/core/netdev_max_backlog=4096", "queues eth0=2", "proc/irq/40/smp_affinity_list=0"}; !slices.Equal(f.writes, want) {
		t.Errorf("writes %q", f.writes)
	}
	for _, a := range TuningPlan(f, o) {
		if !a.Done() {
			t.Errorf("a second time: %+v", a)
		}
	}
}

// Shards that are not pinned have no CPU that interrupts could go to.
func TestTuningPlanForTheWayBack(t *testing.T) {
	f, o := newFake(), options()
	f.set("proc/sys/net/ipv4/conf/lo/forwarding", "0")
	for way, want := range map[string]string{"off": "", "strict": "sysctl -w net.ipv4.conf.lo.forwarding=1"} {
		o.Config.XDP.ReversePath = way
		got := ""
		for _, a := range TuningPlan(f, o) {
			if !a.Done() {
				got += a.Command
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", way, got, want)
		}
	}
}

func TestTuningPlanWithoutPins(t *testing.T) {
	f := newFake()
	f.set("proc/irq/40/smp_affinity_list", "0-1")
	o := Options{Config: config.Default(), PID: "self", Interfaces: []string{"eth0"}, Shards: []Shard{{-1, -1}, {-1, -1}}}
	for _, a := range TuningPlan(f, o) {
		if !a.Done() {
			t.Errorf("%+v", a)
		}
	}
}
