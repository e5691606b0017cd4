package ebpf

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var errCrash = errors.New("with virtio_net Linux would crash when the program sends")

// spareQueues returns why a card must not have the program in native mode, or nil.
func spareQueues(nic netlink.Link) error {
	a := nic.Attrs()
	if DriverOf(a.Name) != "virtio_net" {
		return nil
	}
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return fmt.Errorf("count the CPUs: %w", err)
	}
	used, _ := filepath.Glob("/sys/class/net/" + a.Name + "/queues/rx-*")
	return enoughQueues(a.Name, len(used), a.NumRxQueues, cpus)
}

// enoughQueues tells whether a program may send from a card of the driver virtio_net that uses so many pairs of queues, of
// those it has. Linux (6.1 to 7.3 at least) gives each CPU a pair for what programs send, or shares those in use if there
// are too few; but where more are in use than there are CPUs it takes the former for granted (virtnet_xdp_get_sq), sends on a
// queue that is not there, and crashes. used is 0 if it is not known.
func enoughQueues(name string, used, most, cpus int) error {
	if used == 0 {
		used = most
	}
	if used <= cpus || used+cpus <= most {
		return nil
	}
	return fmt.Errorf("%w (%w: %d queues are in use, on %d CPUs, and %d are left; `ethtool -L %s combined %d` mends that)",
		errCrash, ErrNotSupported, used, cpus, most-used, name, cpus)
}

// LosesZeroCopy tells whether a driver drops what the program sends (SEND_ANSWER, SEND_SLIP) while AF_XDP has the queue without
// a copy. That of virtio_net (Linux 6.13 to 7.3 at least) copies such a packet to where it has no room for its header.
func LosesZeroCopy(name string) bool { return DriverOf(name) == "virtio_net" }

// DriverOf returns the name of an interface's driver; "": it is not known.
func DriverOf(name string) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	info, err := unix.IoctlGetEthtoolDrvinfo(fd, name)
	if err != nil {
		return ""
	}
	return unix.ByteSliceToString(info.Driver[:])
}
