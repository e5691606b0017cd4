package hot

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// queuesOf counts the receive and the transmit queues that a network interface uses.
func queuesOf(name string) (receive, transmit int, err error) {
	count := func(kind string) int {
		list, _ := filepath.Glob(filepath.Join("/sys/class/net", name, "queues", kind+"-*"))
		return len(list)
	}
	if receive, transmit = count("rx"), count("tx"); receive == 0 {
		return 0, 0, fmt.Errorf("%s: count the receive queues in /sys/class/net: %w", name, os.ErrNotExist)
	}
	return receive, transmit, nil
}

// receiveInterrupt finds the number of the receive queue in the names that drivers give their interrupts, such as
// "eth0-TxRx-3", "virtio0-input.3", "mlx5_comp3@pci:0000:01:00.0".
var receiveInterrupt = regexp.MustCompile(`(?i)(?:rx|input|comp)[-.]?(\d+)(?:@.*)?$`)

// queueCPU returns the one CPU that the interrupt of a receive queue goes to, as /sys and /proc below root tell. It is
// not known for cards without an interrupt for each queue, or whose interrupts go to several CPUs.
func queueCPU(root, name string, queue int) (cpu int, ok bool) {
	irqs, err := os.ReadDir(filepath.Join(root, "sys/class/net", name, "device/msi_irqs"))
	if err != nil {
		// The interrupts of a virtio card are its parent's. Join would not follow the link before it goes up.
		if irqs, err = os.ReadDir(filepath.Join(root, "sys/class/net", name, "device") + "/../msi_irqs"); err != nil {
			return 0, false
		}
	}
	f, err := os.Open(filepath.Join(root, "proc/interrupts"))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		irq, rest, found := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		if !found || !slices.ContainsFunc(irqs, func(e os.DirEntry) bool { return e.Name() == irq }) {
			continue
		}
		m := receiveInterrupt.FindStringSubmatch(rest)
		if m == nil || m[1] != strconv.Itoa(queue) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, "proc/irq", irq, "effective_affinity_list"))
		if err != nil {
			return 0, false
		}
		cpu, err := strconv.Atoi(strings.TrimSpace(string(text)))
		return cpu, err == nil
	}
	return 0, false
}
