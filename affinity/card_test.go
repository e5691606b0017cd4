package affinity

import (
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
)

func TestCardNode(t *testing.T) {
	link := func(to string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink} }
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s + "\n")} }
	root := fstest.MapFS{
		// A card on the bus, and a virtio card behind a bridge.
		"sys/class/net/ens1":                                         link("../../devices/pci0000:80/0000:80:01.0/0000:81:00.0/net/ens1"),
		"sys/devices/pci0000:80/0000:80:01.0/numa_node":              file("7"),
		"sys/devices/pci0000:80/0000:80:01.0/0000:81:00.0/numa_node": file("1"),
		"sys/class/net/eth0":                                         link("../../devices/pci0000:00/0000:00:03.0/virtio0/net/eth0"),
		"sys/devices/pci0000:00/0000:00:03.0/numa_node":              file("3"),
		"sys/class/net/one":                                          link("../../devices/pci0000:00/0000:00:04.0/net/one"),
		"sys/devices/pci0000:00/0000:00:04.0/numa_node":              file("-1"),
		"sys/class/net/lo":                                           link("../../devices/virtual/net/lo"),
		"sys/class/net/odd":                                          link("../../../../../../net/odd"),
		"sys/class/net/bad":                                          link("../../devices/x/net/bad"),
		"sys/devices/x/numa_node":                                    file("99999999999999999999"),
		"sys/devices/numa_node":                                      file("5"),
		"sys/class/net/flat/device/numa_node":                        file("2"),
	}
	for name, want := range map[string]int{"ens1": 1, "eth0": 3, "flat": 2, "one": -1, "lo": -1, "odd": -1, "bad": -1, "none": -1} {
		node, ok := CardNode(root, name)
		if !ok {
			node = -1
		}
		if node != want {
			t.Errorf("%s: node %d, want %d", name, node, want)
		}
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		shards []int
		card   int
		want   []int
	}{
		{[]int{0, 1, 0, 1}, 1, []int{1, 3, 0, 2}},
		{[]int{0, 1, 0, 1}, 0, []int{0, 2, 1, 3}},
		{[]int{0, 0}, 1, []int{0, 1}},
		{[]int{AnyNode, AnyNode}, 0, []int{0, 1}},
		{nil, 0, nil},
	} {
		if got := nearest(c.shards, c.card); !slices.Equal(got, c.want) {
			t.Errorf("shards on %v, card on %d: %v, want %v", c.shards, c.card, got, c.want)
		}
	}
}
