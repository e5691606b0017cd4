//go:build linux

package netio

// Why this is safe: the kernel writes at most room events into p.raw, which
// holds maxEvents and lives as long as p; the conversions to uintptr stand in the
// argument list of the system call, which keeps the memory alive for the call.

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wait fetches up to room events into p.raw and returns how many.
func (p *Poller) wait(room int, timeout time.Duration) int {
	if timeout == 0 {
		n, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epfd),
			uintptr(unsafe.Pointer(&p.raw)), uintptr(room), 0, 0, 0)
		if e != 0 {
			return 0
		}
		return int(n)
	}
	if !p.noPwait2 {
		var limit *unix.Timespec
		if timeout > 0 {
			ts := unix.NsecToTimespec(int64(timeout))
			limit = &ts
		}
		n, _, e := syscall.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.epfd),
			uintptr(unsafe.Pointer(&p.raw)), uintptr(room), uintptr(unsafe.Pointer(limit)), 0, 0)
		switch e {
		case 0:
			return int(n)
		case unix.ENOSYS:
			p.noPwait2 = true
		default: // EINTR
			return 0
		}
	}
	n, _, e := syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epfd),
		uintptr(unsafe.Pointer(&p.raw)), uintptr(room), uintptr(millis(timeout)), 0, 0)
	if e != 0 {
		return 0
	}
	return int(n)
}

// signal adds one to the eventfd's counter. The counter is never read, and a
// process does not live through the 2^64 wake-ups it takes to overflow it.
func (p *Poller) signal() {
	one := uint64(1)
	syscall.RawSyscall(unix.SYS_WRITE, uintptr(p.wakefd), uintptr(unsafe.Pointer(&one)), 8)
}

// millis rounds up, so that a short wait is not a busy loop; negative stays negative.
func millis(d time.Duration) int {
	if d < 0 {
		return -1
	}
	const most = 1<<31 - 1
	return int(min((d+time.Millisecond-1)/time.Millisecond, most))
}
