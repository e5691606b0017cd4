package sandbox

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dropCapabilities leaves the process those of keep that it has, and no others.
func dropCapabilities(keep []int) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData // of capabilities 0 to 31, and 32 to 63
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return err
	}
	var mask [2]uint32
	for _, c := range keep {
		mask[c/32] |= 1 << (c % 32)
	}
	for i := range sets {
		sets[i].Effective &= mask[i]
		sets[i].Permitted &= mask[i]
		sets[i].Inheritable = 0
	}
	pinned := new(runtime.Pinner) // the call is made by other threads, too
	defer pinned.Unpin()
	pinned.Pin(&header)
	pinned.Pin(&sets)
	return everyThread(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets)), 0)
}
