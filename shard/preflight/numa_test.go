package preflight

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// farCard makes two nodes of two CPUs, with the card on the second and its interrupts on the first.
func farCard() *fake {
	f := newFake()
	f.set("sys/devices/system/cpu/online", "0-3")
	f.set("sys/devices/system/node/node1/cpulist", "2-3")
	f.set("sys/class/net/eth0/device/numa_node", "1")
	return f
}

func TestNUMA(t *testing.T) {
	irqs := func(cpus ...string) func(*fake) {
		return func(f *fake) {
			f.set("proc/irq/40/smp_affinity_list", cpus[0])
			f.set("proc/irq/41/smp_affinity_list", cpus[1])
		}
	}
	tune, move := "heimdallctl tune -apply -interface eth0", `set cpu.shards to CPUs of node 1, such as "2-3"`
	for _, c := range []struct {
		name   string
		edit   func(*fake)
		shards []Shard
		want   Verdict
		found  string
		advice string // or command
	}{
		{"all far", irqs("0", "1"), []Shard{{0, 0}, {1, 0}}, Warn, "the card is on node 1, the interrupts of its queues 0-1 go to CPUs of other nodes, the shards on CPUs 0-1 are not", move},
		{"shards on both nodes", irqs("0", "1"), []Shard{{0, 0}, {2, 1}}, Warn, "queues 0-1 go to CPUs of other nodes, the shards on CPUs 0 are not", tune},
		{"shards on both nodes, interrupts near", irqs("0-3", "3"), []Shard{{0, 0}, {2, 1}}, Warn, "the card is on node 1, the shards on CPUs 0 are not", move},
		{"interrupts alone", irqs("2", "0-1"), []Shard{{2, 1}, {3, 1}}, Warn, "the interrupts of its queues 1 go to CPUs of other nodes", tune},
		{"all near", irqs("2", "3"), []Shard{{2, 1}, {3, 1}}, OK, "the card is on node 1, as are the shards", ""},
		{"shards anywhere", irqs("2", "3"), []Shard{{-1, -1}, {-1, -1}}, OK, "the card is on node 1", ""},
		{"interrupts that nobody tells of", irqs("", "x"), []Shard{{2, 1}}, OK, "the card is on node 1", ""},
		{"a node that nobody tells of", func(f *fake) {
			irqs("0", "1")(f)
			f.set("sys/devices/system/node/node1/cpulist", "rubbish")
		}, []Shard{{2, 1}}, OK, "the card is on node 1", ""},
		{"a virtio card", func(f *fake) {
			delete(f.files, "sys/class/net/eth0/device/numa_node")
			f.files["sys/class/net/eth0"] = &fstest.MapFile{Data: []byte("../../devices/pci0000:08/0000:08:00.0/virtio3/net/eth0"), Mode: fs.ModeSymlink}
			f.set("sys/devices/pci0000:08/0000:08:00.0/numa_node", "1")
		}, []Shard{{0, 0}}, Warn, "the card is on node 1", move},
	} {
		f, o := farCard(), options()
		c.edit(f)
		o.Shards = c.shards
		var got Finding
		numa(&inspector{Options: o, m: f}, "eth0", func(v Verdict, found, advice, command string) {
			got = Finding{Verdict: v, Found: found, Advice: advice, Command: command}
		})
		if got.Verdict != c.want || !strings.Contains(got.Found, c.found) || !strings.Contains(got.Advice+" "+got.Command, c.advice) || (got.Advice != "") != (c.want != OK) {
			t.Errorf("%s: %+v, want %s, %q, %q", c.name, got, c.want, c.found, c.advice)
		}
	}
}

// The queues of a card interrupt the CPUs of shards on its own node before others.
func TestTuningPlanForTheNode(t *testing.T) {
	f, o := farCard(), options()
	o.Shards = []Shard{{0, 0}, {1, 0}, {2, 1}, {3, 1}}
	seen := 0
	for _, a := range TuningPlan(f, o) {
		if strings.Contains(a.What, "CPU of eth0, queue 0") {
			seen++
			if a.New != "2" {
				t.Errorf("%+v", a)
			}
		}
		if strings.Contains(a.What, "CPU of eth0, queue 1") {
			seen++
			if a.New != "3" {
				t.Errorf("%+v", a)
			}
		}
	}
	if seen != 2 {
		t.Errorf("%d interrupts", seen)
	}
}
