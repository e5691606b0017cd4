package hot

import (
	"os"
	"path/filepath"
	"testing"
)

// The CPU of a queue is that of its interrupt, whatever the driver calls it.
func TestQueueCPU(t *testing.T) {
	root := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("proc/interrupts", `           CPU0       CPU1
  40:          0          0   PCI-MSI 512000-edge      eth0
  41:         10          0   PCI-MSI 512001-edge      eth0-TxRx-0
  42:          0         10   PCI-MSI 512002-edge      eth0-TxRx-1
  43:          0         10   PCI-MSI 512003-edge      eth1-TxRx-1
  44:          0         10   PCI-MSI 512004-edge      eth0-TxRx-11
  50:          0          0   PCI-MSI 1-edge      virtio0-config
  51:          0         10   PCI-MSI 2-edge      virtio0-input.0
  52:         10          0   PCI-MSI 3-edge      virtio0-output.0
  61:         10          0   PCI-MSI 4-edge      mlx5_comp1@pci:0000:01:00.0
NMI:          0          0   Non-maskable interrupts
`)
	for irq, cpus := range map[string]string{"40": "0", "41": "0", "42": "1", "43": "0", "44": "0-1", "50": "0", "51": "1", "52": "0", "61": "3"} {
		write("proc/irq/"+irq+"/effective_affinity_list", cpus+"\n")
	}
	for _, path := range []string{
		"sys/class/net/eth0/device/msi_irqs/40", "sys/class/net/eth0/device/msi_irqs/41", "sys/class/net/eth0/device/msi_irqs/42",
		"sys/class/net/eth0/device/msi_irqs/44", "sys/devices/pci/virtio0/x", "sys/devices/pci/msi_irqs/50", "sys/devices/pci/msi_irqs/51",
		"sys/devices/pci/msi_irqs/52", "sys/class/net/mlx/device/msi_irqs/61", "sys/class/net/eth2/x", "sys/class/net/veth0/queues/rx-0/x",
	} {
		write(path, "msix\n")
	}
	if err := os.Symlink(filepath.Join(root, "sys/devices/pci/virtio0"), filepath.Join(root, "sys/class/net/eth2/device")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		queue int
		cpu   int
		ok    bool
	}{
		{"eth0", 0, 0, true}, {"eth0", 1, 1, true}, {"eth0", 2, 0, false}, {"eth0", 11, 0, false},
		{"eth2", 0, 1, true}, {"eth2", 1, 0, false}, {"mlx", 1, 3, true}, {"veth0", 0, 0, false}, {"none", 0, 0, false},
	} {
		if cpu, ok := queueCPU(root, c.name, c.queue); ok != c.ok || ok && cpu != c.cpu {
			t.Errorf("%s, queue %d: CPU %d, %v; want %d, %v", c.name, c.queue, cpu, ok, c.cpu, c.ok)
		}
	}
}
