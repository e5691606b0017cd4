package affinity

import (
	"io/fs"
	"path"
)

// CardNode returns the NUMA node that a network card is attached to, as sysfs below root tells; false: none in particular,
// as for interfaces without a device, on machines with one node, and where the firmware does not say.
func CardNode(root fs.FS, name string) (node int, ok bool) {
	const classes = "sys/class/net/"
	// A virtio card is a device of its own, behind the one on the bus, which is what has a node.
	dir := classes + name + "/device"
	if link, err := fs.ReadLink(root, classes+name); err == nil {
		dir = path.Dir(path.Dir(path.Join(classes, link))) // less net/NAME
	}
	for ; dir != "sys/devices" && len(dir) > len("sys/"); dir = path.Dir(dir) {
		if n, err := readInt(root, dir+"/numa_node"); err == nil {
			return n, n >= 0
		}
	}
	return 0, false
}

// Owner returns which of the shards, given the node of each, gets a receive queue of a network card: in turn, those on the
// card's node first. There is one shard at least.
func Owner(root fs.FS, name string, queue int, shards []int) int {
	at := queue % len(shards)
	if card, ok := CardNode(root, name); ok {
		at = nearest(shards, card)[at]
	}
	return at
}

// nearest lists the numbers of shards, given the node of each, in the order in which the queues of a card should get them:
// those on the card's node first.
func nearest(shards []int, card int) []int {
	var near, far []int
	for i, node := range shards {
		if node == card {
			near = append(near, i)
		} else {
			far = append(far, i)
		}
	}
	return append(near, far...)
}
