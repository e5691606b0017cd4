//go:build linux

package udp

// Why this is safe: every pointer that the kernel follows (headers, addresses,
// iovecs, control buffers) points into slices that the batch owns and that are
// made once, or, for payload to send, into memory that a typed pointer in the
// iovec keeps alive. Go heap objects do not move; and because those pointers are
// typed, the compiler puts what they point to on the heap, never on a stack that
// may be copied. The kernel writes lengths, flags, addresses and control bytes,
// never a pointer.

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// header is the kernel's struct mmsghdr. Go's padding at the end is C's.
type header struct {
	msg unix.Msghdr
	n   uint32 // bytes received or sent; written by the kernel
}

// slot is what one header points to, in one cache line.
type slot struct {
	iov  unix.Iovec
	name rawAddr
	_    [64 - unsafe.Sizeof(unix.Iovec{}) - unix.SizeofSockaddrInet6]byte
}

var _ [0]byte = [unsafe.Sizeof(slot{}) - 64]byte{}

// batch is the memory of one recvmmsg or sendmmsg call, set up so that a call
// has to change as little as possible.
type batch struct {
	headers []header
	slots   []slot
	control []control // nil until control messages are wanted
}

func (b *batch) init(n int, is6 bool) {
	b.headers = make([]header, n)
	b.slots = make([]slot, n)
	nameLen := uint32(unix.SizeofSockaddrInet4)
	if is6 {
		nameLen = unix.SizeofSockaddrInet6
	}
	for i := range b.headers {
		h, s := &b.headers[i].msg, &b.slots[i]
		s.name.setFamily(is6)
		h.Name = &s.name[0]
		// The kernel writes back the length of the address it stored, which is this.
		h.Namelen = nameLen
		h.Iov = &s.iov
		h.SetIovlen(1)
	}
}

// lend points the slots at receive buffers of size bytes, stride bytes apart.
func (b *batch) lend(buf []byte, stride, size int) {
	for i := range b.slots {
		b.slots[i].iov.Base = &buf[i*stride]
		b.slots[i].iov.SetLen(size)
	}
}

// setPayload points slot i at data to send.
func (b *batch) setPayload(i int, data []byte) {
	iov := &b.slots[i].iov
	iov.Base = unsafe.SliceData(data)
	iov.SetLen(len(data))
}

// setControl sets every header to n control bytes, n at most controlSize.
func (b *batch) setControl(n int) {
	if n > 0 && b.control == nil {
		b.control = make([]control, len(b.headers))
	}
	for i := range b.headers {
		h := &b.headers[i].msg
		h.Control = nil
		if n > 0 {
			h.Control = (*byte)(unsafe.Pointer(&b.control[i]))
		}
		h.SetControllen(n)
	}
}

// receive fetches up to n datagrams.
func (b *batch) receive(fd, n int) (int, syscall.Errno) {
	r, _, e := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd),
		uintptr(unsafe.Pointer(&b.headers[0])), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
	return int(r), e
}

// send sends headers from (inclusive) to to (exclusive) up to the first that fails.
// from must be less than to.
func (b *batch) send(fd, from, to int) (int, syscall.Errno) {
	part := b.headers[from:to]
	r, _, e := syscall.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd),
		uintptr(unsafe.Pointer(&part[0])), uintptr(len(part)), unix.MSG_DONTWAIT, 0, 0)
	return int(r), e
}

// socketDrops reads how many datagrams the socket has dropped; the count wraps.
func socketDrops(fd int) (uint32, bool) {
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, e := syscall.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if e != 0 || size < uint32(unsafe.Sizeof(info)) {
		return 0, false
	}
	return info[unix.SK_MEMINFO_DROPS], true
}
