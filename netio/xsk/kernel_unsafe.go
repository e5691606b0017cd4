//go:build linux

package xsk

// Why this is safe: the pointers into a ring lie within its mapping, at the offsets that the kernel has told, and the
// mapping lives until close; the size of each is checked against its end. What is given to setsockopt and getsockopt
// lives through the call, whose argument list holds the conversion. The UMEM is not of the Go heap: its address
// given to the kernel stays good for as long as its owner keeps it mapped.

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// descriptor is the kernel's struct xdp_desc: a frame in the rx or the tx ring.
type descriptor struct {
	addr    uint64 // 0 offset of the first octet in the UMEM
	size    uint32 // 8 octets
	options uint32 // 12 none
}

var _ [0]byte = [unsafe.Sizeof(descriptor{}) - unsafe.Sizeof(unix.XDPDesc{})]byte{}

// mapRing maps a ring of n elements of an AF_XDP socket.
func mapRing[T any](fd int, page int64, at unix.XDPRingOffset, n int) (r ring[T], err error) {
	var element T
	size := at.Desc + uint64(n)*uint64(unsafe.Sizeof(element))
	if max(at.Producer, at.Consumer, at.Flags)+4 > size {
		return r, fmt.Errorf("map a ring of %d bytes: the kernel says it has fields at %+v", size, at)
	}
	if r.mapping, err = unix.Mmap(fd, page, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return r, fmt.Errorf("map a ring of %d bytes: %w", size, err)
	}
	r.produced = (*uint32)(unsafe.Pointer(&r.mapping[at.Producer]))
	r.consumed = (*uint32)(unsafe.Pointer(&r.mapping[at.Consumer]))
	r.flags = (*uint32)(unsafe.Pointer(&r.mapping[at.Flags]))
	r.slots = unsafe.Slice((*T)(unsafe.Pointer(&r.mapping[at.Desc])), n)
	return r, nil
}

// close unmaps the ring.
func (r *ring[T]) close() {
	if r.mapping != nil {
		unix.Munmap(r.mapping)
	}
	*r = ring[T]{}
}

// registerMemory makes mem the UMEM of a socket.
func registerMemory(fd int, mem []byte) error {
	reg := unix.XDPUmemReg{Addr: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(mem)))), Len: uint64(len(mem)), Size: frameSize}
	return setOption(fd, unix.XDP_UMEM_REG, &reg)
}

// setOption sets an option of the level SOL_XDP.
func setOption[T any](fd, option int, value *T) error {
	_, _, e := syscall.Syscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_XDP, uintptr(option), uintptr(unsafe.Pointer(value)), unsafe.Sizeof(*value), 0)
	if e != 0 {
		return e
	}
	return nil
}

// getOption reads one. Old kernels may fill a part of value only.
func getOption[T any](fd, option int, value *T) error {
	size := uint32(unsafe.Sizeof(*value))
	_, _, e := syscall.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_XDP, uintptr(option), uintptr(unsafe.Pointer(value)), uintptr(unsafe.Pointer(&size)), 0)
	if e != 0 {
		return e
	}
	return nil
}

// kickSend has the kernel send what is in the tx ring.
func kickSend(fd int) syscall.Errno {
	_, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), 0, 0, unix.MSG_DONTWAIT, 0, 0)
	return e
}

// kickReceive has the kernel take frames from the fill ring, and poll the queue if the socket is for busy polling.
func kickReceive(fd int) {
	syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), 0, 0, unix.MSG_DONTWAIT, 0, 0)
}
