package preflight

import (
	"fmt"
	"io/fs"
	"testing/fstest"

	"heimdall/core/config"
)

// fake is a made-up machine. Its zero value, made by newFake, is one where all is well.
type fake struct {
	files    fstest.MapFS
	links    map[string]Link
	features []Feature
	confined []string // what the sandbox lacks
	programs []Feature
	filters  []string
	unseen   error // why they cannot be seen
	writes   []string
	refuse   string // path that cannot be written
}

// newFake makes a machine with two shards' CPUs and a card eth0 with as many queues.
func newFake() *fake {
	f := &fake{files: fstest.MapFS{}, links: map[string]Link{"eth0": {Driver: "ice", Features: 0x7f, Known: true, Queues: 2, MaxQueues: 16}}, features: []Feature{{Name: "XDP programs"}}, programs: []Feature{{Name: "the XDP program"}, {Name: "the other"}}}
	f.set("proc/sys/kernel/osrelease", "6.1.0-18-amd64")
	f.set("proc/self/status", "Name:\theimdallctl\nCapEff:\t000001ffffffffff")
	f.set("proc/self/limits", "Limit                     Soft Limit           Hard Limit           Units\nMax locked memory         8388608              8388608              bytes\nMax open files            1048576              1048576              files")
	f.set("proc/sys/net/core/rmem_max", "8388608")
	f.set("proc/sys/net/core/wmem_max", "8388608")
	f.set("proc/sys/net/core/netdev_max_backlog", "1000")
	f.set("proc/17/comm", "sshd")
	f.set("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never")
	f.set("sys/kernel/btf/vmlinux", "")
	for cpu := range 2 {
		f.set(fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu), "performance")
		f.set(fmt.Sprintf("sys/class/net/eth0/queues/rx-%d/rps_cpus", cpu), "00000000,00000000")
		f.set(fmt.Sprintf("proc/irq/%d/smp_affinity_list", 40+cpu), fmt.Sprint(cpu))
	}
	f.set("sys/devices/system/cpu/online", "0-1")
	f.set("sys/devices/system/node/node0/cpulist", "0-1")
	f.set("sys/class/net/eth0/mtu", "1500")
	f.set("sys/class/net/eth0/operstate", "up")
	f.set("sys/class/net/eth0/device/numa_node", "0")
	f.interrupts("eth0-TxRx-0", "eth0-TxRx-1")
	return f
}

func (f *fake) set(path, text string) {
	f.files[path] = &fstest.MapFile{Data: []byte(text + "\n"), Mode: 0o644}
}

// interrupts names those from 40 on.
func (f *fake) interrupts(actions ...string) {
	text := "           CPU0       CPU1\n  8:          1          0   IO-APIC   8-edge      rtc0\n"
	for i, a := range actions {
		text += fmt.Sprintf(" %d:       1234          7   PCI-MSI 1572864-edge      %s\n", 40+i, a)
	}
	f.set("proc/interrupts", text+"NMI:          0          0   Non-maskable interrupts")
}

func (f *fake) Files() fs.FS        { return f.files }
func (f *fake) Features() []Feature { return f.features }

func (f *fake) Programs() []Feature { return f.programs }

func (f *fake) SandboxLacks() []string { return f.confined }

func (f *fake) Filters() ([]string, error) { return f.filters, f.unseen }

func (f *fake) Write(path, value string) error {
	if path == f.refuse {
		return fs.ErrPermission
	}
	f.writes = append(f.writes, path+"="+value)
	f.set(path, value)
	return nil
}

func (f *fake) Link(name string) (Link, error) {
	l, ok := f.links[name]
	if !ok {
		return l, fmt.Errorf("look up %s: %w", name, fs.ErrNotExist)
	}
	return l, nil
}

func (f *fake) SetQueues(name string, n int) error {
	l := f.links[name]
	l.Queues = n
	f.links[name] = l
	f.writes = append(f.writes, fmt.Sprintf("queues %s=%d", name, n))
	return nil
}

func (f *fake) Program(id uint32) (string, error) {
	if id == 7 {
		return "l4lb", nil
	}
	return "", fs.ErrPermission
}

// edit changes the link eth0.
func (f *fake) edit(change func(*Link)) {
	l := f.links["eth0"]
	change(&l)
	f.links["eth0"] = l
}

// options are those of a daemon with the XDP program on eth0.
func options() Options {
	c := config.Default()
	c.XDP.Mode, c.XDP.Interfaces = "native", []string{"eth0"}
	return Options{Config: c, PID: "self", Shards: []Shard{{0, 0}, {1, 0}}, Daemon: new(Daemon)}
}
