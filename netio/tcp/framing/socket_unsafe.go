//go:build linux

package framing

// Why this is safe: the kernel reads or writes at most len(b) bytes at b's first
// element, and the conversion to uintptr stands in the argument list of the
// system call, which keeps b alive for the call.

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Recv receives up to len(b) octets, at least one, without blocking. Zero octets
// without an error are the end of the stream; EAGAIN means nothing has come.
//
// The call is raw: it cannot block, so the Go scheduler need not know of it.
func Recv(fd int, b []byte) (int, syscall.Errno) { return recv(fd, b, unix.MSG_DONTWAIT) }

// Peek is Recv without taking the octets out of the stream.
func Peek(fd int, b []byte) (int, syscall.Errno) {
	return recv(fd, b, unix.MSG_DONTWAIT|unix.MSG_PEEK)
}

// Send sends the first octets of b, at least one long, without blocking, and
// returns how many the kernel took. EAGAIN means none for want of buffer space.
func Send(fd int, b []byte) (int, syscall.Errno) {
	for {
		n, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])),
			uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		if e != unix.EINTR {
			return int(n), e
		}
	}
}

func recv(fd int, b []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, e := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])),
			uintptr(len(b)), flags, 0, 0)
		if e != unix.EINTR {
			return int(n), e
		}
	}
}
