//go:build linux

package udp

// The yardstick: recvmmsg and sendmmsg with nothing around them, headers set up
// once and used for both directions. Only for benchmarks; the memory it hands to
// the kernel is its own.

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

type bareLoop struct {
	fd    int
	msgs  [defaultBatch]header
	iovs  [defaultBatch]unix.Iovec
	peers [defaultBatch]unix.RawSockaddrInet6
	bufs  [defaultBatch][2048]byte
}

func newBareLoop(fd int) *bareLoop {
	l := &bareLoop{fd: fd}
	for i := range l.msgs {
		l.iovs[i].Base = &l.bufs[i][0]
		l.msgs[i].msg.Iov = &l.iovs[i]
		l.msgs[i].msg.SetIovlen(1)
		l.msgs[i].msg.Name = (*byte)(unsafe.Pointer(&l.peers[i]))
	}
	return l
}

// recv resets what a call needs and receives one batch.
func (l *bareLoop) recv() int {
	for i := range l.msgs {
		l.iovs[i].SetLen(2048)
		l.msgs[i].msg.Namelen = unix.SizeofSockaddrInet6
	}
	n, _, e := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(l.fd),
		uintptr(unsafe.Pointer(&l.msgs)), defaultBatch, unix.MSG_DONTWAIT, 0, 0)
	if e != 0 {
		return 0
	}
	return int(n)
}

// send sends the first n datagrams back.
func (l *bareLoop) send(n int) {
	for i := range n {
		l.iovs[i].SetLen(int(l.msgs[i].n))
		l.bufs[i][2] |= 0x80
	}
	for done := 0; done < n; {
		k, _, e := syscall.RawSyscall6(unix.SYS_SENDMMSG, uintptr(l.fd),
			uintptr(unsafe.Pointer(&l.msgs[done])), uintptr(n-done), 0, 0, 0)
		if e != 0 {
			k = 1
		}
		done += int(k)
	}
}
