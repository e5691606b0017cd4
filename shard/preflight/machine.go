package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNotSupported is wrapped by what this kernel or driver cannot tell or do.
var ErrNotSupported = errors.New("not supported by this system")

// Machine is what the checks ask. Paths are relative to the file system's root, as in "proc/sys/kernel/osrelease".
type Machine interface {
	Files() fs.FS
	// Write replaces the contents of a file that exists.
	Write(path, value string) error
	// Features lists what the XDP program needs of the kernel, and what is missing.
	Features() []Feature
	// Programs loads the programs themselves, and lists why the kernel rejects them.
	Programs() []Feature
	// SandboxLacks lists what the sandbox needs of the kernel and does not get.
	SandboxLacks() []string
	// Filters lists the chains of netfilter that may stop what comes in.
	Filters() ([]string, error)
	// Link tells about an interface what its files do not.
	Link(name string) (Link, error)
	// SetQueues sets the number of queues, in both directions.
	SetQueues(name string, n int) error
	// Program returns the name of a BPF program.
	Program(id uint32) (string, error)
}

// Feature is something that the kernel can or cannot do.
type Feature struct {
	Name string
	Err  error // nil: it can; wraps ErrNotSupported: it cannot; else it could not be found out
}

// Link is an interface as the kernel's netlink and ethtool tell.
type Link struct {
	Driver    string
	XDP       uint32 // ID of the XDP program attached; 0: none
	Features  uint64 // the driver's XDP features, bits of xdpBasic and so on
	Known     bool   // the kernel tells Features (since 6.3)
	Queues    int    // receive queues in use; 0: the driver does not tell
	MaxQueues int
	Separate  bool // they are counted apart from the transmit queues
	StripVLAN bool // the card takes VLAN tags off received packets
}

// XDP features of a driver (netdev netlink family, enum netdev_xdp_act).
const (
	xdpBasic    = 1 << 0
	xdpRedirect = 1 << 1
	xdpZeroCopy = 1 << 3
)

// setQueues is the command that sets the number of queues.
func (l *Link) setQueues(name string, n int) string {
	if l.Separate {
		return fmt.Sprintf("ethtool -L %s rx %d tx %d", name, n, n)
	}
	return fmt.Sprintf("ethtool -L %s combined %d", name, n)
}

const netDir = "sys/class/net/"

func exists(m Machine, name string) bool {
	_, err := fs.Stat(m.Files(), netDir+name+"/mtu")
	return err == nil
}

// text returns what is in a file, without the space around it; empty when it cannot be read.
func text(m Machine, name string) string {
	b, err := fs.ReadFile(m.Files(), name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// number returns the number in a file.
func number(m Machine, name string) (int, bool) {
	n, err := strconv.Atoi(text(m, name))
	return n, err == nil
}

// rxQueues returns how many receive queues an interface has, as its files tell.
func rxQueues(m Machine, name string) int {
	dirs, _ := fs.Glob(m.Files(), netDir+name+"/queues/rx-*")
	return len(dirs)
}

// irq is the interrupt of a receive queue.
type irq struct {
	number string
	queue  int
	cpus   string // list of CPUs that may handle it
}

// queueName is the end of the name of a queue's interrupt, as in eth0-TxRx-3, virtio0-input.3, ens1f0np0-3,
// mlx5_comp3@pci:0000:01:00.0.
var queueName = regexp.MustCompile(`(\d+)(@.*)?$`)

// otherInterrupt is in the names of interrupts that are no receive queue's.
var otherInterrupt = regexp.MustCompile(`(?i)output|config|control|async|ctrl|mbox|mbx|aeq|ceq|-tx-|-tx\d|event|fdir|misc`)

// irqs returns the interrupts of an interface's receive queues, by queue. It knows them by the name of the
// interface, or that of its device, in /proc/interrupts.
func irqs(m Machine, name string) (list []irq) {
	names := []string{name}
	if dev, err := fs.ReadLink(m.Files(), netDir+name+"/device"); err == nil {
		names = append(names, path.Base(dev))
	}
	for line := range strings.Lines(text(m, "proc/interrupts")) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasSuffix(fields[0], ":") {
			continue
		}
		n, action := strings.TrimSuffix(fields[0], ":"), fields[len(fields)-1]
		if _, err := strconv.Atoi(n); err != nil || !belongs(action, names) || otherInterrupt.MatchString(action) {
			continue
		}
		q := queueName.FindStringSubmatch(action)
		if q == nil || slices.Contains(names, action) {
			continue // the interface's only interrupt, or one for its link
		}
		queue, err := strconv.Atoi(q[1])
		if err != nil {
			continue
		}
		list = append(list, irq{number: n, queue: queue, cpus: text(m, "proc/irq/"+n+"/smp_affinity_list")})
	}
	slices.SortStableFunc(list, func(a, b irq) int { return a.queue - b.queue })
	return list
}

// belongs tells whether one of the names stands in action as a word.
func belongs(action string, names []string) bool {
	for _, name := range names {
		at := strings.Index(action, name)
		if at < 0 {
			continue
		}
		end := at + len(name)
		if (at == 0 || !alphanumeric(action[at-1])) && (end == len(action) || !alphanumeric(action[end])) {
			return true
		}
	}
	return false
}

func alphanumeric(c byte) bool { return c >= '0' && c <= '9' || c|32 >= 'a' && c|32 <= 'z' }
