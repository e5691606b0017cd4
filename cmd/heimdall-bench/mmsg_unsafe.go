//go:build linux

package main

// The pointers handed to the kernel here lead into one heap object, an mmsgs,
// which Go does not move and which the caller keeps alive; the kernel uses them
// only during the call.

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is the kernel's struct mmsghdr:
//
//	 0  56  msg_hdr  struct msghdr
//	56   4  msg_len  octets sent or received, written by the kernel, host order
//	60   4  padding
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

var _ [0]byte = [unsafe.Sizeof(mmsghdr{}) - 64]byte{}

// mmsgs is the buffers of one sendmmsg or recvmmsg call. Not safe for concurrent use.
type mmsgs struct {
	hdrs    [batch]mmsghdr
	iovs    [batch]unix.Iovec
	bufs    []byte // batch buffers of size octets each
	size    int
	views   [batch][]byte
	stamped bool // control has room for the time of arrival
	control [batch]stamp
}

// stamp is a control message with a time (SO_TIMESTAMPNS, socket(7)):
//
//	 0  16  struct cmsghdr
//	16  16  struct timespec: seconds and nanoseconds since 1970, host order
type stamp [4]uint64

func newMmsgs(size int) *mmsgs {
	m := &mmsgs{bufs: make([]byte, batch*size), size: size}
	for i := range m.hdrs {
		m.iovs[i].Base = &m.bufs[i*size]
		m.iovs[i].SetLen(size)
		m.hdrs[i].hdr.Iov = &m.iovs[i]
		m.hdrs[i].hdr.SetIovlen(1)
	}
	return m
}

// set copies msg into buffer i.
func (m *mmsgs) set(i int, msg []byte) {
	m.iovs[i].SetLen(copy(m.bufs[i*m.size:(i+1)*m.size], msg))
}

// send sends the first n buffers and returns how many were taken.
func (m *mmsgs) send(fd, n int) (int, unix.Errno) {
	return m.call(unix.SYS_SENDMMSG, fd, n)
}

// receive returns the datagrams that have come, valid until the next call.
func (m *mmsgs) receive(fd int) ([][]byte, unix.Errno) {
	if m.stamped {
		for i := range m.hdrs {
			m.hdrs[i].hdr.Control = (*byte)(unsafe.Pointer(&m.control[i]))
			m.hdrs[i].hdr.SetControllen(int(unsafe.Sizeof(m.control[i])))
		}
	}
	n, errno := m.call(unix.SYS_RECVMMSG, fd, batch)
	for i := range n {
		m.views[i] = m.bufs[i*m.size : i*m.size+int(m.hdrs[i].n)]
	}
	return m.views[:n], errno
}

// arrived returns when datagram i of the last receive came, in ns since 1970; 0: the kernel did not say.
func (m *mmsgs) arrived(i int) int64 {
	c := &m.control[i]
	h := (*unix.Cmsghdr)(unsafe.Pointer(c))
	if uintptr(m.hdrs[i].hdr.Controllen) < unsafe.Sizeof(*c) || h.Level != unix.SOL_SOCKET || h.Type != unix.SO_TIMESTAMPNS {
		return 0
	}
	return int64(c[2])*1e9 + int64(c[3])
}

// call never blocks, so it may keep the runtime in the dark about it.
func (m *mmsgs) call(trap uintptr, fd, n int) (int, unix.Errno) {
	r, _, errno := unix.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(&m.hdrs[0])), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}
