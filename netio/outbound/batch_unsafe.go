//go:build linux

package outbound

// Why this is safe: every pointer that the kernel follows points into slices that
// the batch owns and that are made once, or is converted to uintptr in the
// argument list of a system call, which keeps it alive for the call. Typed
// pointers in the headers keep names and buffers alive. The kernel writes
// payloads, addresses, lengths and flags, never a pointer.

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// header is the kernel's struct mmsghdr. Go's padding at the end is C's.
type header struct {
	msg unix.Msghdr
	n   uint32 // octets received; written by the kernel
}

// batch is the memory of one recvmmsg call, shared by all sockets of a pool.
type batch struct {
	headers []header
	iovs    []unix.Iovec
	names   []rawAddr
	buf     []byte
	filled  int // headers the last receive wrote to
}

func (b *batch) init() {
	b.headers = make([]header, batchLen)
	b.iovs = make([]unix.Iovec, batchLen)
	b.names = make([]rawAddr, batchLen)
	b.buf = make([]byte, batchLen*datagramLen)
	for i := range b.headers {
		b.iovs[i].Base = &b.buf[i*datagramLen]
		b.iovs[i].SetLen(datagramLen)
		h := &b.headers[i].msg
		h.Name = &b.names[i][0]
		h.Namelen = uint32(len(b.names[i]))
		h.Iov = &b.iovs[i]
		h.SetIovlen(1)
	}
}

// receive fetches what waits at fd, up to batchLen datagrams. EAGAIN means
// nothing does. The call is raw: it cannot block.
func (b *batch) receive(fd int) (int, syscall.Errno) {
	for i := range b.headers[:b.filled] {
		// The kernel wrote how long the address is; the other family's may come next.
		b.headers[i].msg.Namelen = uint32(len(b.names[i]))
	}
	b.filled = 0
	n, _, e := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.headers[0])),
		batchLen, unix.MSG_DONTWAIT, 0, 0)
	if e != 0 {
		return 0, e
	}
	b.filled = int(n)
	return b.filled, 0
}

// at returns datagram i of the last receive, valid until the next, and whether
// it is whole.
func (b *batch) at(i int) (msg []byte, from *rawAddr, whole bool) {
	h := &b.headers[i]
	start := i * datagramLen
	return b.buf[start : start+int(h.n) : start+datagramLen], &b.names[i], h.msg.Flags&unix.MSG_TRUNC == 0
}

// sendTo sends one datagram, at least one octet long. The call is raw: it cannot block.
func sendTo(fd int, msg []byte, to *rawAddr) syscall.Errno {
	_, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&msg[0])), uintptr(len(msg)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to[0])), uintptr(to.size()))
	return e
}

// send sends one datagram, at least one octet long, from a connected socket. The
// call is raw: it cannot block.
func send(fd int, msg []byte) syscall.Errno {
	_, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&msg[0])), uintptr(len(msg)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return e
}

// bind gives a socket its address. The call is raw: it cannot block.
func bind(fd int, at *rawAddr) syscall.Errno {
	_, _, e := syscall.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&at[0])), uintptr(at.size()))
	return e
}

// disconnect unties a datagram socket from its server (connect(2), "AF_UNSPEC"),
// and with that from the port that the kernel chose for it.
func disconnect(fd int) syscall.Errno {
	var unspec rawAddr
	_, _, e := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspec[0])), uintptr(unspec.size()))
	return e
}

// localAddr sets the address that a socket has; zero on failure.
func localAddr(fd int, at *rawAddr) {
	*at = rawAddr{}
	size := uint32(len(at))
	syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&at[0])), uintptr(unsafe.Pointer(&size)))
}

// connect ties a datagram socket to its server, or begins to connect a
// non-blocking stream, or tells how that goes:
// EINPROGRESS and EALREADY mean it is under way, zero and EISCONN that it is
// done, anything else that it failed.
func connect(fd int, to *rawAddr) syscall.Errno {
	_, _, e := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to[0])), uintptr(to.size()))
	return e
}
