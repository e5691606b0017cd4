//go:build linux

package affinity

// Why this is safe: the slice that MapLocal returns covers exactly the pages it
// mapped, which no Go object shares; they stay mapped until Unmap, after which the
// caller must not use the slice. The node mask lives through the call it is passed to.

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size and alignment of a transparent huge page with 4 KiB base pages.
const hugePage = 2 << 20

// maxNodes bounds NUMA node numbers. Linux can be built for 1024 (CONFIG_NODES_SHIFT).
const maxNodes = 1024

// MapLocal maps size bytes of zeroed memory outside the Go heap, which the kernel
// takes from the given NUMA node as long as it has any, or from any node if it is
// AnyNode. Nothing is touched: a page costs memory once it is first used.
//
// With huge, memory of 2 MiB and more starts on a huge page and asks for huge
// pages: fewer TLB misses, but each page used costs 2 MiB of resident memory.
// Without, the kernel is told to use small pages whatever its default, so that
// sparse use stays small. Either is advice that a kernel without transparent huge
// pages ignores.
//
// Where the kernel has no NUMA support, a sandbox forbids mbind, or the node has no
// memory that the process may have (a socket without memory modules, a control
// group with cpuset.mems), memory comes from the node that is nearest to the thread
// that first touches it.
func MapLocal(node, size int, huge bool) ([]byte, error) {
	if size <= 0 {
		return nil, fmt.Errorf("map memory: size of %d bytes", size)
	}
	huge = huge && size >= hugePage
	mem, err := mapAligned(size, huge)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes: %w", size, err)
	}
	if node != AnyNode {
		if err := prefer(mem, node); err != nil {
			Unmap(mem)
			return nil, fmt.Errorf("map %d bytes on node %d: %w", size, node, err)
		}
	}
	advice := unix.MADV_NOHUGEPAGE
	if huge {
		advice = unix.MADV_HUGEPAGE
	}
	// EINVAL: the kernel has no transparent huge pages.
	if err := unix.Madvise(mem, advice); err != nil && err != unix.EINVAL {
		Unmap(mem)
		return nil, fmt.Errorf("map %d bytes: advise page size: %w", size, err)
	}
	return mem, nil
}

// Unmap gives memory from MapLocal back. Nothing may use it afterwards. Unmapping
// nil does nothing.
func Unmap(mem []byte) error {
	if len(mem) == 0 {
		return nil
	}
	if err := unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(mem)), uintptr(len(mem))); err != nil {
		return fmt.Errorf("unmap %d bytes: %w", len(mem), err)
	}
	return nil
}

// Discard gives the pages that lie in a part of memory from MapLocal back to the kernel, and keeps the addresses: what is read
// there is zero.
func Discard(mem []byte) {
	page := unix.Getpagesize()
	before := int(-uintptr(unsafe.Pointer(unsafe.SliceData(mem)))) & (page - 1)
	if before >= len(mem) {
		return
	}
	if whole := (len(mem) - before) &^ (page - 1); whole > 0 {
		_ = unix.Madvise(mem[before:before+whole], unix.MADV_DONTNEED) // a kernel that refuses keeps them
	}
}

// mapAligned maps size bytes, on a huge page boundary if asked. The end is not
// rounded up to a huge page, so Unmap needs to know no more than the slice.
func mapAligned(size int, align bool) ([]byte, error) {
	total := uintptr(size)
	if align {
		total += hugePage
	}
	const flags = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_NORESERVE
	start, err := unix.MmapPtr(-1, 0, nil, total, unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		return nil, err
	}
	if align {
		// Cut off what lies before the boundary, and behind the end.
		before := -uintptr(start) & (hugePage - 1)
		page := uintptr(unix.Getpagesize())
		end := (before + uintptr(size) + page - 1) &^ (page - 1)
		if before > 0 {
			err = unix.MunmapPtr(start, before)
		}
		if err == nil && end < total {
			err = unix.MunmapPtr(unsafe.Add(start, end), total-end)
		}
		if err != nil {
			unix.MunmapPtr(start, total)
			return nil, err
		}
		start = unsafe.Add(start, before)
	}
	return unsafe.Slice((*byte)(start), size), nil
}

// Migrate makes the kernel take the pages of memory from MapLocal from another node, and moves those there that are in use
// already, as far as there is room. The addresses stay. It costs a copy of each such page: less than a microsecond for 4 KiB.
func Migrate(mem []byte, node int) error {
	if len(mem) == 0 || node == AnyNode {
		return nil
	}
	if err := bind(mem, node, unix.MPOL_MF_MOVE); err != nil {
		return fmt.Errorf("move %d bytes to node %d: %w", len(mem), node, err)
	}
	return nil
}

// prefer makes the kernel take the pages of mem from a node.
func prefer(mem []byte, node int) error { return bind(mem, node, 0) }

func bind(mem []byte, node int, flags uintptr) error {
	const wordBits = int(unsafe.Sizeof(uintptr(0))) * 8
	if node < 0 || node >= maxNodes {
		return fmt.Errorf("no such NUMA node")
	}
	var mask [maxNodes / wordBits]uintptr
	mask[node/wordBits] = 1 << (node % wordBits)
	// The kernel reads one bit less than it is told.
	_, _, e := unix.Syscall6(unix.SYS_MBIND, uintptr(unsafe.Pointer(unsafe.SliceData(mem))), uintptr(len(mem)),
		unix.MPOL_PREFERRED, uintptr(unsafe.Pointer(&mask)), maxNodes+1, flags)
	switch e {
	case 0, unix.ENOSYS, unix.EPERM, unix.EINVAL: // no NUMA, a sandbox, or no memory there: first touch decides
		return nil
	}
	return fmt.Errorf("mbind: %w", e)
}
